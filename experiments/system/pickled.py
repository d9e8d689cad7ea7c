"""Values and calls that go to another thread or process as bytes, pickled at once in the thread that sends them.

An executor pickles a call later, in a thread of its own, while others use the same objects; several executors do so at
the same time. CPython 3.11 builds an object's `__dict__` when pickle asks for it, and where two threads ask together
both dictionaries own one array of values: a crash at some later garbage collection. Bytes have nothing to build, and
what changes after the call was submitted does not reach it.
"""
from __future__ import annotations

import pickle
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Pickled(Generic[Value]):
    """A value that several calls share: pickled once, however many they are."""
    content: bytes

    @classmethod
    def of(cls, value: Value) -> Pickled[Value]:
        return cls(pickle.dumps(value))

    def load(self) -> Value:
        """A copy of the value."""
        return pickle.loads(self.content)


def pickled_call(function: Callable[..., Any], /, *arguments: Any, **named: Any) -> bytes:
    """function(*arguments, **named), for `call`: executor.submit(call, pickled_call(function, argument))."""
    return pickle.dumps((function, arguments, named))


def call(content: bytes) -> Any:
    function, arguments, named = pickle.loads(content)
    return function(*arguments, **named)


class PicklingExecutor(Executor):
    """Submits to another executor, which stays its owner's, calls that are pickled in the thread that submits them."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future:
        return self.executor.submit(call, pickled_call(function, *arguments, **named))
