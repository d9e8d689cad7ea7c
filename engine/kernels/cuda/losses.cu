// The sums of the losses over a whole batch, each with all that goes with it in one pass over memory: predictions and
// targets are read once, where the formulas as array code would read and write some ten arrays of that size. Sums as in
// normalization.cu: of a thread, of a block by halves, of each part; that file's channel_sums adds up the parts. To
// rows_of_thread an array is (count, 1): one channel.

template <int COUNT>
__device__ __forceinline__ void keep_sums(double (&of_thread)[COUNT], const Rows& own, double* sums) {
    add_slots(of_thread, own);
    if (own.slot > 0) return;
    for (int k = 0; k < COUNT; k++) sums[blockIdx.x * COUNT + k] = of_thread[k];
}

// sums: (parts, 4), of p y, p + y, (1-p) (1-y), (1-p) + (1-y): Dice (3.43).
template <typename T>
__global__ void __launch_bounds__(256) overlap_sums(const T* __restrict__ p, const T* __restrict__ y,
                                                    double* __restrict__ sums, long long count, long long of_part) {
    Rows own = rows_of_thread(count, of_part, 1);
    T both = 0, all = 0, neither = 0, rest = 0;
    for (long long i = own.first; i < own.end; i += own.slots) {
        T a = p[i], b = y[i], not_a = 1 - a, not_b = 1 - b;
        both += a * b, all += a + b, neither += not_a * not_b, rest += not_a + not_b;
    }
    double four[4] = {both, all, neither, rest};
    keep_sums(four, own, sums);
}
INSTANTIATE(overlap_sums<float>)  // registers: 40
INSTANTIATE(overlap_sums<double>)  // registers: 48

// sums: (parts, 4), of (y - p)^2 y, y, (y - p)^2 (1-y), 1-y: sensitivity and specificity (3.49).
template <typename T>
__global__ void __launch_bounds__(256) error_sums(const T* __restrict__ p, const T* __restrict__ y,
                                                  double* __restrict__ sums, long long count, long long of_part) {
    Rows own = rows_of_thread(count, of_part, 1);
    T inside = 0, mask = 0, outside = 0, rest = 0;
    for (long long i = own.first; i < own.end; i += own.slots) {
        T b = y[i], square = (b - p[i]) * (b - p[i]);
        inside += square * b, mask += b, outside += square * (1 - b), rest += 1 - b;
    }
    double four[4] = {inside, mask, outside, rest};
    keep_sums(four, own, sums);
}
INSTANTIATE(error_sums<float>)  // registers: 40
INSTANTIATE(error_sums<double>)  // registers: 48

// sigmoid(z) and sigmoid(-z) from e = exp(-|z|) <= 1, which does not overflow.
template <typename T> __device__ __forceinline__ void both_sigmoids(T z, T e, T& p, T& q) {
    T large = 1 / (1 + e), small = e / (1 + e);
    p = z < 0 ? small : large, q = z < 0 ? large : small;
}
template <typename T>
__global__ void sigmoids(const T* __restrict__ z, T* __restrict__ p, T* __restrict__ q, long long count) {
    long long i = thread_of_grid();
    if (i < count) both_sigmoids(z[i], exp(z[i] < 0 ? z[i] : -z[i]), p[i], q[i]);
}
INSTANTIATE(sigmoids<float>)  // registers: 32
INSTANTIATE(sigmoids<double>)  // registers: 40

// sums: (parts, 1), of omega y ln(1 + exp(-z)) + (1 - y) ln(1 + exp(z)); gradient: (1 - y) sigmoid(z) - omega y
// sigmoid(-z).
template <typename T>
__global__ void __launch_bounds__(256) logistic_loss(const T* __restrict__ z, const T* __restrict__ y,
                                                     T* __restrict__ gradient, double* __restrict__ sums,
                                                     long long count, long long of_part, T omega) {
    Rows own = rows_of_thread(count, of_part, 1);
    T sum = 0;
    for (long long i = own.first; i < own.end; i += own.slots) {
        T logit = z[i], on = omega * y[i], off = 1 - y[i], e = exp(logit < 0 ? logit : -logit), rest = log1p(e), p, q;
        both_sigmoids(logit, e, p, q);
        sum += on * ((logit < 0 ? -logit : T(0)) + rest) + off * ((logit < 0 ? T(0) : logit) + rest);
        gradient[i] = off * p - on * q;
    }
    double total[1] = {sum};
    keep_sums(total, own, sums);
}
INSTANTIATE(logistic_loss<float>)  // registers: 48
INSTANTIATE(logistic_loss<double>)  // registers: 72

// sums: (parts, 1), of -y ln softmax(z); gradient: p sum_k y_k - y; z, y, gradient: (rows, classes). One thread a row:
// the classes are few, and what a row's exponentials are divided by is needed for all of them.
template <typename T>
__global__ void __launch_bounds__(256) softmax_loss(const T* __restrict__ z, const T* __restrict__ y,
                                                    T* __restrict__ gradient, double* __restrict__ sums, long long rows,
                                                    long long rows_of_part, int classes) {
    Rows own = rows_of_thread(rows, rows_of_part, 1);
    T sum = 0;
    for (long long row = own.first; row < own.end; row += own.slots) {
        const T *logits = z + row * classes, *target = y + row * classes;
        T largest = logits[0], total = 0, targets = 0;
        for (int k = 1; k < classes; k++)
            if (logits[k] > largest) largest = logits[k];  // a NaN comes in by the total
        for (int k = 0; k < classes; k++) total += exp(logits[k] - largest), targets += target[k];
        T log_total = log(total);
        for (int k = 0; k < classes; k++) {
            T shifted = logits[k] - largest;
            sum -= target[k] * (shifted - log_total);
            gradient[row * classes + k] = exp(shifted) / total * targets - target[k];
        }
    }
    double total[1] = {sum};
    keep_sums(total, own, sums);
}
INSTANTIATE(softmax_loss<float>)  // registers: 64
INSTANTIATE(softmax_loss<double>)  // registers: 72
