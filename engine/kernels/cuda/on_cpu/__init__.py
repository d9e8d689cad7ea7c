"""Stands in for a GPU: the same kernel files compiled by g++ and run on the CPU, thread by thread.

It is for finding mistakes, on machines without a GPU, and slow. A launch with arguments of EmulatedArray comes here by
itself; `emulating` says in which order the threads run, and whether every access to memory is checked:

    with emulating("shuffled", seed=3, checked=True):
        relu(emulated(x))

Checked or not, it notices writes right beside an array and accesses far from any, divergent barriers, cp.async that
was not waited for (NaN), shared memory that was not written (NaN). Checked, four to ten times as slow, it raises
KernelError with the lines of

- every pair of conflicting accesses of two threads without a barrier between, in shared and in global memory (of two
  blocks, too), whether or not it changed a result this time;
- every read and write outside an array, and indices beyond an array's dimension;
- reads of shared memory that nobody wrote, accesses to what cp.async has under way;
- addresses that are no multiple of what they should be, signed integers that overflow;
- barriers of different lines that met.

Not emulated: the GPU's rounding of sums and special functions, its caches, its speed; several kernels at once.
"""
from engine.kernels.cuda.on_cpu.build import CompileError
from engine.kernels.cuda.on_cpu.findings import KernelError
from engine.kernels.cuda.on_cpu.program import Program, emulating, run

__all__ = ["CompileError", "KernelError", "Program", "emulating", "run"]
