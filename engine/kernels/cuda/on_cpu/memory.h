// The memory that a kernel may touch, and what CHECKED notices of it. An access conflicts with an earlier one of
// another thread where one of them writes, not both are atomic, and no barrier lies between: not by luck of the order
// in which the threads ran, but for every pair of a run.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace emulator {
struct Array { char* data; size_t bytes; unsigned cell; int writable; };  // an argument; cell: bytes of a number
constexpr size_t RED_ZONE = 4096;                                         // bytes before and behind every Array

enum Kind { RACE, OUTSIDE, UNWRITTEN, UNFINISHED, MISALIGNED, ELSEWHERE, BARRIERS, INDEX, OVERFLOWS };
struct Finding {
    int kind, argument;     // argument: the place among the arrays, -1 - place among the shared arrays, in order of use
    long long cell, count;  // the first cell's index, and how many accesses
    unsigned block, thread, other_thread, other_block;
    int writes, other_writes;
    long long line, other_line;  // addresses of the code, from where the library is loaded
    const char* name;            // of a shared array
};

void begin_launch(const Array* arrays, int count);
void begin_block(unsigned number, unsigned threads);
void running(unsigned thread, const char* stack);
void* memory_of(const void* declaration, size_t bytes, size_t cell, const char* name, bool dynamic = false);
bool is_shared(const void* address, size_t bytes);
void note(const void* address, size_t bytes, bool write, bool atomic, const void* caller);
void note_copy_begins(const void* shared, size_t bytes, const void* caller);
void note_copy_ends(const void* shared, size_t bytes, const void* caller);
void note_warp_synchronized(unsigned first, unsigned group);
void note_block_synchronized();
void divergent(const void* caller, const void* other);
[[noreturn]] void fail(const char* message);  // stops the launch: the running thread never runs again
}  // namespace emulator
