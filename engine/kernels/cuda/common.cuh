// What several kernel files use, in the kernels' own CUDA C++: it stands before every one, for NVRTC and for g++.
#pragma once

// This thread's number among those of the whole grid, along x.
__device__ __forceinline__ long long thread_of_grid() {
    return blockIdx.x * static_cast<long long>(blockDim.x) + threadIdx.x;
}
