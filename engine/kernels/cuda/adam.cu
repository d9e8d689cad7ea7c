// One step of Adam, lines 4 to 8 of Algorithm 3: seven numbers are read or written for some ten operations, so it is
// bound by memory. What is the same for all, 1 - beta^t for one, is computed on the host, in double.

// rest = 1 - beta, correction = 1 - beta^t.
template <typename T> struct Step {
    T learning_rate, beta1, rest1, correction1, beta2, rest2, correction2, epsilon;

    __device__ __forceinline__ void apply(T& parameter, T g, T& m1, T& m2) const {
        m1 = beta1 * m1 + rest1 * g;
        m2 = beta2 * m2 + rest2 * (g * g);
        parameter -= learning_rate * (m1 / correction1 / (sqrt(m2 / correction2) + epsilon));
    }
};

template <typename T>
__global__ void adam_update(T* __restrict__ parameter, const T* __restrict__ gradient, T* __restrict__ m1,
                            T* __restrict__ m2, long long count, T learning_rate, T beta1, T rest1, T correction1,
                            T beta2, T rest2, T correction2, T epsilon) {
    Step<T> step = {learning_rate, beta1, rest1, correction1, beta2, rest2, correction2, epsilon};
    long long i = thread_of_grid();
    if (i < count) step.apply(parameter[i], gradient[i], m1[i], m2[i]);
}
INSTANTIATE(adam_update<float>)  // registers: 32
INSTANTIATE(adam_update<double>)  // registers: 48

// All parameters in one launch, instead of one each, most of them biases of some bytes. arrays: (4, tensors) pointers,
// to parameters, gradients, m1s and m2s; counts: (tensors,) numbers each has; ends: (tensors,) which block is the first
// that works on none of the tensors up to here. A block looks for its tensor by halving, and has PER_BLOCK of its
// numbers.
template <typename T, int PER_BLOCK>
__global__ void __launch_bounds__(256) adam_update_all(T* const* __restrict__ arrays,
                                                       const long long* __restrict__ counts,
                                                       const long long* __restrict__ ends, int tensors, T learning_rate,
                                                       T beta1, T rest1, T correction1, T beta2, T rest2, T correction2,
                                                       T epsilon) {
    Step<T> step = {learning_rate, beta1, rest1, correction1, beta2, rest2, correction2, epsilon};
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
        step.apply(parameter[i], gradient[i], m1[i], m2[i]);
}
INSTANTIATE(adam_update_all<float, 1024>)  // registers: 48
INSTANTIATE(adam_update_all<double, 1024>)  // registers: 64
