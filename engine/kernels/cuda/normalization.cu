// Sums over all but the channels, and the passes of batch normalization over x: (rows, channels).
//
// All are bound by memory: a pass reads or writes 4 bytes for every one to six operations. So each reads its arrays
// once, in whole lines, and computes all that it can from a number while it is there: gradient_sums both sums, moments
// the mean and the squares about it. Two passes for the moments, as the formula has them, would take twice as long.
//
// Sums have one order, which the shape alone gives: a thread adds its rows one after the other, a block its threads by
// halves, each part of the rows gives a partial sum, (parts, channels), and the same kernel over those adds up the
// parts. No atomics, whose order is that of the day. A thread adds in T some hundred numbers; what it has goes on in
// double: a few operations beside its hundreds, and rounding stays that of hundreds of numbers, not of millions.

// sums: (parts, channels) of x, or of partial sums the sums themselves, which are one part.
template <typename T, typename Sum, int GROUP>
__global__ void __launch_bounds__(256) channel_sums(const T* __restrict__ x, Sum* __restrict__ sums, long long rows,
                                                    long long rows_of_part, int channels) {
    Rows own = rows_of_thread<GROUP>(rows, rows_of_part, channels);
    T of_rows = 0;
    for (long long row = own.first; row < own.end; row += own.slots) of_rows += x[row * channels + own.channel];
    double sum[1] = {of_rows};
    add_slots(sum, own);
    if (own.slot == 0) sums[blockIdx.x * (long long)channels + own.channel] = sum[0];
}
INSTANTIATE(channel_sums<float, double, 64>)  // registers: 40
INSTANTIATE(channel_sums<double, double, 64>)  // registers: 40
INSTANTIATE(channel_sums<double, float, 4>)  // registers: 40
INSTANTIATE(channel_sums<double, double, 4>)  // registers: 40

// sums: (parts, 2 channels), those of dy and behind them those of dy (x - centre).
template <typename T>
__global__ void __launch_bounds__(256) gradient_sums(const T* __restrict__ dy, const T* __restrict__ x,
                                                     const T* __restrict__ centre, double* __restrict__ sums,
                                                     long long rows, long long rows_of_part, int channels) {
    Rows own = rows_of_thread(rows, rows_of_part, channels);
    T c = centre[own.channel], of_dy = 0, of_products = 0;
    for (long long row = own.first; row < own.end; row += own.slots) {
        T d = dy[row * channels + own.channel];
        of_dy += d;
        of_products += d * (x[row * channels + own.channel] - c);
    }
    double both[2] = {of_dy, of_products};
    add_slots(both, own);
    if (own.slot > 0) return;
    sums[2ll * blockIdx.x * channels + own.channel] = both[0];
    sums[(2ll * blockIdx.x + 1) * channels + own.channel] = both[1];
}
INSTANTIATE(gradient_sums<float>)  // registers: 48
INSTANTIATE(gradient_sums<double>)  // registers: 48

// Moments of some numbers: how many, their mean, the sum of squares about it. Of two such, d the distance of the means,
//     count = count_a + count_b,   mean = mean_a + d count_b / count,
//     squares = squares_a + squares_b + d^2 count_a count_b / count
// (Chan, Golub and LeVeque 1983): nothing is taken from anything large, so that a large mean costs no digits.
struct Moments { double count, mean, squares; };
__device__ __forceinline__ Moments together(const Moments& a, const Moments& b) {
    if (b.count == 0) return a;
    if (a.count == 0) return b;
    double count = a.count + b.count, distance = b.mean - a.mean;
    return {count, a.mean + distance * (b.count / count),
            a.squares + b.squares + distance * distance * (a.count * b.count / count)};
}
// The moments of a block's slots together, in slot 0, as add_slots does it for sums.
__device__ __forceinline__ Moments slots_together(Moments moments, const Rows& own) {
    SHARED(double, counts, [ROW_THREADS]);
    SHARED(double, means, [ROW_THREADS]);
    SHARED(double, squares, [ROW_THREADS]);
    int place = threadIdx.x;
    for (int left = own.slots, half; left > 0; left = half) {
        counts[place] = moments.count, means[place] = moments.mean, squares[place] = moments.squares;
        __syncthreads();  // written
        half = left > 1 ? (left + 1) / 2 : 0;
        int other = place + half * own.width;
        if (own.slot < left - half && half > 0)
            moments = together(moments, {counts[other], means[other], squares[other]});
        __syncthreads();  // read
    }
    return moments;
}

