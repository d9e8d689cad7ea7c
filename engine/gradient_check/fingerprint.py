"""A digest of all that a value holds and, for a layer, of the state that its code can reach."""
from __future__ import annotations

import operator
import random
from collections import deque
from collections.abc import Iterable, Iterator
from functools import cached_property, partial
from hashlib import blake2b
from types import BuiltinFunctionType, CodeType, FunctionType, GeneratorType, MethodType, ModuleType
from typing import Any

import numpy as np

from engine.layer import Layer

PLAIN = (str, bytes, bytearray, int, float, complex, bool, type(None), np.generic)
CONTAINERS = (dict, list, tuple, set, frozenset, deque)
GENERATORS = (np.random.Generator, np.random.RandomState, random.Random)
DESCRIPTORS = (staticmethod, classmethod, property, cached_property)


def fingerprint(value: Any) -> bytes:
    """Equal for equal contents: arrays bit by bit, containers and objects by what they hold, generators by state.

    A layer's contents are also the attributes of its class, and of a function what it closes over, its defaults, its
    attributes and the module's variables that it names. Code of another module is not looked into: what NumPy, or the
    kernels that a layer calls, keep is their own.
    """
    return _Walk().digest(value)


def layers_within(layer: Layer, path: str = "") -> Iterator[tuple[str, Layer]]:
    """(path, layer) of a layer and of all those inside it."""
    yield path, layer
    for name, child in layer.children.items():
        yield from layers_within(child, f"{path}.{name}".lstrip("."))


def state_of(layer: Layer) -> dict[str, bytes]:
    """The fingerprints of all that a pass could leave behind, by the name that tells a reader where to look."""
    walk = _Walk()
    state = {"the global random generators": walk.digest((np.random.get_state(), random.getstate()))}  # noqa: NPY002
    for path, one in layers_within(layer):
        where = f"layer '{path}': " if path else ""
        state |= {f"{where}attribute '{name}'": walk.digest(value) for name, value in vars(one).items()
                  if name != "children"}
    for owner in dict.fromkeys(owner for _, one in layers_within(layer) for owner in classes_of(one)):
        state[f"class {owner.__qualname__}: its attributes, or what its functions reach"] = walk.digest(owner)
    return state


def classes_of(layer: Layer) -> list[type]:
    """Those that a layer's code comes from."""
    return [owner for owner in type(layer).__mro__ if owner not in (Layer, object)]


class _Walk:
    def __init__(self) -> None:
        self.seen: dict[int, tuple[int, Any]] = {}  # holds on to what it names: the id of a freed object comes again

    def digest(self, value: Any) -> bytes:
        self.hash = blake2b(digest_size=16)
        self.walk(value)
        return self.hash.digest()

    def walk(self, value: Any) -> None:
        if isinstance(value, np.ndarray) and not value.dtype.hasobject:
            self.put(f"{value.dtype}{value.shape}")
            self.hash.update(np.ascontiguousarray(value).tobytes())
        elif isinstance(value, PLAIN):
            self.put(f"{type(value).__name__} {value!r}")
        elif isinstance(value, (ModuleType, BuiltinFunctionType)) or type(value).__module__ in ("weakref", "_weakref"):
            pass
        elif id(value) in self.seen:
            self.put(f"seen {self.seen[id(value)][0]}")
        else:
            self.seen[id(value)] = len(self.seen), value
            self.put(f"{type(value).__name__} of")
            for part in self.parts(value):
                self.walk(part)

    def put(self, text: str) -> None:
        self.hash.update(text.encode(errors="surrogatepass"))

    def parts(self, value: Any) -> Iterable[Any]:
        """What a value is made of, if it is no array and no plain number or text."""
        if isinstance(value, np.ndarray):
            return [value.shape, value.tolist()]
        if isinstance(value, GENERATORS):
            return [value.bit_generator.state if isinstance(value, np.random.Generator) else
                    value.get_state() if isinstance(value, np.random.RandomState) else value.getstate()]
        if isinstance(value, dict):
            return [len(value), *(part for item in value.items() for part in item), *_attributes(value)]
        if isinstance(value, (set, frozenset)):
            return self.unordered(value)
        if isinstance(value, CONTAINERS):
            return [len(value), *value, *_attributes(value)]
        if isinstance(value, type):
            return _class_parts(value)
        if isinstance(value, FunctionType):
            return _function_parts(value)
        if isinstance(value, MethodType):
            return [value.__self__, value.__func__]
        if isinstance(value, partial):
            return [value.func, value.args, value.keywords]
        if isinstance(value, DESCRIPTORS):
            return [getattr(value, name, None) for name in ("__func__", "fget", "fset", "func")]
        if isinstance(value, GeneratorType):
            return [] if value.gi_frame is None else [value.gi_frame.f_lasti, dict(value.gi_frame.f_locals)]
        if parts := _attributes(value):
            return [*parts, *(classes_of(value) if isinstance(value, Layer) else ())]
        return [repr(value), operator.length_hint(value, -1)]  # how far an iterator is, what a counter says

    def unordered(self, items: Iterable[Any]) -> list[bytes]:
        outer, found = self.hash, []
        for item in items:
            found.append(self.digest(item))
        self.hash = outer
        return sorted(found)


def _attributes(value: Any) -> list[Any]:
    slots = [name for owner in type(value).__mro__ for name in _names(owner.__dict__.get("__slots__", ()))]
    held = {name: getattr(value, name) for name in slots if name not in ("__dict__", "__weakref__")
            and hasattr(value, name)} | getattr(value, "__dict__", {})
    return [held] if held or hasattr(value, "__dict__") else []


def _names(slots: str | Iterable[str]) -> Iterable[str]:
    return (slots,) if isinstance(slots, str) else slots


def _class_parts(owner: type) -> list[Any]:
    return [part for name, value in list(vars(owner).items()) if name not in ("__dict__", "__weakref__", "__doc__")
            and _own(value, owner.__module__) for part in (name, value)]


def _function_parts(function: FunctionType) -> list[Any]:
    if hasattr(function, "registry"):  # functools.singledispatch: what it remembers of types is its own
        return [version for version in function.registry.values()
                if isinstance(version, FunctionType) and version.__module__ == function.__module__]
    parts: list[Any] = [function.__defaults__, function.__kwdefaults__, dict(vars(function))]
    for cell in function.__closure__ or ():
        try:
            parts.append(cell.cell_contents)
        except ValueError:  # not filled yet
            continue
    variables = function.__globals__
    return parts + [part for name in sorted(_named_in(function.__code__)) if name in variables
                    and _own(variables[name], function.__module__) for part in (name, variables[name])]


def _named_in(code: CodeType) -> set[str]:
    inner = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    return set(code.co_names).union(*map(_named_in, inner))


def _own(value: Any, module: str) -> bool:
    """Whether a variable is data, or code of this module."""
    if isinstance(value, (np.ndarray, *PLAIN, *CONTAINERS, *GENERATORS, *DESCRIPTORS, GeneratorType)):
        return True
    if isinstance(value, (type, FunctionType)):
        return value.__module__ == module
    return type(value).__module__ in (module, "itertools", "builtins") and not isinstance(value, ModuleType)
