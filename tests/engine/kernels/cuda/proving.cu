// Kernels that use all that the emulator emulates, right: test_emulator.py and test_planted.py run them, and these
// with mistakes in them.

// c = a b by tiles of 16 x 16. a: (rows, depth), b: (depth, columns).
template <typename T>
__global__ void __launch_bounds__(256) product(const T* a, const T* b, T* c, int rows, int depth, int columns) {
    SHARED(T, tile_a, [16][16]);
    SHARED(T, tile_b, [16][16]);
    int i = blockIdx.y * 16 + threadIdx.y, j = blockIdx.x * 16 + threadIdx.x;
    T sum = 0;
    for (int k = 0; k < depth; k += 16) {
        tile_a[threadIdx.y][threadIdx.x] = i < rows && k + threadIdx.x < depth ? a[i * depth + k + threadIdx.x] : 0;
        tile_b[threadIdx.y][threadIdx.x] = j < columns && k + threadIdx.y < depth ? b[(k + threadIdx.y) * columns + j] : 0;
        __syncthreads();  // the tiles are filled
        for (int l = 0; l < 16; l++) sum += tile_a[threadIdx.y][l] * tile_b[l][threadIdx.x];
        __syncthreads();  // and read
    }
    if (i < rows && j < columns) c[i * columns + j] = sum;
}
INSTANTIATE(product<float>)  // registers: 40
INSTANTIATE(product<double>)  // registers: 48

// The sums of the rows of x: (gridDim.x, columns); a block a row, by shuffles, then by one number a warp.
__global__ void row_sums(const float* x, float* sums, int columns) {
    DYNAMIC_SHARED(float, of_warps);
    float sum = 0;
    for (int j = threadIdx.x; j < columns; j += blockDim.x) sum += x[blockIdx.x * columns + j];
    for (int by = 16; by > 0; by /= 2) sum += __shfl_xor_sync(~0u, sum, by);
    if (threadIdx.x % 32 == 0) of_warps[threadIdx.x / 32] = sum;
    __syncthreads();
    if (threadIdx.x > 0) return;
    for (int warp = 1; warp < blockDim.x / 32; warp++) sum += of_warps[warp];
    sums[blockIdx.x] = sum;
}
INSTANTIATE(row_sums)  // registers: 32

// The same of rows of 32 numbers, a warp each, through shared memory: ordered by __syncwarp alone.
__global__ void short_row_sums(const float* x, float* sums) {
    SHARED(float, numbers, [4][32]);
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32, row = blockIdx.x * 4 + warp;
    numbers[warp][lane] = x[row * 32 + lane];
    __syncwarp();
    for (int by = 16; by > 0; by /= 2) {
        if (lane < by) numbers[warp][lane] += numbers[warp][lane + by];
        __syncwarp();
    }
    if (lane == 0) sums[row] = numbers[warp][0];
}
INSTANTIATE(short_row_sums)  // registers: 32

// y[i] = x[i - 1] + x[i] + x[i + 1], 0 outside; 64 numbers a block and their neighbours in shared memory.
__global__ void neighbours(const float* x, float* y, int count) {
    SHARED(float, tile, [66]);
    int i = blockIdx.x * 64 + threadIdx.x, place = threadIdx.x + 1;
    tile[place] = i < count ? x[i] : 0;
    if (threadIdx.x == 0) tile[0] = i > 0 ? x[i - 1] : 0;
    if (threadIdx.x == 63) tile[65] = i + 1 < count ? x[i + 1] : 0;
    __syncthreads();
    if (i < count) y[i] = tile[place - 1] + tile[place] + tile[place + 1];
}
INSTANTIATE(neighbours)  // registers: 24

// How many numbers fall into each of the bins 0 .. 7.
__global__ void histogram(const int* x, int* bins, int count) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < count) atomicAdd(&bins[x[i]], 1);
}
INSTANTIATE(histogram)  // registers: 16

// c = a b on tensor cores; blocks of two warps, 16 x 16 each, 8 deep, in a ring of two stages. All sizes are multiples.
__global__ void tf32_product(const float* a, const float* b, float* c, int depth, int columns) {
    SHARED(float, stage_a, [2][16][8]);
    SHARED(float, stage_b, [2][8][16]);
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32, g = lane / 4, t = lane % 4;
    int row = blockIdx.y * 16, column = blockIdx.x * 16;
    auto load = [&](int k) {  // one warp a, the other b: 16 bytes a thread
        if (k < depth && warp == 0)
            cp_async<16>(&stage_a[k / 8 % 2][lane / 2][lane % 2 * 4], a + (row + lane / 2) * depth + k + lane % 2 * 4);
        if (k < depth && warp == 1)
            cp_async<16>(&stage_b[k / 8 % 2][lane / 4][lane % 4 * 4], b + (k + lane / 4) * columns + column + lane % 4 * 4);
        cp_async_commit();
    };
    float sums[4] = {0, 0, 0, 0};
    load(0);
    for (int k = 0; k < depth; k += 8) {
        load(k + 8);
        cp_async_wait<1>();
        __syncthreads();  // this stage is there
        const auto& from_a = stage_a[k / 8 % 2];
        const auto& from_b = stage_b[k / 8 % 2];
        unsigned fragment_a[4] = {to_tf32(from_a[g][t]), to_tf32(from_a[g + 8][t]), to_tf32(from_a[g][t + 4]),
                                  to_tf32(from_a[g + 8][t + 4])};
        unsigned fragment_b[2] = {to_tf32(from_b[t][warp * 8 + g]), to_tf32(from_b[t + 4][warp * 8 + g])};
        mma_tf32(sums, fragment_a, fragment_b);
        __syncthreads();  // and may be filled again
    }
    float* at = c + (row + g) * columns + column + warp * 8 + 2 * t;
    at[0] = sums[0], at[1] = sums[1], at[8 * columns] = sums[2], at[8 * columns + 1] = sums[3];
}
INSTANTIATE(tf32_product)  // registers: 64

// o = a a, four numbers a thread at a time.
__global__ void squares(const float* a, float* o, int quarters) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= quarters) return;
    float4 v = reinterpret_cast<const float4*>(a)[i];
    reinterpret_cast<float4*>(o)[i] = make_float4(v.x * v.x, v.y * v.y, v.z * v.z, v.w * v.w);
}
INSTANTIATE(squares)  // registers: 24
