// The kernel gradient (3.42) as an implicit product of matrices with many results a thread: dW = A^T da, where A is the
// matrix of convolution_tiles.cu, which is not written here either. The result has a row for every place (u, v, c) of
// the kernel and a column for every output channel; the sum runs over all pixels.
//
// As in convolution_registers.cu a block of 128 threads computes HIGH x 64 results, a thread 8 x 8 or 4 x 8 of them,
// from tiles in shared memory, of 8 pixels a step: 21 FLOP a byte in float, 8 in double. Here A and da have pixels as
// rows, and so have the tiles: nothing is turned round. Where the pixels of the next steps lie, 8 threads compute two
// steps ahead: their divisions would cost every thread more than its multiplications.
//
// Split-K: 9 x 64 x 64 weights of a first stage are only 5 such blocks (in float), far fewer than a GPU has
// multiprocessors, while the sum runs over 800000 pixels. So the pixels are split into parts, blockIdx.z, each of which
// writes what it found to a workspace, (parts, rows, outputs), and sum_of_parts of convolution.cu adds them in order:
// some 10 MB are written and read, beside the many passes over x and da.
//
// WIDTH: 4 where channels and outputs are multiples of 4, so that four numbers are read at once; 1 for everything else.

template <typename T, int WIDTH>
__global__ void __launch_bounds__(128, sizeof(T) == 4 ? 3 : 2)
gradient_registers(const T* __restrict__ x, const T* __restrict__ da, T* __restrict__ parts, long long pixels,
                   long long pixels_of_part, int height, int width, int channels, int kernel_width, int rows,
                   int out_height, int out_width, int outputs, int stride_down, int stride_right, int top, int left) {
    constexpr int THREADS = 128, HIGH = sizeof(T) == 4 ? 128 : 64, WIDE = 64, DEEP = 8, ROWS = HIGH / 64;
    constexpr int READS_A = HIGH * DEEP / THREADS / WIDTH, READS_D = WIDE * DEEP / THREADS / WIDTH;
    SHARED(Corner, corners, [2][DEEP]);  // of this step's pixels and of the next one's
    SHARED(Four<T>, tile_a, [DEEP][HIGH / 4]);
    SHARED(Four<T>, tile_d, [DEEP][WIDE / 4]);
    const int thread = threadIdx.x, row = thread / 8, column = thread % 8;
    const int first_row = blockIdx.x * HIGH, first_output = blockIdx.y * WIDE;
    const long long begin = blockIdx.z * pixels_of_part, end = min(begin + pixels_of_part, pixels);
    auto find = [&](long long first) {
        if (thread < DEEP)
            corners[(first - begin) / DEEP % 2][thread] = corner_of(first + thread, end, height, width, channels,
                out_height, out_width, stride_down, stride_right, top, left);
    };
    // All numbers of A that this thread reads are of one row (of four) of the result: of one place of the kernel.
    const int place = first_row + thread * WIDTH % HIGH, tap = place / channels;
    const int u = tap / kernel_width, v = tap % kernel_width;
    const long long offset = ((long long)u * width + v) * channels + place % channels;

    T next_a[READS_A][WIDTH], next_d[READS_D][WIDTH];
    auto read = [&](long long first) {
#pragma unroll
        for (int l = 0; l < READS_A; l++) {
            const Corner& corner = corners[(first - begin) / DEEP % 2][(l * THREADS + thread) * WIDTH / HIGH];
            const bool valid = place < rows && meets(corner, u, v, height, width);
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
        for (int l = 0; l < READS_D; l++) {
            const int number = (l * THREADS + thread) * WIDTH, o = first_output + number % WIDE;
            const long long pixel = first + number / WIDE;
            const bool valid = pixel < end && o < outputs;
            const T* from = da + (valid ? pixel * outputs + o : 0);
            if constexpr (WIDTH == 4) {
                Four<T> four = valid ? *reinterpret_cast<const Four<T>*>(from) : Four<T>{};
#pragma unroll
                for (int q = 0; q < 4; q++) next_d[l][q] = four.v[q];
            } else {
                next_d[l][0] = valid ? *from : T(0);
            }
        }
    };
    auto store = [&]() {
#pragma unroll
        for (int l = 0; l < READS_A; l++)
#pragma unroll
            for (int q = 0; q < WIDTH; q++) {
                const int number = (l * THREADS + thread) * WIDTH;
                tile_a[number / HIGH][number % HIGH / 4].v[number % 4 + q] = next_a[l][q];
            }
#pragma unroll
        for (int l = 0; l < READS_D; l++)
#pragma unroll
            for (int q = 0; q < WIDTH; q++) {
                const int number = (l * THREADS + thread) * WIDTH;
                tile_d[number / WIDE][number % WIDE / 4].v[number % 4 + q] = next_d[l][q];
            }
    };

    T sums[ROWS][4][2][4] = {};  // of rows (r * 16 + row) * 4 + p and channels (h * 8 + column) * 4 + q
    find(begin);
    find(begin + DEEP);
    __syncthreads();  // the corners are there
    read(begin);
    for (long long first = begin; first < end; first += DEEP) {
        store();
        __syncthreads();  // the tiles are filled
        find(first + 2 * DEEP);  // in the place of this step's corners, which were read before the barrier
        if (first + DEEP < end) read(first + DEEP);
#pragma unroll
        for (int k = 0; k < DEEP; k++) {
            const Four<T> d[2] = {tile_d[k][column], tile_d[k][8 + column]};
#pragma unroll
            for (int r = 0; r < ROWS; r++) {
                const Four<T> a = tile_a[k][r * 16 + row];
#pragma unroll
                for (int p = 0; p < 4; p++)
#pragma unroll
                    for (int h = 0; h < 2; h++)
#pragma unroll
                        for (int q = 0; q < 4; q++) sums[r][p][h][q] += a.v[p] * d[h].v[q];
            }
        }
        __syncthreads();  // and read
    }
    T* const to = parts + (long long)blockIdx.z * rows * outputs;
#pragma unroll
    for (int r = 0; r < ROWS; r++)
#pragma unroll
        for (int p = 0; p < 4; p++) {
            const int of_row = first_row + (r * 16 + row) * 4 + p;
            if (of_row >= rows) continue;
#pragma unroll
            for (int h = 0; h < 2; h++) {
                const int o = first_output + (h * 8 + column) * 4;
                Four<T> four;
#pragma unroll
                for (int q = 0; q < 4; q++) {
                    four.v[q] = sums[r][p][h][q];
                    if (WIDTH == 1 && o + q < outputs) to[of_row * (long long)outputs + o + q] = four.v[q];
                }
                if (WIDTH == 4 && o < outputs) *reinterpret_cast<Four<T>*>(to + of_row * (long long)outputs + o) = four;
            }
        }
}
INSTANTIATE(gradient_registers<float, 1>)  // registers: 168
INSTANTIATE(gradient_registers<float, 4>)  // registers: 168
INSTANTIATE(gradient_registers<double, 1>)  // registers: 192
INSTANTIATE(gradient_registers<double, 4>)  // registers: 192
