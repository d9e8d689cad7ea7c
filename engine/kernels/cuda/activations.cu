// ReLU, one thread a number, and its gradient with the sums of it.

template <typename T> __global__ void relu(const T* __restrict__ a, T* __restrict__ o, long long count) {
    long long i = thread_of_grid();
    if (i < count) o[i] = a[i] < 0 ? 0 : a[i];  // not max: NaN stays NaN
}
INSTANTIATE(relu<float>)  // registers: 16
INSTANTIATE(relu<double>)  // registers: 16

// da = do [o > 0] and, from the same numbers, its sums over all but the channels: (parts, channels), the gradient of
// the bias; normalization.cu says how sums are made, and adds up the parts. 12 bytes a number in float32; a pass of its
// own for the sums would read da again, 16.
template <typename T>
__global__ void __launch_bounds__(256) relu_gradient(const T* __restrict__ d_o, const T* __restrict__ o,
                                                     T* __restrict__ da, double* __restrict__ sums, long long rows,
                                                     long long rows_of_part, int channels) {
    Rows own = rows_of_thread(rows, rows_of_part, channels);
    T sum = 0;
    for (long long row = own.first; row < own.end; row += own.slots) {
        long long i = row * channels + own.channel;
        T product = d_o[i] * (o[i] > 0);  // not a choice: infinity times 0 is NaN, as in the definition
        da[i] = product;
        sum += product;
    }
    double total[1] = {sum};
    add_slots(total, own);
    if (own.slot == 0) sums[blockIdx.x * (long long)channels + own.channel] = total[0];
}
INSTANTIATE(relu_gradient<float>)  // registers: 40
INSTANTIATE(relu_gradient<double>)  // registers: 40
