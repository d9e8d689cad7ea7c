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
