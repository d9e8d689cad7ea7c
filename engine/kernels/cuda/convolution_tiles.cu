// Convolutions, the second rung: the implicit matrix product, by tiles in shared memory.
//
// A convolution is a product of matrices: y = A W, with a row of A for every output pixel and a column for every place
// (u, v, c) of the kernel, A[pixel, (u,v,c)] = x[n, s i + u - top, s j + v - left, c], and W as it lies in memory, with
// a row for every (u, v, c) and a column for every output channel. A is never written: it would be 9 times as large as
// x. Its numbers are looked up where the product needs them; only their addresses are computed.
//
// A block computes 16 pixels x 16 channels, one a thread. Step by step, 16 places deep, it brings a tile of A and one
// of W to shared memory, each thread a number of each, and multiplies them there. Every number that was read is used by
// 16 threads: 16 x 16 x 16 x 2 FLOP for 2 x 16 x 16 numbers are 4 FLOP a byte in float, 16 times those of the first
// rung. With some 40 registers a thread six blocks, 48 of the 64 warps that fit, stand on a multiprocessor: while some
// wait at a barrier for their tiles, others multiply. But each multiplication reads two numbers from shared memory,
// which gives a warp 128 bytes a cycle and a multiprocessor no more: now that is what the kernel waits for.

template <typename T, bool RELU>
__global__ void __launch_bounds__(256)
correlate_tiles(const T* __restrict__ x, const T* __restrict__ kernel, const T* __restrict__ bias, T* __restrict__ y,
                long long pixels, int height, int width, int channels, int kernel_width, int depth, int out_height,
                int out_width, int outputs, int stride_down, int stride_right, int top, int left) {
    SHARED(T, tile_a, [16][17]);  // 17: the rows begin in different banks
    SHARED(T, tile_w, [16][17]);
    int column = threadIdx.x % 16, row = threadIdx.x / 16, across = (outputs + 15) / 16;
    int o = blockIdx.x % across * 16 + column;
    long long pixel = blockIdx.x / across * 16LL + row;
    Corner corner = corner_of(pixel, pixels, height, width, channels, out_height, out_width, stride_down, stride_right,
                              top, left);
    T sum = bias && o < outputs ? bias[o] : T(0);
    for (int first = 0; first < depth; first += 16) {
        int place = first + column, tap = place / channels, u = tap / kernel_width, v = tap % kernel_width;
        tile_a[row][column] = place < depth && meets(corner, u, v, height, width)
            ? x[corner.first + ((long long)u * width + v) * channels + place % channels] : T(0);
        tile_w[row][column] = first + row < depth && o < outputs
            ? kernel[(first + row) * (long long)outputs + o] : T(0);
        __syncthreads();  // the tiles are filled
        for (int k = 0; k < 16; k++) sum += tile_a[row][k] * tile_w[k][column];
        __syncthreads();  // and read
    }
    if (pixel < pixels && o < outputs) y[pixel * outputs + o] = RELU && sum < 0 ? T(0) : sum;
}
INSTANTIATE(correlate_tiles<float, false>)  // registers: 48
INSTANTIATE(correlate_tiles<float, true>)  // registers: 48
INSTANTIATE(correlate_tiles<double, false>)  // registers: 48
INSTANTIATE(correlate_tiles<double, true>)  // registers: 48
