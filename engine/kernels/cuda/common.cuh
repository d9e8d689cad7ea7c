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
