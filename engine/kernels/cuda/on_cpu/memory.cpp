// The shared memory of a block, and under CHECKED the record of every access to it and to the arrays.
#include "memory.h"

#include <string.h>

#include <algorithm>
#include <vector>

#include "fiber.h"

namespace emulator {
constexpr size_t STATIC_SHARED = 48 << 10, ARENA = 512 << 10, GAP = 256;
struct Shared { const void* declaration; char* data; size_t bytes, cell; const char* name; };
alignas(256) static char arena[ARENA];
static std::vector<Shared> shared_arrays;
static size_t used, statically;

static void cells_of_shared();  // for the array that came last

void* memory_of(const void* declaration, size_t bytes, size_t cell, const char* name, bool dynamic) {
    for (const Shared& array : shared_arrays)
        if (array.declaration == declaration) return array.data;
    if (!dynamic) statically += bytes;
    if (statically > STATIC_SHARED || used + bytes + 2 * GAP > ARENA) return nullptr;
    char* data = arena + used + GAP;
    memset(data, 0xff, bytes);
    used += (bytes + GAP + 255) / 256 * 256;
    shared_arrays.push_back({declaration, data, bytes, std::min(cell, size_t(4)), name});
    cells_of_shared();
    return data;
}

bool is_shared(const void* address, size_t bytes) {
    for (const Shared& array : shared_arrays)
        if (address >= array.data && static_cast<const char*>(address) + bytes <= array.data + array.bytes) return true;
    return false;
}
}  // namespace emulator

#ifndef CHECKED
namespace emulator {
static void cells_of_shared() {}
void begin_launch(const Array*, int) {}
void begin_block(unsigned, unsigned) { shared_arrays.clear(), used = statically = 0; }
void running(unsigned, const char*) {}
void note(const void*, size_t, bool, bool, const void*) {}
void note_copy_begins(const void*, size_t, const void*) {}
void note_copy_ends(const void*, size_t, const void*) {}
void note_warp_synchronized(unsigned, unsigned) {}
void note_block_synchronized() {}
void divergent(const void*, const void*) {}
}  // namespace emulator
extern "C" int emulator_findings(const emulator::Finding** found) { return *found = nullptr, 0; }
#else
#include <link.h>

namespace emulator {
struct Access { unsigned block, thread, barrier, time; const void* caller; bool atomic; };
struct Cell {
    Access write;
    bool written = false, copying = false;
    const void* copier = nullptr;
    std::vector<Access> reads;  // since the write
};
struct Region { Array array; std::vector<Cell> cells; };
// A warp's threads see of each other what was before their last common __syncwarp.
struct Clock { unsigned time, seen[32]; };

static std::vector<Region> regions;                     // the arguments
static std::vector<std::vector<Cell>> shared_cells;     // of shared_arrays
static std::vector<Finding> findings;
static std::vector<Clock> clocks;
static unsigned block, thread, barrier;
static const char *stack, *own, *own_end, *load_address;

static int find_own(dl_phdr_info* info, size_t, void*) {
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr)& part = info->dlpi_phdr[i];
        const char* begin = reinterpret_cast<const char*>(info->dlpi_addr + part.p_vaddr);
        if (part.p_type != PT_LOAD || arena < begin || arena >= begin + part.p_memsz) continue;
        load_address = reinterpret_cast<const char*>(info->dlpi_addr);
        own = load_address, own_end = begin + part.p_memsz;  // code, constants, variables: up to the segment of arena
        return 1;
    }
    return 0;
}

static long long line_of(const void* caller) {  // of the call itself: before where it returns to
    return caller ? static_cast<const char*>(caller) - load_address - 1 : -1;
}

static void found(Kind kind, int argument, long long cell, bool write, const void* caller, const Access* other,
                  bool other_write) {
    Finding now = {kind, argument, cell, 1, block, thread, other ? other->thread : 0, other ? other->block : 0, write,
                   other_write, line_of(caller), line_of(other ? other->caller : nullptr),
                   argument < 0 ? shared_arrays[-1 - argument].name : nullptr};
    for (Finding& finding : findings)
        if (finding.kind == kind && finding.argument == argument && finding.line == now.line &&
            finding.other_line == now.other_line && finding.writes == now.writes) {
            finding.count++;
            return;
        }
    findings.push_back(now);
}

