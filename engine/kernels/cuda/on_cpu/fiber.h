// Fibers: stacks between which one core switches. By hand on x86-64, where ucontext, with its system calls,
// makes a kernel with barriers ten times as slow; by ucontext elsewhere.
#pragma once
#include <sys/mman.h>

#include <vector>
#if !defined(__x86_64__) && !defined(UCONTEXT)
#define UCONTEXT
#endif
#ifdef UCONTEXT
#include <ucontext.h>
#endif

namespace emulator {
struct Fiber {
    char* stack = nullptr;
#ifndef UCONTEXT
    void* pointer = nullptr;
#else
    ucontext_t context;
#endif
};
constexpr size_t STACK_BYTES = 64 << 10;

// Stacks come back when their threads end: a kernel that never waits runs on one, which stays in the cache.
class Stacks {
    std::vector<char*> all, free;

public:
    char* take() {
        if (free.empty()) {
            void* memory = mmap(nullptr, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            mprotect(memory, 4096, PROT_NONE);  // a thread that needs more ends the process, and harms nothing silently
            all.push_back(static_cast<char*>(memory)), free.push_back(static_cast<char*>(memory));
        }
        char* stack = free.back();
        free.pop_back();
        return stack;
    }
    void give(char* stack) { free.push_back(stack); }
    void take_all_back() { free = all; }  // after a launch that an error ended
    void release() {  // each is two mappings, of which a system lets a process have some 65000
        for (char* stack : all) munmap(stack, STACK_BYTES);
        all.clear(), free.clear();
    }
};

#ifndef UCONTEXT
extern "C" void emulator_switch(void** from, void* to) __attribute__((visibility("hidden")));
asm(R"(
.text
.globl emulator_switch
.hidden emulator_switch
.type emulator_switch, @function
emulator_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
.size emulator_switch, .-emulator_switch
)");
inline void switch_fiber(Fiber& from, Fiber& to) { emulator_switch(&from.pointer, to.pointer); }
inline void begin_fiber(Fiber& fiber, char* stack, void (*function)()) {
    void** top = reinterpret_cast<void**>(stack + STACK_BYTES);
    *--top = nullptr;  // where the function would return to
    *--top = reinterpret_cast<void*>(function);
    for (int i = 0; i < 6; i++) *--top = nullptr;
    fiber.stack = stack, fiber.pointer = top;
}
#else
inline void switch_fiber(Fiber& from, Fiber& to) { swapcontext(&from.context, &to.context); }
inline void begin_fiber(Fiber& fiber, char* stack, void (*function)()) {
    fiber.stack = stack;
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = stack, fiber.context.uc_stack.ss_size = STACK_BYTES;
    fiber.context.uc_link = nullptr;
    makecontext(&fiber.context, function, 0);
}
#endif
}  // namespace emulator
