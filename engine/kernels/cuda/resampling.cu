// Pixels repeated, and the gradient of that: bound by memory. As in pooling.cu a thread of x has one place of a row,
// column and channel, so that neighbours write to neighbours; y counts rows over all images, of which a thread takes
// several.

// y: (rows, width factor, channels); an image has factor times as many rows as x.
template <typename T>
__global__ void __launch_bounds__(256) upsample(const T* __restrict__ x, T* __restrict__ y, int rows, int width,
                                                int channels, int factor) {
    int k = blockIdx.x * blockDim.x + threadIdx.x, source = k / channels / factor * channels + k % channels;
    if (k >= width * factor * channels) return;
    for (int row = blockIdx.y; row < rows; row += gridDim.y)
        y[row * (long long)(width * factor * channels) + k] = x[row / factor * (long long)(width * channels) + source];
}
INSTANTIATE(upsample<float>)  // registers: 32
INSTANTIATE(upsample<double>)  // registers: 32

// dx[n,i,j,c] = sum over u,v of dy[n, factor i + u, factor j + v, c], dx: (rows, width, channels). The copies of a
// pixel lie next to each other and in the next rows: threads side by side read whole lines between them.
template <typename T>
__global__ void __launch_bounds__(256) upsample_gradient(const T* __restrict__ dy, T* __restrict__ dx, int rows,
                                                         int width, int channels, int factor) {
    int k = blockIdx.x * blockDim.x + threadIdx.x, first = k / channels * factor * channels + k % channels;
    if (k >= width * channels) return;
    for (int row = blockIdx.y; row < rows; row += gridDim.y) {
        T sum = 0;
        for (int u = 0; u < factor; u++) {
            const T* copies = dy + (row * (long long)factor + u) * width * factor * channels + first;
            for (int v = 0; v < factor; v++) sum += copies[v * channels];
        }
        dx[row * (long long)(width * channels) + k] = sum;
    }
}
INSTANTIATE(upsample_gradient<float>)  // registers: 40
INSTANTIATE(upsample_gradient<double>)  // registers: 40
