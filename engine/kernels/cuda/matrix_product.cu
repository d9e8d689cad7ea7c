// The product of two matrices, where cuBLAS does not compute it: y = a b, a: (rows, depth), b: (depth, columns).
//
// A block computes 16 x 16 results, one a thread. Step by step, 16 deep, it brings a tile of a and one of b to shared
// memory, each thread a number of each, and multiplies them there: every number from global memory is used 16 times, 4
// FLOP a byte in float, as in convolution_tiles.cu. FLIPPED_A, FLIPPED_B: the array has the matrix's columns as rows;
// then threads side by side read along those, so that their numbers lie side by side in memory either way.

template <typename T, bool FLIPPED_A, bool FLIPPED_B>
__global__ void __launch_bounds__(256, 4)
product(const T* __restrict__ a, const T* __restrict__ b, T* __restrict__ y, int rows, int depth, int columns) {
    SHARED(T, tile_a, [16][17]);  // 17: the rows begin in different banks
    SHARED(T, tile_b, [16][17]);
    const int fast = threadIdx.x % 16, slow = threadIdx.x / 16;
    const int first_row = blockIdx.x * 16, first_column = blockIdx.y * 16;
    T sum = 0;
    for (int first = 0; first < depth; first += 16) {
        const int i = FLIPPED_A ? fast : slow, of_a = FLIPPED_A ? slow : fast;
        tile_a[i][of_a] = first_row + i < rows && first + of_a < depth
            ? (FLIPPED_A ? a[(first + of_a) * (long long)rows + first_row + i]
                         : a[(first_row + i) * (long long)depth + first + of_a]) : T(0);
        const int j = FLIPPED_B ? slow : fast, of_b = FLIPPED_B ? fast : slow;
        tile_b[of_b][j] = first_column + j < columns && first + of_b < depth
            ? (FLIPPED_B ? b[(first_column + j) * (long long)depth + first + of_b]
                         : b[(first + of_b) * (long long)columns + first_column + j]) : T(0);
        __syncthreads();  // the tiles are filled
        for (int k = 0; k < 16; k++) sum += tile_a[slow][k] * tile_b[k][fast];
        __syncthreads();  // and read
    }
    if (first_row + slow < rows && first_column + fast < columns)
        y[(first_row + slow) * (long long)columns + first_column + fast] = sum;
}
INSTANTIATE(product<float, false, false>)  // registers: 64
INSTANTIATE(product<float, false, true>)  // registers: 64
INSTANTIATE(product<float, true, false>)  // registers: 64
INSTANTIATE(product<float, true, true>)  // registers: 64
INSTANTIATE(product<double, false, false>)  // registers: 64
INSTANTIATE(product<double, false, true>)  // registers: 64
INSTANTIATE(product<double, true, false>)  // registers: 64
INSTANTIATE(product<double, true, true>)  // registers: 64
