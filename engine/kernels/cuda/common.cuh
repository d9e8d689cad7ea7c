// What several kernel files use, in the kernels' own CUDA C++: it stands before every one, for NVRTC and for g++.
#pragma once

// This thread's number among those of the whole grid, along x.
__device__ __forceinline__ long long thread_of_grid() {
    return blockIdx.x * static_cast<long long>(blockDim.x) + threadIdx.x;
}

// Four numbers that lie one behind the other, read and written by one instruction (float) or two (double).
template <typename T> struct alignas(16) Four { T v[4]; };

// Where the kernel of a convolution lies for one output pixel: the row and column of x below its corner, which may be
// outside of x, and the place of that pixel's first channel in x. A pixel behind the last output meets nothing.
struct Corner { int down, right; long long first; };
__device__ __forceinline__ Corner corner_of(long long pixel, long long pixels, int height, int width, int channels,
                                            int out_height, int out_width, int stride_down, int stride_right, int top,
                                            int left) {
    if (pixel >= pixels) return {-(1 << 30), 0, 0};
    long long row = pixel / out_width;
    int down = int(row % out_height) * stride_down - top, right = int(pixel % out_width) * stride_right - left;
    return {down, right, ((row / out_height * height + down) * width + right) * channels};
}
// Whether the kernel's place u, v meets a pixel of x, and not the zeros around it.
__device__ __forceinline__ bool meets(const Corner& corner, int u, int v, int height, int width) {
    return static_cast<unsigned>(corner.down + u) < static_cast<unsigned>(height) &&
           static_cast<unsigned>(corner.right + v) < static_cast<unsigned>(width);
}

// What most kernels over channels do: x is (rows, channels), channels next to each other in memory, and a thread stays
// with one channel. The y of a block counts groups of channels, its x parts of the rows; inside, the block's threads
// lie over the group's channels and, side by side, over as many rows as fit ("slots"): with 3 channels 85 rows at a
// time. So neighbours read neighbours however few channels there are, and nobody divides by their number twice.
// A group has 64 channels; 4 where the rows are partial sums, (parts, channels), of which a thread shall add few.
constexpr int ROW_THREADS = 256, ROW_CHANNELS = 64, PART_CHANNELS = 4;

struct Rows {
    int channel, slot, slots, width;  // width: channels of the group; the thread is slot width + its channel's place
    long long first, end;             // its rows are first, first + slots, ... below end: none for threads left over
};
template <int GROUP = ROW_CHANNELS>
__device__ __forceinline__ Rows rows_of_thread(long long rows, long long rows_of_part, int channels) {
    Rows own;
    int group = blockIdx.y * GROUP;
    own.width = channels - group < GROUP ? channels - group : GROUP;
    own.slots = ROW_THREADS / own.width;
    own.slot = threadIdx.x / own.width;
    own.channel = group + threadIdx.x % own.width;
    own.end = (blockIdx.x + 1) * rows_of_part < rows ? (blockIdx.x + 1) * rows_of_part : rows;
    own.first = own.slot < own.slots ? blockIdx.x * rows_of_part + own.slot : own.end;
    return own;
}

// The sums of COUNT numbers over a block's slots, for each channel: in slot 0 afterwards. All threads call it, once in
// a kernel. Halves: slot s adds what slot s + half has, so that the order depends on the shape alone.
template <int COUNT> __device__ __forceinline__ void add_slots(double (&sums)[COUNT], const Rows& own) {
    SHARED(double, of_slots, [COUNT][ROW_THREADS]);
    for (int k = 0; k < COUNT; k++) of_slots[k][threadIdx.x] = sums[k];
    __syncthreads();
    for (int left = own.slots; left > 1;) {
        int half = (left + 1) / 2;
        if (own.slot < left - half)
            for (int k = 0; k < COUNT; k++) of_slots[k][threadIdx.x] += of_slots[k][threadIdx.x + half * own.width];
        __syncthreads();
        left = half;
    }
    for (int k = 0; k < COUNT; k++) sums[k] = of_slots[k][threadIdx.x];
}
