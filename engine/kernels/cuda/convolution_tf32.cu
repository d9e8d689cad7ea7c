// Convolutions, the fourth rung: the implicit matrix product of convolution_tiles.cu on tensor cores, in TF32.
//
// A tensor core multiplies (16, 8) by (8, 8) numbers in one instruction of a warp: six to eight times as many FLOP a
// second as ordinary arithmetic. It reads numbers of x and W to 10 bits of fraction (TF32: relative error up to 2^-11,
// which to_tf32 makes by rounding) and adds in float. Nobody is given it unasked: see precision.py.
//
// A block of 8 warps computes 128 pixels x WIDE channels, a warp 32 x WIDE / 2. WIDE is 64, or 128 where there are more
// than 64 channels: at this speed what limits is how fast the L2 cache gives numbers, and 128 x 128 x 2 FLOP for 128 +
// 128 numbers are 32 FLOP a byte, where 128 x 64 have 21.
//
// A step is 32 places deep and is brought by cp.async, which copies from global to shared memory without passing
// through registers, so that a thread asks for what it will need two steps later and goes on. Three stages in a ring:
// one is multiplied, two are on their way. They take 81 KB (WIDE 64) or 105 KB (128), so that two blocks, 16 warps,
// stand on a multiprocessor (WIDE 128 on an A100: one). One barrier a step is enough: what it orders is that all copies
// of this stage have arrived, and that all threads have read the stage that the next copies overwrite, that of the step
// before.
//
// Where there are few pixels, the depth is split into parts, blockIdx.z, as in convolution_registers.cu: of 8 steps or
// more (the last one maybe of fewer), so that two that fill the ring are a small part.
//
// Rows of 36 and of WIDE + 8 numbers: the 32 lanes of a warp, which read 8 rows of A (bank 36 g + t) or 4 of W (8 t +
// g), then meet 32 different banks of shared memory. channels and outputs are multiples of 4, so that 16 bytes are
// copied.

template <int WIDE, bool RELU>
__global__ void __launch_bounds__(256, 2)
correlate_tf32(const float* __restrict__ x, const float* __restrict__ kernel, const float* __restrict__ bias,
               float* __restrict__ y, long long pixels, int height, int width, int channels, int kernel_width,
               int depth, int depth_of_part, int out_height, int out_width, int outputs, int stride_down,
               int stride_right, int top, int left) {
    constexpr int HIGH = 128, DEEP = 32, STAGES = 3, ROW_A = DEEP + 4, ROW_W = WIDE + 8;
    constexpr int COLUMNS = WIDE / 16, COPIES_W = DEEP * WIDE / 4 / 256;
    DYNAMIC_SHARED(float, memory);  // STAGES * (HIGH * ROW_A + DEEP * ROW_W) numbers
    float *stages_a = memory, *stages_w = memory + STAGES * HIGH * ROW_A;
    const int thread = threadIdx.x, lane = thread % 32, warp = thread / 32, g = lane / 4, t = lane % 4;
    const int warp_row = warp % 4 * 32, warp_column = warp / 4 * (WIDE / 2);
    const int across = (outputs + WIDE - 1) / WIDE, first_output = blockIdx.x % across * WIDE;
    const long long first_pixel = blockIdx.x / across * (long long)HIGH;
    const int begin = blockIdx.z * depth_of_part, end = min(begin + depth_of_part, depth);
    const int row = thread / 8, within = thread % 8 * 4;

    Corner corners[4];  // of the pixels that this thread copies
#pragma unroll
    for (int l = 0; l < 4; l++)
        corners[l] = corner_of(first_pixel + row + 32 * l, pixels, height, width, channels, out_height, out_width,
                               stride_down, stride_right, top, left);
    auto copy = [&](int first) {
        if (first < end) {
            const int stage = first / DEEP % STAGES, place = first + within, tap = place / channels;
            const int u = tap / kernel_width, v = tap % kernel_width;
            const long long offset = ((long long)u * width + v) * channels + place % channels;
            float* const to_a = stages_a + stage * HIGH * ROW_A;
#pragma unroll
            for (int l = 0; l < 4; l++) {
                const bool valid = place < end && meets(corners[l], u, v, height, width);
                cp_async<16>(to_a + (row + 32 * l) * ROW_A + within, x + (valid ? corners[l].first + offset : 0),
                             valid);
            }
            float* const to_w = stages_w + stage * DEEP * ROW_W;
#pragma unroll
            for (int l = 0; l < COPIES_W; l++) {
                const int number = (l * 256 + thread) * 4, k = number / WIDE, o = number % WIDE;
                const bool valid = first + k < end && first_output + o < outputs;
                cp_async<16>(to_w + k * ROW_W + o,
                             kernel + (valid ? (first + k) * (long long)outputs + first_output + o : 0), valid);
            }
        }
        cp_async_commit();  // a group a step, with nothing in it behind the last
    };

    float sums[2][COLUMNS][4] = {};
    copy(begin);
    copy(begin + DEEP);
    for (int first = begin; first < end; first += DEEP) {
        cp_async_wait<STAGES - 2>();
        __syncthreads();  // this stage is there, and the one before it is read
        copy(first + (STAGES - 1) * DEEP);
        const float* from_a = stages_a + first / DEEP % STAGES * HIGH * ROW_A + warp_row * ROW_A;
        const float* from_w = stages_w + first / DEEP % STAGES * DEEP * ROW_W + warp_column;
#pragma unroll
        for (int k = 0; k < DEEP; k += 8) {
            unsigned a[2][4], w[COLUMNS][2];
#pragma unroll
            for (int i = 0; i < 2; i++) {
                const float* from = from_a + (16 * i + g) * ROW_A + k + t;
                a[i][0] = to_tf32(from[0]), a[i][1] = to_tf32(from[8 * ROW_A]);
                a[i][2] = to_tf32(from[4]), a[i][3] = to_tf32(from[8 * ROW_A + 4]);
            }
#pragma unroll
            for (int j = 0; j < COLUMNS; j++) {
                const float* from = from_w + (k + t) * ROW_W + 8 * j + g;
                w[j][0] = to_tf32(from[0]), w[j][1] = to_tf32(from[4 * ROW_W]);
            }
#pragma unroll
            for (int i = 0; i < 2; i++)
#pragma unroll
                for (int j = 0; j < COLUMNS; j++) mma_tf32(sums[i][j], a[i], w[j]);
        }
    }
    float* const to = y + blockIdx.z * pixels * outputs;
#pragma unroll
    for (int i = 0; i < 2; i++)
#pragma unroll
        for (int j = 0; j < COLUMNS; j++)
#pragma unroll
            for (int half = 0; half < 2; half++) {
                const long long pixel = first_pixel + warp_row + 16 * i + g + 8 * half;
                const int o = first_output + warp_column + 8 * j + 2 * t;
                if (pixel >= pixels || o >= outputs) continue;
                float left_sum = sums[i][j][2 * half], right_sum = sums[i][j][2 * half + 1];
                if (bias) left_sum += bias[o], right_sum += bias[o + 1];
                if (RELU && left_sum < 0) left_sum = 0;
                if (RELU && right_sum < 0) right_sum = 0;
                *reinterpret_cast<float2*>(to + pixel * outputs + o) = make_float2(left_sum, right_sum);
            }
}
INSTANTIATE(correlate_tf32<64, false>)  // registers: 128
INSTANTIATE(correlate_tf32<64, true>)  // registers: 128
INSTANTIATE(correlate_tf32<128, false>)  // registers: 128
INSTANTIATE(correlate_tf32<128, true>)  // registers: 128
