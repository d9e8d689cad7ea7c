"""Memory that stays with the process when an array is freed."""
from __future__ import annotations

import ctypes
import platform

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # malloc.h


def keep_freed_memory() -> None:
    """Have the C library keep the memory of freed arrays for the next ones; nothing where it is not glibc.

    A step allocates and frees the same large arrays again and again. By default glibc maps each one anew and gives it
    back to the system, which fills every page of it with zeros the next time: a seventh of the processor time of a
    training step of the VGG. Kept, the memory is there at once; the process is as large as the step's peak either way,
    but stays so. The setting is the whole process's, which has only one malloc: it is for the program to make, once, at
    its start.
    """
    if platform.libc_ver()[0] == "glibc":
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, -1)
