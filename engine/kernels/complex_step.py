"""What complex-step differentiation asks of a function: where it branches, only real parts decide."""
from __future__ import annotations

from array_api_compat import array_namespace

from engine.arrays import Array


def real(x: Array) -> Array:
    """The real part: what a function that branches looks at, so that complex-step differentiation passes through it."""
    xp = array_namespace(x)
    return xp.real(x) if xp.isdtype(x.dtype, "complex floating") else x
