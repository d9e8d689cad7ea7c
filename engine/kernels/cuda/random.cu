// Numbers in [0, 1) where they are needed, by Philox4x64-10 (Salmon et al. 2011): ten rounds, each of two products of
// 64 bits, whose upper halves mix with the other two words and the key, turn key and counter into four random words. A
// thread computes the eight numbers of its own counter; no state, no order, nothing from the host but the key.
//
// 32 bytes are written for 20 products of 64 to 128 bits, each of four of 32 to 64: on a GPU about the balance between
// arithmetic and memory. Copied from the host they would take some thirty times as long, and the host's time to draw
// them.

struct Words { unsigned long long word[4]; };

__device__ __forceinline__ Words philox(unsigned long long counter, unsigned long long key0, unsigned long long key1) {
    unsigned long long a = counter, b = 0, c = 0, d = 0;
    for (int round = 0; round < 10; round++) {
        unsigned long long of_a = __umul64hi(0xD2E7470EE14C6C93ull, a), of_c = __umul64hi(0xCA5A826395121157ull, c);
        unsigned long long low_a = 0xD2E7470EE14C6C93ull * a, low_c = 0xCA5A826395121157ull * c;
        a = of_c ^ b ^ key0, b = low_c, c = of_a ^ d ^ key1, d = low_a;
        key0 += 0x9E3779B97F4A7C15ull, key1 += 0xBB67AE8584CAA73Bull;
    }
    return {{a, b, c, d}};
}

// y[8 b .. 8 b + 7] from counter b + 1 (NumPy counts up before it draws), of each word the lower half first.
__global__ void __launch_bounds__(256) uniform(float* __restrict__ y, unsigned long long key0, unsigned long long key1,
                                               long long count) {
    long long block = thread_of_grid();
    if (8 * block >= count) return;
    Words drawn = philox(block + 1, key0, key1);
    float numbers[8];
    for (int k = 0; k < 8; k++) {
        unsigned half = drawn.word[k / 2] >> k % 2 * 32;
        numbers[k] = (half >> 8) * 0x1p-24f;  // 24 bits: all that a float32 in [0.5, 1) has
    }
    if (8 * block + 8 <= count) {
        reinterpret_cast<float4*>(y)[2 * block] = make_float4(numbers[0], numbers[1], numbers[2], numbers[3]);
        reinterpret_cast<float4*>(y)[2 * block + 1] = make_float4(numbers[4], numbers[5], numbers[6], numbers[7]);
    } else {
        for (int k = 0; k < 7; k++)
            if (8 * block + k < count) y[8 * block + k] = numbers[k];
    }
}
INSTANTIATE(uniform)  // registers: 40
