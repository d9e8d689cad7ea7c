// Convolutions, the first rung: one thread a result, which reads all that it needs from global memory.
//
// y[n,i,j,o] = sigma(b[o] + sum over u,v,c of x[n, s i + u - top, s j + v - left, c] W[u,v,c,o]), 0 outside x.
//
// Neighbouring threads have neighbouring o: they read the same x (one broadcast) and weights that lie side by side. For
// every multiplication and addition, 2 FLOP, a thread reads a number of x and one of W, 8 bytes in float: 0.25 FLOP a
// byte. A GPU computes some 20 FLOP in the time in which it reads a byte of its memory, so that this kernel waits for
// its reads nearly always, however much the caches catch. The rungs above read less (convolution_tiles.cu and on).

template <typename T, bool RELU>
__global__ void correlate(const T* __restrict__ x, const T* __restrict__ kernel, const T* __restrict__ bias,
                          T* __restrict__ y, long long count, int height, int width, int channels, int kernel_height,
                          int kernel_width, int out_height, int out_width, int outputs, int stride_down,
                          int stride_right, int top, int left) {
    long long place = thread_of_grid();
    if (place >= count) return;
    int o = place % outputs, j = place / outputs % out_width;
    long long row = place / outputs / out_width, n = row / out_height;
    int i = row % out_height;
    T sum = bias ? bias[o] : T(0);
    for (int u = 0; u < kernel_height; u++)
        for (int v = 0; v < kernel_width; v++) {
            int down = i * stride_down + u - top, right = j * stride_right + v - left;
            if (down < 0 || down >= height || right < 0 || right >= width) continue;
            const T* pixel = x + ((n * height + down) * width + right) * channels;
            const T* weights = kernel + (long long)(u * kernel_width + v) * channels * outputs + o;
            for (int c = 0; c < channels; c++) sum += pixel[c] * weights[(long long)c * outputs];
        }
    y[place] = RELU && sum < 0 ? T(0) : sum;
}
INSTANTIATE(correlate<float, false>)  // registers: 40
INSTANTIATE(correlate<float, true>)  // registers: 40
INSTANTIATE(correlate<double, false>)  // registers: 40
INSTANTIATE(correlate<double, true>)  // registers: 40

// (3.42): dW[u,v,c,o] = sum over n,i,j of x[n, s i + u - top, s j + v - left, c] da[n,i,j,o]. A thread adds up one
// weight over the pixels of one part, [part * pixels_of_part, ...): there are far more pixels than threads would keep
// busy if there were one a weight alone. parts: (gridDim.z, weights); sum_of_parts adds them.
template <typename T>
__global__ void kernel_gradient(const T* __restrict__ x, const T* __restrict__ da, T* __restrict__ parts,
                                long long pixels, long long pixels_of_part, int height, int width, int channels,
                                int kernel_width, int rows, int out_height, int out_width, int outputs,
                                int stride_down, int stride_right, int top, int left) {
    long long weight = thread_of_grid(), weights = (long long)rows * outputs;
    if (weight >= weights) return;
    int o = weight % outputs, row = weight / outputs, c = row % channels, tap = row / channels;
    int u = tap / kernel_width, v = tap % kernel_width;
    long long begin = blockIdx.z * pixels_of_part, end = min(begin + pixels_of_part, pixels);
    T sum = 0;
    for (long long pixel = begin; pixel < end; pixel++) {
        Corner corner = corner_of(pixel, pixels, height, width, channels, out_height, out_width, stride_down,
                                  stride_right, top, left);
        if (meets(corner, u, v, height, width))
            sum += x[corner.first + ((long long)u * width + v) * channels + c] * da[pixel * outputs + o];
    }
    parts[blockIdx.z * weights + weight] = sum;
}
INSTANTIATE(kernel_gradient<float>)  // registers: 48
INSTANTIATE(kernel_gradient<double>)  // registers: 48

// Adds up what the blocks of a kernel gradient, or of a convolution whose depth is split (convolution_registers.cu),
// found, always in the order of the parts, so that the same numbers give the same bits: atomicAdd in place of this adds
// in the order in which blocks happen to end. Bias and ReLU wait until here, for sigma(a + b) is not sigma(a) +
// sigma(b). One thread a number of sums, (rows, outputs); parts: (count, rows, outputs). Neighbours read neighbours, a
// number is read once: 4 bytes for one addition, mostly from the L2 cache, to which the parts were just written.
template <typename T, bool RELU>
__global__ void sum_of_parts(const T* __restrict__ parts, const T* __restrict__ bias, T* __restrict__ sums,
                             long long numbers, int outputs, int count) {
    long long number = thread_of_grid();
    if (number >= numbers) return;
    T sum = parts[number];
    for (int part = 1; part < count; part++) sum += parts[part * numbers + number];
    if (bias) sum += bias[number % outputs];
    sums[number] = RELU && sum < 0 ? T(0) : sum;
}
INSTANTIATE(sum_of_parts<float, false>)  // registers: 32
INSTANTIATE(sum_of_parts<float, true>)  // registers: 32
INSTANTIATE(sum_of_parts<double, false>)  // registers: 32
INSTANTIATE(sum_of_parts<double, true>)  // registers: 32