// means, squares: (parts, channels). A thread adds up x - c and its square, where c is the first of its numbers: of n
// numbers one lies at most sqrt(n - 1) standard deviations from their mean, so that the difference
//     squares about the mean = sum of (x - c)^2 - (sum of (x - c))^2 / n
// loses at worst a factor n of some hundred, mostly none. Welford's recursion would divide once a number.
template <typename T>
__global__ void __launch_bounds__(256) moments(const T* __restrict__ x, double* __restrict__ means,
                                               double* __restrict__ squares, long long rows, long long rows_of_part,
                                               int channels) {
    Rows own = rows_of_thread(rows, rows_of_part, channels);
    T c = own.first < own.end ? x[own.first * channels + own.channel] : T(0), sum = 0, square = 0;
    double count = 0;
    for (long long row = own.first; row < own.end; row += own.slots) {
        T centred = x[row * channels + own.channel] - c;
        sum += centred;
        square += centred * centred;
        count++;
    }
    double shift = sum / count, rest = square - sum * shift;
    Moments all = slots_together({count, c + shift, rest < 0 ? 0 : rest}, own);
    if (own.slot > 0) return;
    means[blockIdx.x * (long long)channels + own.channel] = all.mean;
    squares[blockIdx.x * (long long)channels + own.channel] = all.squares;
}
INSTANTIATE(moments<float>)  // registers: 56
INSTANTIATE(moments<double>)  // registers: 56

// mean, variance: (channels,), from the moments of the parts; one block a group of channels.
template <typename T>
__global__ void __launch_bounds__(256) moments_of_parts(const double* __restrict__ means,
                                                        const double* __restrict__ squares, T* __restrict__ mean,
                                                        T* __restrict__ variance, long long rows,
                                                        long long rows_of_part, int parts, int channels) {
    Rows own = rows_of_thread<PART_CHANNELS>(parts, parts, channels);
    Moments all = {0, 0, 0};
    for (long long part = own.first; part < own.end; part += own.slots) {
        long long left = rows - part * rows_of_part;
        all = together(all, {double(left < rows_of_part ? left : rows_of_part), means[part * channels + own.channel],
                             squares[part * channels + own.channel]});
    }
    all = slots_together(all, own);
    if (own.slot > 0) return;
    mean[own.channel] = all.mean + 0 / all.count;  // the mean of nothing is no number
    variance[own.channel] = all.squares / all.count;
}
INSTANTIATE(moments_of_parts<float>)  // registers: 64
INSTANTIATE(moments_of_parts<double>)  // registers: 64

// y = (x - centre) scale + shift. The vectors are read once a thread, not once a number.
template <typename T>
__global__ void __launch_bounds__(256) scale_and_shift(const T* __restrict__ x, const T* __restrict__ centre,
                                                       const T* __restrict__ scale, const T* __restrict__ shift,
                                                       T* __restrict__ y, long long rows, long long rows_of_part,
                                                       int channels) {
    Rows own = rows_of_thread(rows, rows_of_part, channels);
    T c = centre[own.channel], factor = scale[own.channel], more = shift[own.channel];
    for (long long row = own.first; row < own.end; row += own.slots)
        y[row * channels + own.channel] = (x[row * channels + own.channel] - c) * factor + more;
}
INSTANTIATE(scale_and_shift<float>)  // registers: 40
INSTANTIATE(scale_and_shift<double>)  // registers: 40

// dx = dy dy_scale + (x - centre) x_scale + shift: batch norm's backward in one pass, 12 bytes a number in float32.
template <typename T>
__global__ void __launch_bounds__(256) combine(const T* __restrict__ dy, const T* __restrict__ x,
                                               const T* __restrict__ centre, const T* __restrict__ dy_scale,
                                               const T* __restrict__ x_scale, const T* __restrict__ shift,
                                               T* __restrict__ dx, long long rows, long long rows_of_part,
                                               int channels) {
    Rows own = rows_of_thread(rows, rows_of_part, channels);
    T c = centre[own.channel], of_dy = dy_scale[own.channel], of_x = x_scale[own.channel], more = shift[own.channel];
    for (long long row = own.first; row < own.end; row += own.slots) {
        long long i = row * channels + own.channel;
        dx[i] = dy[i] * of_dy + (x[i] - c) * of_x + more;
    }
}
INSTANTIATE(combine<float>)  // registers: 48
INSTANTIATE(combine<double>)  // registers: 48
