// The kernel gradient (3.42), dW = A^T da of convolution_gradient.cu with its split into parts, on tensor cores in
// TF32.
//
// The pipeline and WIDE are those of convolution_tf32.cu: 8 warps compute 128 rows x WIDE channels, 32 pixels a step,
// in a ring of three stages that cp.async fills. Both stages have pixels as rows, of 136 and WIDE + 8 numbers: a warp,
// which reads 4 rows of each (bank 8 t + g), meets 32 different banks. Where pixels lie is computed by one warp, ahead
// of the copies; a thread copies for one place of the kernel (four channels of it) only, so that nothing else has to be
// divided. 79 KB of shared memory (WIDE 64) or 103 KB (128) and at most 128 registers let two blocks stand on a
// multiprocessor. channels and outputs are multiples of 4.

template <int WIDE>
__global__ void __launch_bounds__(256, 2)
gradient_tf32(const float* __restrict__ x, const float* __restrict__ da, float* __restrict__ parts, long long pixels,
              long long pixels_of_part, int height, int width, int channels, int kernel_width, int rows, int out_height,
              int out_width, int outputs, int stride_down, int stride_right, int top, int left) {
    constexpr int HIGH = 128, DEEP = 32, STAGES = 3, ROW_A = HIGH + 8, ROW_D = WIDE + 8;
    constexpr int COLUMNS = WIDE / 16, COPIES_D = DEEP * WIDE / 4 / 256;
    DYNAMIC_SHARED(float, memory);  // STAGES * DEEP * (ROW_A + ROW_D) numbers
    SHARED(Corner, corners, [2][DEEP]);
    float *stages_a = memory, *stages_d = memory + STAGES * DEEP * ROW_A;
    const int thread = threadIdx.x, lane = thread % 32, warp = thread / 32, g = lane / 4, t = lane % 4;
    const int warp_row = warp % 4 * 32, warp_column = warp / 4 * (WIDE / 2);
    const int first_row = blockIdx.x * HIGH, first_output = blockIdx.y * WIDE;
    const long long begin = blockIdx.z * pixels_of_part, end = min(begin + pixels_of_part, pixels);
    const int steps = int((end - begin + DEEP - 1) / DEEP);
    auto find = [&](int step) {
        if (warp == 0)
            corners[step % 2][lane] = corner_of(begin + (long long)step * DEEP + lane, end, height, width, channels,
                out_height, out_width, stride_down, stride_right, top, left);
    };
    const int place = first_row + lane * 4, tap = place / channels, u = tap / kernel_width, v = tap % kernel_width;
    const long long offset = ((long long)u * width + v) * channels + place % channels;
    auto copy = [&](int step) {
        if (step < steps) {
            float* const to_a = stages_a + step % STAGES * DEEP * ROW_A;
#pragma unroll
            for (int l = 0; l < 4; l++) {
                const int k = warp + 8 * l;
                const Corner& corner = corners[step % 2][k];
                const bool valid = place < rows && meets(corner, u, v, height, width);
                cp_async<16>(to_a + k * ROW_A + lane * 4, x + (valid ? corner.first + offset : 0), valid);
            }
            float* const to_d = stages_d + step % STAGES * DEEP * ROW_D;
#pragma unroll
            for (int l = 0; l < COPIES_D; l++) {
                const int number = (l * 256 + thread) * 4, k = number / WIDE, o = first_output + number % WIDE;
                const long long pixel = begin + (long long)step * DEEP + k;
                const bool valid = pixel < end && o < outputs;
                cp_async<16>(to_d + k * ROW_D + number % WIDE, da + (valid ? pixel * outputs + o : 0), valid);
            }
        }
        cp_async_commit();  // a group a step, with nothing in it behind the last
    };

    float sums[2][COLUMNS][4] = {};
    find(0);
    find(1);
    __syncthreads();  // the corners are there
    copy(0);
    copy(1);
    __syncthreads();  // and read
    find(2);
    for (int step = 0; step < steps; step++) {
        cp_async_wait<STAGES - 2>();
        __syncthreads();  // this stage and the corners are there, and the stage before it is read
        copy(step + 2);
        find(step + 3);  // in the place of those of step + 1
        const float* from_a = stages_a + step % STAGES * DEEP * ROW_A + warp_row;
        const float* from_d = stages_d + step % STAGES * DEEP * ROW_D + warp_column;
#pragma unroll
        for (int k = 0; k < DEEP; k += 8) {
            unsigned a[2][4], d[COLUMNS][2];
#pragma unroll
            for (int i = 0; i < 2; i++) {
                const float* from = from_a + (k + t) * ROW_A + 16 * i + g;
                a[i][0] = to_tf32(from[0]), a[i][1] = to_tf32(from[8]);
                a[i][2] = to_tf32(from[4 * ROW_A]), a[i][3] = to_tf32(from[4 * ROW_A + 8]);
            }
#pragma unroll
            for (int j = 0; j < COLUMNS; j++) {
                const float* from = from_d + (k + t) * ROW_D + 8 * j + g;
                d[j][0] = to_tf32(from[0]), d[j][1] = to_tf32(from[4 * ROW_D]);
            }
#pragma unroll
            for (int i = 0; i < 2; i++)
#pragma unroll
                for (int j = 0; j < COLUMNS; j++) mma_tf32(sums[i][j], a[i], d[j]);
        }
    }
    float* const to = parts + (long long)blockIdx.z * rows * outputs;
#pragma unroll
    for (int i = 0; i < 2; i++)
#pragma unroll
        for (int j = 0; j < COLUMNS; j++)
#pragma unroll
            for (int half = 0; half < 2; half++) {
                const int row = first_row + warp_row + 16 * i + g + 8 * half;
                const int o = first_output + warp_column + 8 * j + 2 * t;
                if (row < rows && o < outputs)
                    *reinterpret_cast<float2*>(to + row * (long long)outputs + o) =
                        make_float2(sums[i][j][2 * half], sums[i][j][2 * half + 1]);
            }
}
INSTANTIATE(gradient_tf32<64>)  // registers: 128
INSTANTIATE(gradient_tf32<128>)  // registers: 128
