// Two tensors beside each other, or added up: bound by memory, every number is read and written once.

// y = [a, b] along channels: (rows, of_a + of_b). A thread stays with one channel of y, whose source it knows once.
template <typename T>
__global__ void __launch_bounds__(256) concatenate(const T* __restrict__ a, const T* __restrict__ b, T* __restrict__ y,
                                                   long long rows, long long rows_of_part, int of_a, int of_b) {
    Rows own = rows_of_thread(rows, rows_of_part, of_a + of_b);
    bool from_a = own.channel < of_a;
    const T* source = from_a ? a + own.channel : b + (own.channel - of_a);
    int channels = from_a ? of_a : of_b;
    for (long long row = own.first; row < own.end; row += own.slots)
        y[row * (of_a + of_b) + own.channel] = source[row * channels];
}
INSTANTIATE(concatenate<float>)  // registers: 32
INSTANTIATE(concatenate<double>)  // registers: 32

// One thread a number.
template <typename T>
__global__ void add(const T* __restrict__ a, const T* __restrict__ b, T* __restrict__ sum, long long count) {
    long long i = thread_of_grid();
    if (i < count) sum[i] = a[i] + b[i];
}
INSTANTIATE(add<float>)  // registers: 16
INSTANTIATE(add<double>)  // registers: 16
