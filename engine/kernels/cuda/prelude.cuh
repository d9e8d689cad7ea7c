// What the kernels use beyond CUDA C++ itself. This text stands before every kernel file where NVRTC compiles it;
// where g++ does, on_cpu/emulator.h gives the same names.
#pragma once

// SHARED(float, tile, [32][33]); declares __shared__ float tile[32][33].
#define SHARED(type, name, ...) __shared__ type name __VA_ARGS__
// DYNAMIC_SHARED(float, memory); declares float* memory, of as many bytes as the launch gives; once in a kernel.
#define DYNAMIC_SHARED(type, name)                                             \
    extern __shared__ __align__(16) unsigned char dynamic_shared_memory[];    \
    type* const name = reinterpret_cast<type*>(dynamic_shared_memory)
// INSTANTIATE(relu<float>)  // registers: 32      lists a kernel; the host asks NVRTC for each by name.
#define INSTANTIATE(...)

// Copies BYTES (4, 8 or 16) from global to shared memory without waiting; zeros where valid is false, and then nothing
// is read. Both addresses are multiples of BYTES.
template <int BYTES> __device__ __forceinline__ void cp_async(void* shared, const void* global, bool valid = true) {
    unsigned address = static_cast<unsigned>(__cvta_generic_to_shared(shared));
    int read = valid ? BYTES : 0;
    if constexpr (BYTES == 16)
        asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(address), "l"(global), "r"(read) : "memory");
    else
        asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(address), "l"(global), "n"(BYTES), "r"(read)
                     : "memory");
}
__device__ __forceinline__ void cp_async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
// Waits until at most GROUPS of this thread's committed groups are under way. Other threads' copies: __syncthreads().
template <int GROUPS> __device__ __forceinline__ void cp_async_wait() {
    asm volatile("cp.async.wait_group %0;" ::"n"(GROUPS) : "memory");
}

// The nearest TF32 number (10 bits of fraction), ties away from zero, as mma_tf32 takes it.
__device__ __forceinline__ unsigned to_tf32(float x) {
    unsigned bits;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
    return bits;
}
// d += a b of a whole warp, mma.sync.m16n8k8: a (16, 8), b (8, 8), d (16, 8). With g = lane / 4 and t = lane % 4 a lane
// holds a[g][t], a[g+8][t], a[g][t+4], a[g+8][t+4]; b[t][g], b[t+4][g]; d[g][2t], d[g][2t+1], d[g+8][2t], d[g+8][2t+1].
__device__ __forceinline__ void mma_tf32(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
                 "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
