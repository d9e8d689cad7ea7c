// Convolutions, the third rung: the implicit matrix product of convolution_tiles.cu, with many results a thread.
//
// A block of 128 threads computes HIGH pixels x 64 channels (HIGH: 128 in float, 64 in double), a thread 8 x 8 of them
// (4 x 8 in double), whose sums stay in registers. For each of the 8 places of a step it reads 8 numbers of A and 8 of
// W from shared memory, four at a time, and multiplies each with each: 64 multiplications for 16 numbers, where the
// second rung had one for two. Each number from global memory is used 64 or 128 times: 128 x 64 x 2 FLOP for 128 + 64
// numbers of 4 bytes are 21 FLOP a byte (64 x 64 x 2 for 128 of 8 bytes, 8, in double, which is computed at half the
// speed): about where a GPU's memory and its arithmetic take the same time. Blocks that follow each other have the same
// pixels and other channels: memory gives x once, and the L2 cache the rest.
//
// The numbers of the next step are read to registers before this one's are multiplied, so that the way from memory is
// covered by arithmetic. Up to 168 registers a thread in float let three blocks, 12 warps, stand on a multiprocessor,
// up to 255 in double two: few, but 64 independent sums a thread hide what more warps would.
//
// Split-K: 16 pixels of a last stage with 512 channels are 8 such blocks, while the sum over (u, v, c) is 4608 places
// deep. So the depth is split into parts, blockIdx.z, of depth_of_part places; each writes its sums to a workspace,
// (parts, pixels, outputs), that y then is, without bias and ReLU, and sum_of_parts of convolution.cu adds them in order
// and does both. convolution_parts.py says how many parts there are; mostly it is one, and y the result.
//
// WIDTH: 4 where channels and outputs are multiples of 4: four numbers that lie side by side are of one place (u, v)
// and are read and written at once; 1 for everything else.