void begin_launch(const Array* arrays, int count) {
    if (!own) dl_iterate_phdr(find_own, nullptr);
    findings.clear(), regions.clear();
    for (int i = 0; i < count; i++)
        regions.push_back({arrays[i], std::vector<Cell>(arrays[i].writable ? arrays[i].bytes / arrays[i].cell : 0)});
}

void begin_block(unsigned number, unsigned threads) {
    shared_arrays.clear(), shared_cells.clear(), used = statically = 0;
    block = number, barrier = 0;
    clocks.assign(threads, Clock{1, {}});
}

void running(unsigned number, const char* its_stack) { thread = number, stack = its_stack; }

static void cells_of_shared() {
    const Shared& array = shared_arrays.back();
    shared_cells.emplace_back(array.bytes / array.cell);
}

static bool before(const Access& access) {  // whether a barrier lies between it and now
    if (access.block != block) return false;
    if (access.thread == thread || access.barrier != barrier) return true;
    return access.thread / 32 == thread / 32 && clocks[thread].seen[access.thread % 32] >= access.time;
}

static void note_cell(Cell& cell, int argument, long long index, bool write, bool atomic, const void* caller) {
    Access now = {block, thread, barrier, clocks[thread].time, caller, atomic};
    if (cell.copying) {
        Access copy = cell.write;
        copy.caller = cell.copier;
        found(UNFINISHED, argument, index, write, caller, &copy, true);
    } else if (argument < 0 && !cell.written && !write) {
        found(UNWRITTEN, argument, index, write, caller, nullptr, false);
    }
    if (cell.written && !before(cell.write) && !(atomic && cell.write.atomic))
        found(RACE, argument, index, write, caller, &cell.write, true);
    if (!write) {
        if (cell.reads.empty() || cell.reads.back().thread != thread || cell.reads.back().caller != caller ||
            cell.reads.back().block != block || cell.reads.back().barrier != barrier)
            cell.reads.push_back(now);
        return;
    }
    for (const Access& read : cell.reads)
        if (!before(read)) found(RACE, argument, index, true, caller, &read, false);
    cell.reads.clear();
    cell.write = now, cell.written = true;
}

template <class Visit> static bool visit(const char* address, size_t bytes, bool write, const void* caller, Visit cells) {
    auto inside = [&](const char* data, size_t size, size_t cell, int argument, std::vector<Cell>& all) {
        if (address < data || address + bytes > data + size) {
            long long offset = address - data, index = offset < 0 ? (offset - (long long)cell + 1) / (long long)cell
                                                                  : offset / (long long)cell;
            found(OUTSIDE, argument, index, write, caller, nullptr, false);
            return;
        }
        if (all.empty()) return;
        for (size_t i = (address - data) / cell; i <= (address - data + bytes - 1) / cell; i++)
            cells(all[i], argument, static_cast<long long>(i));
    };
    if (address >= arena && address < arena + ARENA) {
        int place = -1;  // of the last array that begins before the address, with the gap before it
        for (size_t i = 0; i < shared_arrays.size(); i++)
            if (address >= shared_arrays[i].data - GAP) place = i;
        if (place < 0) return false;
        const Shared& array = shared_arrays[place];
        inside(array.data, array.bytes, array.cell, -1 - place, shared_cells[place]);
        return true;
    }
    for (size_t i = 0; i < regions.size(); i++) {
        const Array& array = regions[i].array;
        if (address < array.data - RED_ZONE || address >= array.data + array.bytes + RED_ZONE) continue;
        inside(array.data, array.bytes, array.cell, i, regions[i].cells);
        return true;
    }
    return false;
}

void note(const void* at, size_t bytes, bool write, bool atomic, const void* caller) {
    const char* address = static_cast<const char*>(at);
    bool known = visit(address, bytes, write, caller, [&](Cell& cell, int argument, long long index) {
        note_cell(cell, argument, index, write, atomic, caller);
    });
    if (known || (address >= own && address < own_end)) return;
    found(ELSEWHERE, 0, 0, write, caller, nullptr, false);
    fail("an access outside all arrays");
}

