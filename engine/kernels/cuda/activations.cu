// ReLU and the element by element part of its gradient. One thread a number.

template <typename T> __global__ void relu(const T* __restrict__ a, T* __restrict__ o, long long count) {
    long long i = thread_of_grid();
    if (i < count) o[i] = a[i] < 0 ? 0 : a[i];  // not max: NaN stays NaN
}
INSTANTIATE(relu<float>)  // registers: 16
INSTANTIATE(relu<double>)  // registers: 16

template <typename T>
__global__ void relu_gradient(const T* __restrict__ d_o, const T* __restrict__ o, T* __restrict__ da, long long count) {
    long long i = thread_of_grid();
    if (i < count) da[i] = d_o[i] * (o[i] > 0);  // not a choice: infinity times 0 is NaN, as in the definition
}
INSTANTIATE(relu_gradient<float>)  // registers: 16
INSTANTIATE(relu_gradient<double>)  // registers: 16
