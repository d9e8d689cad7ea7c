"""What a kernel file says: its kernels' parameters, and the instances of them that there are."""
from __future__ import annotations

import operator
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent
# C++ type: NumPy's, and the letter that g++ has for it (Itanium ABI, 5.1.5)
TYPES = {"float": ("float32", "f"), "double": ("float64", "d"), "int": ("int32", "i"), "unsigned": ("uint32", "j"),
         "long long": ("int64", "x"), "unsigned long long": ("uint64", "y"), "unsigned char": ("uint8", "h"),
         "bool": ("bool", "b")}
KERNEL = re.compile(r"(?:template\s*<(?P<template>[^>]*)>\s*)?__global__\s+void\s+(?:__launch_bounds__\((?:[^()]|"
                    r"\([^()]*\))*\)\s*)?(?P<name>\w+)\s*\((?P<parameters>[^)]*)\)")
INSTANCE = re.compile(r"^INSTANTIATE\((?P<instance>.*)\)(?:\s*// registers: (?P<registers>\d+))?\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Parameter:
    """One parameter of a kernel: the name and C++ type; a pointer takes an array, or None.

    is_table: a pointer to pointers, T* const*, which takes a list of arrays.
    """
    name: str
    type: str
    is_pointer: bool
    is_const: bool
    is_table: bool = False

    @property
    def dtype(self) -> np.dtype:
        """NumPy's dtype of the number, or of those that a pointer leads to."""
        return np.dtype(TYPES[self.type][0])

    @property
    def mangled(self) -> str:
        """The type as g++ writes it into a function's name (Itanium ABI, 5.1.5)."""
        return self.is_table * "PK" + self.is_pointer * ("P" + self.is_const * "K") + TYPES[self.type][1]

    def scalar(self, value: Any, kernel: str) -> np.generic:
        """The number in the parameter's type. Raises TypeError where it is of another kind, OverflowError."""
        try:
            value = value if self.dtype.kind == "f" else operator.index(value)
            return self.dtype.type(value)
        except TypeError:
            raise TypeError(f"{kernel} was given {value!r} for {self.name}; expected a number that is "
                            f"{self.type}") from None


@dataclass(frozen=True)
class Signature:
    """An instance of a kernel. registers: how many a thread may take, the number that stands beside it in the file."""
    file: str
    instance: str
    parameters: tuple[Parameter, ...]
    registers: int

    @property
    def name(self) -> str:
        """The file and the instance, `activations.relu<float>`."""
        return f"{self.file}.{self.instance}"

    def each(self, arguments: Sequence[Any]) -> Iterator[tuple[Parameter, Any]]:
        """The parameters with their arguments, a table's with each of its arrays."""
        for parameter, argument in zip(self.parameters, arguments, strict=True):
            for each in argument if parameter.is_table else (argument,):
                yield parameter, each

    def expect(self, arguments: Sequence[Any]) -> None:
        """Raises TypeError unless these are as many as the parameters, arrays for pointers, of their dtypes.

        And ValueError for an array whose numbers do not lie one behind the other.
        """
        if len(arguments) != len(self.parameters):
            raise TypeError(f"{self.name} was given {len(arguments)} arguments; expected {len(self.parameters)}: "
                            + ", ".join(parameter.name for parameter in self.parameters))
        for parameter, argument in self.each(arguments):
            given = f"{self.name} was given "
            if hasattr(argument, "dtype") and hasattr(argument, "__setitem__"):
                if not parameter.is_pointer:
                    raise TypeError(f"{given}an array for {parameter.name}; expected one number, {parameter.type}")
                if argument.dtype != parameter.dtype:
                    raise TypeError(f"{given}an array of {argument.dtype} for {parameter.name}; expected "
                                    f"{parameter.dtype}, which is {parameter.type} there")
                if not argument.flags.c_contiguous:
                    raise ValueError(f"{given}an array of strides {argument.strides} for {parameter.name}; expected "
                                     "its numbers one behind the other: contiguous(array)")
            elif parameter.is_pointer and argument is not None:
                raise TypeError(f"{given}{argument!r} for {parameter.name}; expected an array of {parameter.dtype}, "
                                "or None")


def parse(text: str, file: str) -> dict[str, Signature]:
    """The instances in a kernel file's text. Raises ValueError where it is written in another way."""
    plain = re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL)
    kernels = {found["name"]: found for found in KERNEL.finditer(plain)}
    instances = {}
    for found in INSTANCE.finditer(text):
        instance = " ".join(found["instance"].split())
        name, _, values = instance.removesuffix(">").partition("<")
        if name not in kernels:
            raise ValueError(f"{file}.cu: INSTANTIATE({instance}) names no kernel of the file; those that were found: "
                             f"{', '.join(kernels) or 'none'}")
        if found["registers"] is None:
            raise ValueError(f"{file}.cu: INSTANTIATE({instance}) lacks its ceiling; expected '// registers: 32' or "
                             "another number behind it")
        names = [part.split()[-1] for part in (kernels[name]["template"] or "").split(",") if part.strip()]
        given = dict(zip(names, (value.strip() for value in values.split(",")), strict=False))
        parameters = tuple(_parameter(part, given, f"{file}.cu: {name}")
                           for part in kernels[name]["parameters"].split(",") if part.strip())
        instances[instance] = Signature(file, instance, parameters, int(found["registers"]))
    if unused := kernels.keys() - {instance.partition("<")[0] for instance in instances}:
        raise ValueError(f"{file}.cu: no INSTANTIATE line for {', '.join(sorted(unused))}")
    return instances


def _parameter(text: str, given: dict[str, str], where: str) -> Parameter:
    words = text.replace("*", " * ").replace("__restrict__", "").split()
    name, kind = words[-1], " ".join(word for word in words[:-1] if word not in ("const", "*"))
    kind = given.get(kind, kind)
    if kind not in TYPES:
        raise ValueError(f"{where}: parameter '{text.strip()}' is of a type that is not expected; expected one of "
                         f"{', '.join(TYPES)}, or a pointer to one, or a template's parameter")
    if words.count("*") > 1 and words[-4:-1] != ["*", "const", "*"]:
        raise ValueError(f"{where}: parameter '{text.strip()}' is no table of arrays; expected {kind}* const* {name}")
    return Parameter(name, kind, "*" in words, words[0] == "const" and "*" in words, words.count("*") == 2)


@cache
def text_of(file: str) -> str:
    """The text of one of the package's kernel files; file: its name without .cu."""
    return (FOLDER / f"{file}.cu").read_text("utf-8")


@cache
def signatures(file: str) -> dict[str, Signature]:
    """The instances of one of the package's kernel files, `relu<float>` and so on, by name."""
    return parse(text_of(file), file)


def files() -> list[str]:
    """The package's kernel files, by name."""
    return sorted(path.stem for path in FOLDER.glob("*.cu"))
