// The plain convolution, the first rung: one thread an output, which reads all that it needs from global memory.
// y[n,i,j,o] = sigma(b[o] + sum over u,v,c of x[n, s i + u - top, s j + v - left, c] W[u,v,c,o]), 0 outside x.

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
