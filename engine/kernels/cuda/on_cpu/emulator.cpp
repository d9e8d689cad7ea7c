// Runs a kernel on one CPU core. Every CUDA thread is a fiber with a stack of its own that runs until it waits; blocks
// run one after another. Shared memory starts as NaN, cp.async copies as late as its wait allows. Compiled with CHECKED
// (and the kernels with -fsanitize=thread, whose hooks are below), every access to memory is checked, too.
#include "emulator.h"

#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>

#include <algorithm>
#include <string>
#include <vector>

#include "fiber.h"
#include "memory.h"

dim3 gridDim, blockDim;
uint3 blockIdx, threadIdx;

namespace emulator {
const Kernel* Kernel::first = nullptr;

struct Copy { void* shared; const void* global; size_t bytes; bool valid; const void* caller; };
struct Thread {
    Fiber fiber;
    uint3 index;
    bool done;
    Operation waits_for;  // NONE: ready to run
    unsigned mask;
    const void* value;
    void* result;
    size_t bytes;
    int source;
    const void* caller;
    std::vector<std::vector<Copy>> copies;  // committed groups; the last is open
};

static std::vector<Thread> threads;
static unsigned current;
static void (*kernel)(void**);
constexpr int MOST_PARAMETERS = 64;
static uint64_t values[MOST_PARAMETERS];
static void* parameters[MOST_PARAMETERS];
static std::string error;
static Fiber scheduler;
static Stacks stacks;

static unsigned block_number() { return blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z); }

static void leave() { switch_fiber(threads[current].fiber, scheduler); }

void fail(const char* message) {
    char where[96];
    snprintf(where, sizeof where, "block (%u,%u,%u), thread (%u,%u,%u): ", blockIdx.x, blockIdx.y, blockIdx.z,
             threadIdx.x, threadIdx.y, threadIdx.z);
    error = std::string(where) + message;
    leave();
    __builtin_unreachable();
}

static void thread_main() {
    kernel(parameters);
    threads[current].done = true;
    leave();
}

unsigned lane() { return current % 32; }

void wait(Operation operation, unsigned mask, const void* value, void* result, size_t bytes, int source) {
    Thread& thread = threads[current];
    if (operation != BLOCK && !(mask >> lane() & 1)) fail("waits for a mask without its own bit");
    thread.waits_for = operation, thread.mask = mask, thread.value = value, thread.result = result;
    thread.bytes = bytes, thread.source = source, thread.caller = __builtin_return_address(0);
    leave();
}

void* shared_memory(const void* declaration, size_t bytes, size_t cell, const char* name) {
    void* memory = memory_of(declaration, bytes, cell, name);
    if (!memory) fail("more than 48 KB of static shared memory: declare DYNAMIC_SHARED");
    return memory;
}

static size_t dynamic_bytes;
void* dynamic_shared_memory(size_t cell, const char* name) {
    return memory_of(&dynamic_bytes, dynamic_bytes, cell, name, true);
}

void note_atomic(const void* address, size_t bytes, const void* caller) {
    note(address, bytes, true, true, caller);
}

void copy_later(void* shared, const void* global, size_t bytes, bool valid) {
    Thread& thread = threads[current];
    const void* caller = __builtin_return_address(0);
    if (uintptr_t(shared) % bytes || (valid && uintptr_t(global) % bytes))
        fail("cp.async at an address that is no multiple of its bytes");
    if (!is_shared(shared, bytes)) fail("cp.async to an address outside shared memory");
    note_copy_begins(shared, bytes, caller);
    if (valid) note(global, bytes, false, false, caller);
    memset(shared, 0xff, bytes);
    if (thread.copies.empty()) thread.copies.emplace_back();
    thread.copies.back().push_back({shared, global, bytes, valid, caller});
}

void commit() {
    Thread& thread = threads[current];
    if (thread.copies.empty()) thread.copies.emplace_back();
    thread.copies.emplace_back();
}