template <typename T, int WIDTH, bool RELU>
__global__ void __launch_bounds__(128, sizeof(T) == 4 ? 3 : 2)
correlate_registers(const T* __restrict__ x, const T* __restrict__ kernel, const T* __restrict__ bias,
                    T* __restrict__ y, long long pixels, int height, int width, int channels, int kernel_width,
                    int depth, int depth_of_part, int out_height, int out_width, int outputs, int stride_down,
                    int stride_right, int top, int left) {
    constexpr int THREADS = 128, HIGH = sizeof(T) == 4 ? 128 : 64, WIDE = 64, DEEP = 8, ROWS = HIGH / 64;
    constexpr int READS_A = HIGH * DEEP / THREADS / WIDTH, READS_W = WIDE * DEEP / THREADS / WIDTH;
    SHARED(Corner, corners, [HIGH]);
    SHARED(Four<T>, tile_a, [DEEP][HIGH / 4 + 1]);  // by place, then by pixel
    SHARED(Four<T>, tile_w, [DEEP][WIDE / 4]);
    const int thread = threadIdx.x, row = thread / 8, column = thread % 8;
    const int across = (outputs + WIDE - 1) / WIDE, first_output = blockIdx.x % across * WIDE;
    const long long first_pixel = blockIdx.x / across * (long long)HIGH;
    const int begin = blockIdx.z * depth_of_part, end = min(begin + depth_of_part, depth);
    if (thread < HIGH)
        corners[thread] = corner_of(first_pixel + thread, pixels, height, width, channels, out_height, out_width,
                                    stride_down, stride_right, top, left);
    __syncthreads();  // the corners are there

    T next_a[READS_A][WIDTH], next_w[READS_W][WIDTH];
    auto read = [&](int first) {
        const int place = first + thread * WIDTH % DEEP, tap = place / channels;
        const int u = tap / kernel_width, v = tap % kernel_width;
        const long long offset = ((long long)u * width + v) * channels + place % channels;
#pragma unroll
        for (int l = 0; l < READS_A; l++) {
            const Corner& corner = corners[(l * THREADS + thread) * WIDTH / DEEP];
            const bool valid = place < end && meets(corner, u, v, height, width);
            const T* from = x + (valid ? corner.first + offset : 0);
            if constexpr (WIDTH == 4) {
                Four<T> four = valid ? *reinterpret_cast<const Four<T>*>(from) : Four<T>{};
#pragma unroll
                for (int q = 0; q < 4; q++) next_a[l][q] = four.v[q];
            } else {
                next_a[l][0] = valid ? *from : T(0);
            }
        }
#pragma unroll
        for (int l = 0; l < READS_W; l++) {
            const int number = (l * THREADS + thread) * WIDTH, k = first + number / WIDE;
            const int o = first_output + number % WIDE;
            const bool valid = k < end && o < outputs;
            const T* from = kernel + (valid ? k * (long long)outputs + o : 0);
            if constexpr (WIDTH == 4) {
                Four<T> four = valid ? *reinterpret_cast<const Four<T>*>(from) : Four<T>{};
#pragma unroll
                for (int q = 0; q < 4; q++) next_w[l][q] = four.v[q];
            } else {
                next_w[l][0] = valid ? *from : T(0);
            }
        }
    };
    auto store = [&]() {
#pragma unroll
        for (int l = 0; l < READS_A; l++)
#pragma unroll
            for (int q = 0; q < WIDTH; q++) {
                const int pixel = (l * THREADS + thread) * WIDTH / DEEP;
                tile_a[thread * WIDTH % DEEP + q][pixel / 4].v[pixel % 4] = next_a[l][q];
            }
#pragma unroll
        for (int l = 0; l < READS_W; l++)
#pragma unroll
            for (int q = 0; q < WIDTH; q++) {
                const int number = (l * THREADS + thread) * WIDTH;
                tile_w[number / WIDE][number % WIDE / 4].v[number % 4 + q] = next_w[l][q];
            }
    };

    // Of pixels (r * 16 + row) * 4 + p and channels (h * 8 + column) * 4 + q.
    T sums[ROWS][4][2][4];
#pragma unroll
    for (int h = 0; h < 2; h++)
#pragma unroll
        for (int q = 0; q < 4; q++) {
            const int o = first_output + (h * 8 + column) * 4 + q;
            const T start = bias && o < outputs ? bias[o] : T(0);
#pragma unroll
            for (int r = 0; r < ROWS; r++)
#pragma unroll
                for (int p = 0; p < 4; p++) sums[r][p][h][q] = start;
        }
    read(begin);
    for (int first = begin; first < end; first += DEEP) {
        store();
        __syncthreads();  // the tiles are filled
        if (first + DEEP < end) read(first + DEEP);
#pragma unroll
        for (int k = 0; k < DEEP; k++) {
            const Four<T> w[2] = {tile_w[k][column], tile_w[k][8 + column]};
#pragma unroll
            for (int r = 0; r < ROWS; r++) {
                const Four<T> a = tile_a[k][r * 16 + row];
#pragma unroll
                for (int p = 0; p < 4; p++)
#pragma unroll
                    for (int h = 0; h < 2; h++)
#pragma unroll
                        for (int q = 0; q < 4; q++) sums[r][p][h][q] += a.v[p] * w[h].v[q];
            }
        }
        __syncthreads();  // and read
    }
    T* const to = y + blockIdx.z * pixels * outputs;
#pragma unroll
    for (int r = 0; r < ROWS; r++)
#pragma unroll
        for (int p = 0; p < 4; p++) {
            const long long pixel = first_pixel + (r * 16 + row) * 4 + p;
            if (pixel >= pixels) continue;
#pragma unroll
            for (int h = 0; h < 2; h++) {
                const int o = first_output + (h * 8 + column) * 4;
                Four<T> four;
#pragma unroll
                for (int q = 0; q < 4; q++) {
                    const T sum = sums[r][p][h][q];
                    four.v[q] = RELU && sum < 0 ? T(0) : sum;
                    if (WIDTH == 1 && o + q < outputs) to[pixel * outputs + o + q] = four.v[q];
                }
                if (WIDTH == 4 && o < outputs) *reinterpret_cast<Four<T>*>(to + pixel * outputs + o) = four;
            }
        }
}
INSTANTIATE(correlate_registers<float, 1, false>)  // registers: 168
INSTANTIATE(correlate_registers<float, 1, true>)  // registers: 168
INSTANTIATE(correlate_registers<float, 4, false>)  // registers: 168
INSTANTIATE(correlate_registers<float, 4, true>)  // registers: 168
INSTANTIATE(correlate_registers<double, 1, false>)  // registers: 192
INSTANTIATE(correlate_registers<double, 1, true>)  // registers: 192
INSTANTIATE(correlate_registers<double, 4, false>)  // registers: 192
INSTANTIATE(correlate_registers<double, 4, true>)  // registers: 192
