// CUDA C++ as the kernels use it, for g++: included before every kernel file. emulator.cpp runs the threads.
#pragma once
#include <math.h>
#include <stddef.h>
#include <string.h>

#include <type_traits>
#include <typeinfo>
#include <utility>

#define __global__
#define __device__
#define __host__
#define __constant__ static const
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __align__(n) alignas(n)
#define EMULATOR_CALL __attribute__((noinline)) extern

struct uint3 { unsigned x, y, z; };
struct dim3 { unsigned x, y, z; };
struct alignas(8) float2 { float x, y; };
struct alignas(16) float4 { float x, y, z, w; };
struct alignas(16) double2 { double x, y; };
struct alignas(8) int2 { int x, y; };
struct alignas(16) int4 { int x, y, z, w; };
struct alignas(8) uint2 { unsigned x, y; };
struct alignas(16) uint4 { unsigned x, y, z, w; };
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline double2 make_double2(double x, double y) { return {x, y}; }

extern dim3 gridDim, blockDim;
extern uint3 blockIdx, threadIdx;
constexpr int warpSize = 32;

namespace emulator {
enum Operation { NONE, BLOCK, WARP, SHUFFLE, VOTE, MMA };
// Shared memory of the running block that a declaration has: the same for all threads, full of NaN at first.
EMULATOR_CALL void* shared_memory(const void* declaration, size_t bytes, size_t cell, const char* name);
EMULATOR_CALL void* dynamic_shared_memory(size_t cell, const char* name);
// Waits for the block's, or for the mask's, threads; what the warp exchanges is done when all are there.
EMULATOR_CALL void wait(Operation operation, unsigned mask, const void* value, void* result, size_t bytes, int source);
EMULATOR_CALL void note_atomic(const void* address, size_t bytes, const void* caller);
EMULATOR_CALL void copy_later(void* shared, const void* global, size_t bytes, bool valid);
EMULATOR_CALL void commit();
EMULATOR_CALL void wait_for_copies(int groups);
EMULATOR_CALL unsigned lane();

struct Kernel {
    const char *name, *parameters;
    void (*call)(void**);
    const Kernel* next;
    static const Kernel* first;
    Kernel(const char* name, const char* parameters, void (*call)(void**))
        : name(name), parameters(parameters), call(call), next(first) { first = this; }
};
template <auto kernel, class Signature = decltype(kernel)> struct Call;
template <auto kernel, class... Parameter> struct Call<kernel, void (*)(Parameter...)> {
    template <size_t... place> static void unpack(void** p, std::integer_sequence<size_t, place...>) {
        kernel(*static_cast<Parameter*>(p[place])...);
    }
    static void run(void** p) { unpack(p, std::make_integer_sequence<size_t, sizeof...(Parameter)>()); }
    static const char* parameters() {  // mangled: "PKf Pf i "
        static char text[1024];
        text[0] = 0;
        ((strcat(text, typeid(Parameter).name()), strcat(text, " ")), ...);
        return text;
    }
};
template <class T, class Operation> __attribute__((no_sanitize("thread"), noinline)) T atomically(T* p, Operation f) {
    note_atomic(p, sizeof(T), __builtin_return_address(0));
    T before = *p;
    *p = f(before);
    return before;
}
template <class T> __forceinline__ T shuffle(unsigned mask, T value, int source) {
    static_assert(sizeof(T) <= 16, "a shuffle moves 4, 8 or 16 bytes");
    T result;
    wait(SHUFFLE, mask, &value, &result, sizeof(T), source);
    return result;
}
inline int in_segment(int source, int width) { return lane() / width == unsigned(source) / width ? source : lane(); }
}  // namespace emulator