void wait_for_copies(int groups) {
    auto& copies = threads[current].copies;
    while (int(copies.size()) - 1 > groups) {
        for (const Copy& copy : copies.front()) {
            if (copy.valid) memcpy(copy.shared, copy.global, copy.bytes);
            else memset(copy.shared, 0, copy.bytes);
            note_copy_ends(copy.shared, copy.bytes, copy.caller);
        }
        copies.erase(copies.begin());
    }
}

static float tf32(unsigned bits) { return __uint_as_float(bits & ~0x1fffu); }  // the tensor core reads no more

static void multiply(Thread* warp) {
    unsigned fragments[32][10];
    for (int i = 0; i < 32; i++) memcpy(fragments[i], warp[i].value, sizeof fragments[i]);
    for (int i = 0; i < 32; i++)
        for (int part = 0; part < 4; part++) {
            int row = i / 4 + part / 2 * 8, column = i % 4 * 2 + part % 2;
            float sum = 0;
            for (int k = 0; k < 8; k++)
                sum += tf32(fragments[row % 8 * 4 + k % 4][row / 8 + k / 4 * 2]) *
                       tf32(fragments[column * 4 + k % 4][4 + k / 4]);
            static_cast<float*>(warp[i].result)[part] = __uint_as_float(fragments[i][6 + part]) + sum;
        }
}

// Lets those lanes of a warp go on whose whole mask waits for the same; true if there were any.
static bool release(unsigned first, unsigned end) {
    bool released = false;
    for (unsigned i = first; i < end; i++) {
        Operation operation = threads[i].waits_for;
        if (operation == NONE || operation == BLOCK || threads[i].done) continue;
        unsigned live = 0, there = 0, mask = threads[i].mask;
        for (unsigned j = first; j < end; j++) {
            live |= unsigned(!threads[j].done) << (j - first);
            there |= unsigned(threads[j].waits_for == operation && threads[j].mask == mask) << (j - first);
        }
        unsigned group = mask & live;
        if ((group & there) != group) continue;
        if (operation == MMA && group != ~0u) {
            error = "mma_tf32 needs all 32 lanes of a warp";
            return false;
        }
        Thread* warp = &threads[first];
        if (operation == MMA) multiply(warp);
        unsigned votes = 0;
        for (unsigned j = 0; j < 32; j++) {
            if (!(group >> j & 1)) continue;
            if (operation == VOTE) votes |= unsigned(*static_cast<const int*>(warp[j].value) != 0) << j;
            if (operation == SHUFFLE && group >> (warp[j].source & 31) & 1)
                memcpy(warp[j].result, warp[warp[j].source & 31].value, warp[j].bytes);
            else if (operation == SHUFFLE) memset(warp[j].result, 0xff, warp[j].bytes);  // of a lane that is not there
        }
        for (unsigned j = 0; j < 32; j++) {
            if (!(group >> j & 1)) continue;
            if (operation == VOTE) memcpy(warp[j].result, &votes, sizeof votes);
            warp[j].waits_for = NONE;
        }
        if (operation == WARP) note_warp_synchronized(first, group);  // alone orders accesses to memory
        released = true;
    }
    return released;
}

static void run_block(const std::vector<unsigned>& order) {
    const unsigned count = order.size();
    begin_block(block_number(), count);
    threads.resize(count);
    for (unsigned i = 0; i < count; i++) {
        Thread& thread = threads[i];
        thread.index = {i % blockDim.x, i / blockDim.x % blockDim.y, i / (blockDim.x * blockDim.y)};
        thread.done = false, thread.waits_for = NONE, thread.copies.clear(), thread.fiber = Fiber();
    }
    for (unsigned left = count;;) {
        for (unsigned i : order) {
            Thread& thread = threads[i];
            if (thread.done || thread.waits_for != NONE) continue;
            if (!thread.fiber.stack) begin_fiber(thread.fiber, stacks.take(), thread_main);
            current = i, threadIdx = thread.index;
            running(i, thread.fiber.stack);
            switch_fiber(scheduler, thread.fiber);
            if (!error.empty()) return;
            if (thread.done) stacks.give(thread.fiber.stack), left--;
        }
        if (!left) return;
        bool released = false;
        for (unsigned first = 0; first < count; first += 32)
            released |= release(first, std::min(first + 32, count));
        if (!error.empty()) return;
        if (released) continue;
        const Thread* one = nullptr;
        for (Thread& thread : threads) {
            if (thread.done) continue;
            if (!one) one = &thread;
            if (thread.waits_for != BLOCK || thread.waits_for != one->waits_for) {
                divergent(one->caller, thread.caller);
                error = "divergent barrier";
                return;
            }
            if (thread.caller != one->caller) divergent(one->caller, thread.caller);
        }
        for (Thread& thread : threads) thread.waits_for = NONE;
        note_block_synchronized();
    }
}

