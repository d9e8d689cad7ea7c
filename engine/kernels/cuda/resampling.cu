// Pixels repeated. One thread a number of the result, so that neighbours write to neighbours.

template <typename T>
__global__ void upsample(const T* __restrict__ x, T* __restrict__ y, long long count, int width, int channels, int factor) {
    long long i = thread_of_grid();
    if (i >= count) return;
    long long pixel = i / channels, row = pixel / (width * factor);  // of y, over all images
    int c = i % channels, column = pixel % (width * factor);
    y[i] = x[((row / factor) * width + column / factor) * channels + c];  // an image has factor times as many rows
}
INSTANTIATE(upsample<float>)  // registers: 32
INSTANTIATE(upsample<double>)  // registers: 32