#define EMULATOR_JOIN(a, b) a##b
#define EMULATOR_NAME(a, b) EMULATOR_JOIN(a, b)
#define INSTANTIATE(...)                                                     \
    static const emulator::Kernel EMULATOR_NAME(instantiation, __COUNTER__)( \
        #__VA_ARGS__, emulator::Call<&__VA_ARGS__>::parameters(), emulator::Call<&__VA_ARGS__>::run);
#define SHARED(type, name, ...)                                                                                   \
    typedef type EMULATOR_JOIN(name, _type) __VA_ARGS__;                                                          \
    static char EMULATOR_JOIN(name, _declaration);                                                                \
    auto& name = *static_cast<EMULATOR_JOIN(name, _type)*>(                                                       \
        emulator::shared_memory(&EMULATOR_JOIN(name, _declaration), sizeof(EMULATOR_JOIN(name, _type)),           \
                                sizeof(std::remove_all_extents_t<EMULATOR_JOIN(name, _type)>), #name))
#define DYNAMIC_SHARED(type, name) type* const name = static_cast<type*>(emulator::dynamic_shared_memory(sizeof(type), #name))

template <class A, class B> std::common_type_t<A, B> max(A a, B b) { return a > b ? a : b; }
template <class A, class B> std::common_type_t<A, B> min(A a, B b) { return a < b ? a : b; }
inline float rsqrtf(float x) { return 1 / sqrtf(x); }
inline double rsqrt(double x) { return 1 / ::sqrt(x); }
inline float __fdividef(float a, float b) { return a / b; }
#define __expf expf
#define __logf logf
inline unsigned __float_as_uint(float x) { unsigned bits; memcpy(&bits, &x, 4); return bits; }
inline float __uint_as_float(unsigned bits) { float x; memcpy(&x, &bits, 4); return x; }
inline unsigned __umulhi(unsigned a, unsigned b) { return static_cast<unsigned long long>(a) * b >> 32; }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
    return static_cast<unsigned __int128>(a) * b >> 64;
}
template <class T> T __ldg(const T* p) { return *p; }
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __ffs(int x) { return __builtin_ffs(x); }

__forceinline__ void __syncthreads() { emulator::wait(emulator::BLOCK, ~0u, nullptr, nullptr, 0, 0); }
__forceinline__ void __syncwarp(unsigned mask = ~0u) { emulator::wait(emulator::WARP, mask, nullptr, nullptr, 0, 0); }
inline void __threadfence() {}
template <class T> __forceinline__ T __shfl_sync(unsigned mask, T value, int source, int width = 32) {
    return emulator::shuffle(mask, value, int(emulator::lane() / width * width + source % width));
}
template <class T> __forceinline__ T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32) {
    return emulator::shuffle(mask, value, emulator::in_segment(int(emulator::lane()) ^ bits, width));
}
template <class T> __forceinline__ T __shfl_down_sync(unsigned mask, T value, unsigned by, int width = 32) {
    return emulator::shuffle(mask, value, emulator::in_segment(int(emulator::lane() + by), width));
}
template <class T> __forceinline__ T __shfl_up_sync(unsigned mask, T value, unsigned by, int width = 32) {
    return emulator::shuffle(mask, value, by > emulator::lane() ? int(emulator::lane())
                                                                : emulator::in_segment(int(emulator::lane() - by), width));
}
__forceinline__ unsigned __ballot_sync(unsigned mask, int predicate) {
    unsigned votes;
    emulator::wait(emulator::VOTE, mask, &predicate, &votes, sizeof votes, 0);
    return votes;
}
__forceinline__ int __any_sync(unsigned mask, int predicate) { return __ballot_sync(mask, predicate) != 0; }
__forceinline__ int __all_sync(unsigned mask, int predicate) { return __ballot_sync(mask, !predicate) == 0; }
template <class T, class V> __forceinline__ T atomicAdd(T* p, V v) { return emulator::atomically(p, [v](T x) { return T(x + v); }); }
template <class T, class V> __forceinline__ T atomicMax(T* p, V v) { return emulator::atomically(p, [v](T x) { return x > v ? x : T(v); }); }

template <int BYTES> __forceinline__ void cp_async(void* shared, const void* global, bool valid = true) {
    static_assert(BYTES == 4 || BYTES == 8 || BYTES == 16, "cp.async copies 4, 8 or 16 bytes");
    emulator::copy_later(shared, global, BYTES, valid);
}
__forceinline__ void cp_async_commit() { emulator::commit(); }
template <int GROUPS> __forceinline__ void cp_async_wait() { emulator::wait_for_copies(GROUPS); }
inline unsigned to_tf32(float x) {
    return isnan(x) ? 0x7fffffffu : (__float_as_uint(x) + 0x1000u) & ~0x1fffu;
}
__forceinline__ void mma_tf32(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    unsigned fragments[10];
    memcpy(fragments, a, 16), memcpy(fragments + 4, b, 8), memcpy(fragments + 6, d, 16);
    emulator::wait(emulator::MMA, ~0u, fragments, d, sizeof fragments, 0);
}