// Faults of the processor end the launch, not the process.
static sigjmp_buf on_fault;
static thread_local bool launching = false;
static void fault(int number) {
    if (launching) siglongjmp(on_fault, number);
    signal(number, SIG_DFL);  // not ours: it comes again
}

class Faults {  // caught as long as this lives
    static constexpr int NUMBERS[] = {SIGSEGV, SIGBUS, SIGFPE};
    struct sigaction before[3];
    stack_t stack_before;
    static char stack[64 << 10];

public:
    Faults() {
        stack_t own = {};
        own.ss_sp = stack, own.ss_size = sizeof stack;
        sigaltstack(&own, &stack_before);
        struct sigaction ours = {};
        ours.sa_handler = fault, ours.sa_flags = SA_ONSTACK | SA_NODEFER;
        for (int i = 0; i < 3; i++) sigaction(NUMBERS[i], &ours, &before[i]);
        launching = true;
    }
    ~Faults() {
        launching = false;
        for (int i = 0; i < 3; i++) sigaction(NUMBERS[i], &before[i], nullptr);
        sigaltstack(&stack_before, nullptr);
    }
};
char Faults::stack[64 << 10];

static std::vector<unsigned> order_of(unsigned count, int kind, unsigned& random) {  // 0 ascending, 1 descending, 2 shuffled
    std::vector<unsigned> order(count);
    for (unsigned i = 0; i < count; i++) order[i] = kind == 1 ? count - 1 - i : i;
    for (unsigned i = count - 1; kind == 2 && i > 0; i--) {
        random = random * 1664525u + 1013904223u;
        std::swap(order[i], order[(random >> 8) % (i + 1)]);
    }
    return order;
}
}  // namespace emulator

using namespace emulator;

extern "C" void emulator_release() { stacks.release(); }

// Lines of "name<tab>mangled parameters".
extern "C" const char* emulator_kernels() {
    static std::string text;
    text.clear();
    for (const Kernel* k = Kernel::first; k; k = k->next) text += std::string(k->name) + "\t" + k->parameters + "\n";
    return text.c_str();
}

// Runs a kernel; given: its parameters, each in the first bytes of eight. Returns the text of what stopped it, or "".
// What else was noticed: emulator_findings.
extern "C" const char* emulator_run(const char* name, const unsigned* grid, const unsigned* block,
                                    const uint64_t* given, int count, const Array* arrays, int array_count,
                                    size_t shared_bytes, int order, unsigned seed) {
    const Kernel* found = Kernel::first;
    while (found && strcmp(found->name, name)) found = found->next;
    if (!found) return "no such kernel";
    if (count > MOST_PARAMETERS) return "too many parameters";
    for (int i = 0; i < count; i++) values[i] = given[i], parameters[i] = &values[i];
    kernel = found->call, dynamic_bytes = shared_bytes, error.clear();
    gridDim = {grid[0], grid[1], grid[2]}, blockDim = {block[0], block[1], block[2]};
    begin_launch(arrays, array_count);
    stacks.take_all_back();
    Faults faults;
    if (int number = sigsetjmp(on_fault, 1)) {
        error = number == SIGFPE ? "a division by zero" : "a memory fault, or a stack of more than 60 KB";
        return error.c_str();
    }
    unsigned random = seed;
    for (unsigned b : order_of(grid[0] * grid[1] * grid[2], order, random)) {
        blockIdx = {b % grid[0], b / grid[0] % grid[1], b / (grid[0] * grid[1])};
        run_block(order_of(block[0] * block[1] * block[2], order, random));
        if (!error.empty()) break;
    }
    return error.c_str();
}