void note_copy_begins(const void* shared, size_t bytes, const void* caller) {
    note(shared, bytes, true, false, caller);
    visit(static_cast<const char*>(shared), bytes, true, caller,
          [&](Cell& cell, int, long long) { cell.copying = true, cell.copier = caller; });
}

void note_copy_ends(const void* shared, size_t bytes, const void* caller) {
    visit(static_cast<const char*>(shared), bytes, true, caller, [&](Cell& cell, int, long long) { cell.copying = false; });
    note(shared, bytes, true, false, caller);
}

void note_warp_synchronized(unsigned first, unsigned group) {
    unsigned seen[32] = {};
    for (unsigned i = 0; i < 32; i++) {
        if (!(group >> i & 1)) continue;
        for (unsigned j = 0; j < 32; j++) seen[j] = std::max(seen[j], clocks[first + i].seen[j]);
        seen[i] = std::max(seen[i], clocks[first + i].time);
    }
    for (unsigned i = 0; i < 32; i++)
        if (group >> i & 1) memcpy(clocks[first + i].seen, seen, sizeof seen), clocks[first + i].time++;
}

void note_block_synchronized() { barrier++; }

void divergent(const void* caller, const void* other) {
    Access access = {block, thread, barrier, 0, other, false};
    found(BARRIERS, 0, 0, false, caller, &access, false);
}

static void hook(const void* address, size_t bytes, bool write, const void* caller) {
    const char* at = static_cast<const char*>(address);
    if (!stack || (at >= stack && at < stack + STACK_BYTES)) return;  // while the library is loaded; a local variable
    note(address, bytes, write, false, caller);
}

static void undefined(Kind kind, long long what, const void* caller) {
    found(kind, 0, what, false, caller, nullptr, false);
    fail("undefined behaviour");
}
}  // namespace emulator

extern "C" int emulator_findings(const emulator::Finding** found) {
    *found = emulator::findings.data();
    return emulator::findings.size();
}

// What -fsanitize has the kernels call: of thread, before every access to memory; of others, where one of them goes wrong.
#define CALLER __builtin_return_address(0)
#define HOOKS(bytes)                                                                                        \
    extern "C" void __tsan_read##bytes(void* p) { emulator::hook(p, bytes, false, CALLER); }                \
    extern "C" void __tsan_write##bytes(void* p) { emulator::hook(p, bytes, true, CALLER); }                \
    extern "C" void __tsan_unaligned_read##bytes(void* p) { emulator::hook(p, bytes, false, CALLER); }      \
    extern "C" void __tsan_unaligned_write##bytes(void* p) { emulator::hook(p, bytes, true, CALLER); }
HOOKS(1) HOOKS(2) HOOKS(4) HOOKS(8) HOOKS(16)
extern "C" void __tsan_read_range(void* p, size_t n) { emulator::hook(p, n, false, CALLER); }
extern "C" void __tsan_write_range(void* p, size_t n) { emulator::hook(p, n, true, CALLER); }
extern "C" void __tsan_init() {}
extern "C" void __tsan_func_entry(void*) {}
extern "C" void __tsan_func_exit() {}

struct TypeMismatch { const char* file; unsigned line, column; const void* type; unsigned char log_alignment, access; };
extern "C" void __ubsan_handle_type_mismatch_v1(TypeMismatch* wrong, void*) {
    emulator::undefined(emulator::MISALIGNED, 1ll << wrong->log_alignment, CALLER);
}
extern "C" void __ubsan_handle_out_of_bounds(void*, void* index) {
    emulator::undefined(emulator::INDEX, static_cast<long long>(reinterpret_cast<intptr_t>(index)), CALLER);
}
#define OVERFLOW(name) \
    extern "C" void __ubsan_handle_##name(void*, void*, void*) { emulator::undefined(emulator::OVERFLOWS, 0, CALLER); }
OVERFLOW(add_overflow) OVERFLOW(sub_overflow) OVERFLOW(mul_overflow) OVERFLOW(divrem_overflow)
OVERFLOW(shift_out_of_bounds)
extern "C" void __ubsan_handle_negate_overflow(void*, void*) { emulator::undefined(emulator::OVERFLOWS, 0, CALLER); }
#endif
