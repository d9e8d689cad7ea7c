// Max-pooling and its gradient, bound by memory. A thread of x has one place of a row, column and channel, c the
// fastest, so that neighbours read neighbours; y counts rows over all images. A thread takes several rows, gridDim.y
// apart, and divides by the number of channels once.

// y, place: (images out_height, out_width, channels); place may be null. SIZE: of a square window, known to the
// compiler, which then loads all of it at once; 0: as height and width say.
template <typename T, int SIZE>
__global__ void __launch_bounds__(256) max_pool(const T* __restrict__ x, T* __restrict__ y,
                                                unsigned char* __restrict__ place, int rows, int out_height,
                                                int out_width, int channels, int height, int width, int window_height,
                                                int window_width, int stride_down, int stride_right) {
    int k = blockIdx.x * blockDim.x + threadIdx.x, j = k / channels, c = k % channels;
    if (k >= out_width * channels) return;
    if (SIZE > 0) window_height = window_width = SIZE;
    for (int row = blockIdx.y; row < rows; row += gridDim.y) {
        long long top = row / out_height * (long long)height + row % out_height * stride_down;
        const T* corner = x + (top * width + (long long)j * stride_right) * channels + c;
        T largest = *corner;
        int of_largest = 0;
        for (int u = 0; u < window_height; u++)
            for (int v = 0; v < window_width; v++) {
                T pixel = corner[((long long)u * width + v) * channels];
                bool larger = pixel > largest;  // of equals the first stays
                if (larger || pixel != pixel) largest = pixel;  // NaN is never larger, nor is anything larger than it
                if (larger) of_largest = u * window_width + v;
            }
        long long i = row * (long long)out_width * channels + k;
        y[i] = largest;
        if (place) place[i] = of_largest;
    }
}
INSTANTIATE(max_pool<float, 2>)  // registers: 40
INSTANTIATE(max_pool<double, 2>)  // registers: 40
INSTANTIATE(max_pool<float, 0>)  // registers: 40
INSTANTIATE(max_pool<double, 0>)  // registers: 40

// dx: (images height, width, channels), one thread a number, which looks at all windows that hold its pixel: as places
// i with stride i <= row < stride i + window. A gather: windows that overlap would have to add into dx by atomics, in
// any order; this way each sum has one thread, and the definition's order, of the places in the window. Where windows
// do not overlap a dy is read by the threads of its window, next to each other: from memory once.
template <typename T>
__global__ void __launch_bounds__(256) max_pool_gradient(const T* __restrict__ dy,
                                                         const unsigned char* __restrict__ place, T* __restrict__ dx,
                                                         int rows, int out_height, int out_width, int channels,
                                                         int height, int width, int window_height, int window_width,
                                                         int stride_down, int stride_right) {
    int k = blockIdx.x * blockDim.x + threadIdx.x, right = k / channels, c = k % channels;
    if (k >= width * channels) return;
    int first_j = right < window_width ? 0 : (right - window_width) / stride_right + 1;
    int last_j = min(right / stride_right, out_width - 1);
    for (int row = blockIdx.y; row < rows; row += gridDim.y) {
        long long image = row / height;
        int down = row % height, first_i = down < window_height ? 0 : (down - window_height) / stride_down + 1;
        T sum = 0;
#pragma unroll 1
        for (int i = min(down / stride_down, out_height - 1); i >= first_i; i--)
#pragma unroll 1  // mostly one window
            for (int j = last_j; j >= first_j; j--) {
                long long window = ((image * out_height + i) * out_width + j) * channels + c;
                int own = (down - i * stride_down) * window_width + right - j * stride_right;
                if (place[window] == own) sum += dy[window];
            }
        dx[row * (long long)width * channels + k] = sum;
    }
}
INSTANTIATE(max_pool_gradient<float>)  // registers: 48
INSTANTIATE(max_pool_gradient<double>)  // registers: 48
