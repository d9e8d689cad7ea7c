// One step of Adam, (3.17) to line 8 of Algorithm 3: seven numbers of memory for some ten operations, bound by memory.
// What does not depend on the number, 1 - beta^t for one, is computed on the host, in double.

template <typename T>
__device__ __forceinline__ void step_of_adam(T* parameter, const T* gradient, T* m1, T* m2, long long i, T learning_rate,
                                             T beta1, T rest1, T correction1, T beta2, T rest2, T correction2, T epsilon) {
    T g = gradient[i];
    T mean = beta1 * m1[i] + rest1 * g, square = beta2 * m2[i] + rest2 * (g * g);
    m1[i] = mean, m2[i] = square;
    parameter[i] -= learning_rate * (mean / correction1 / (sqrt(square / correction2) + epsilon));
}

template <typename T>
__global__ void adam_update(T* __restrict__ parameter, const T* __restrict__ gradient, T* __restrict__ m1,
                            T* __restrict__ m2, long long count, T learning_rate, T beta1, T rest1, T correction1, T beta2,
                            T rest2, T correction2, T epsilon) {
    long long i = thread_of_grid();
    if (i < count)
        step_of_adam(parameter, gradient, m1, m2, i, learning_rate, beta1, rest1, correction1, beta2, rest2, correction2,
                     epsilon);
}
INSTANTIATE(adam_update<float>)  // registers: 32
INSTANTIATE(adam_update<double>)  // registers: 48

// All parameters in one launch, instead of one each, most of them biases of some bytes. arrays: (4, tensors) pointers, to
// parameters, gradients, m1s and m2s; counts: (tensors,) numbers each has; ends: (tensors,) which block is the first that
// works on none of the tensors up to here. A block looks for its tensor by halving, and has PER_BLOCK of its numbers.
template <typename T, int PER_BLOCK>
__global__ void __launch_bounds__(256) adam_update_all(T* const* __restrict__ arrays, const long long* __restrict__ counts,
                                                       const long long* __restrict__ ends, int tensors, T learning_rate,
                                                       T beta1, T rest1, T correction1, T beta2, T rest2, T correction2,
                                                       T epsilon) {
    int tensor = 0;  // the first whose end lies behind this block
    for (int last = tensors - 1; tensor < last;) {
        int middle = (tensor + last) / 2;
        if (ends[middle] > blockIdx.x) last = middle;
        else tensor = middle + 1;
    }
    long long first = (blockIdx.x - (tensor > 0 ? ends[tensor - 1] : 0)) * PER_BLOCK, count = counts[tensor];
    T *parameter = arrays[tensor], *m1 = arrays[2 * tensors + tensor], *m2 = arrays[3 * tensors + tensor];
    const T* gradient = arrays[tensors + tensor];
    for (long long i = first + threadIdx.x; i < first + PER_BLOCK && i < count; i += blockDim.x)
        step_of_adam(parameter, gradient, m1, m2, i, learning_rate, beta1, rest1, correction1, beta2, rest2, correction2,
                     epsilon);
}
INSTANTIATE(adam_update_all<float, 1024>)  // registers: 48
INSTANTIATE(adam_update_all<double, 1024>)  // registers: 64
