"""Reads pickles, joblib's too, as data: no class of them is imported and no function of them is called.

An artifact is code for whoever loads it. To compare two of them nobody has to: a pickle is a list of instructions that build
objects, and here each object that it would build is a `Built` with the name of its class, its arguments and its state.
Only numpy's own arrays and types, and Python's containers, are made as they are.
"""

import bz2
import gzip
import io
import lzma
import pickle
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any, BinaryIO, ClassVar

import numpy as np

_PLAIN = {
    "builtins": {"bytearray", "bytes", "complex", "frozenset", "range", "set", "slice"},
    "collections": {"OrderedDict"},
    "datetime": {"date", "datetime", "time", "timedelta", "timezone"},
    "numpy": {"dtype", "ndarray"},
    "numpy.core.multiarray": {"_reconstruct", "scalar"},
    "numpy._core.multiarray": {"_reconstruct", "scalar"},
    "numpy.core.numeric": {"_frombuffer"},
    "numpy._core.numeric": {"_frombuffer"},
    "_codecs": {"encode"},
}
"""Classes and functions that build data alone."""
_COMPRESSED: dict[bytes, Callable[[bytes], bytes]] = {
    b"\x1f\x8b": gzip.decompress,
    b"BZh": bz2.decompress,
    b"\xfd7zXZ": lzma.decompress,
    b"\x5d\x00\x00": lzma.decompress,
    b"\x78": zlib.decompress,
}
"""Formats of joblib.dump(compress=…), by their first bytes."""
_PROTOCOL = b"\x80"


class Unreadable(Exception):
    """The bytes are no pickle, or one that cannot be read without running it."""


class Built:
    """What a pickle would build: the name of its class or function, its arguments, its state and its items."""

    _name = ""

    def __new__(cls, *arguments: Any, **named: Any) -> "Built":
        """Keep the arguments of the call."""
        made = super().__new__(cls)
        made.arguments, made.named = arguments, named
        made.state, made.items, made.entries = None, [], {}
        return made

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self.arguments: tuple[Any, ...]
        self.named: dict[str, Any]
        self.state: Any
        self.items: list[Any]
        self.entries: dict[Any, Any]

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def append(self, item: Any) -> None:
        """An item of a list."""
        self.items.append(item)

    add = append
    """An item of a set."""

    def extend(self, items: Any) -> None:
        """Items of a list."""
        self.items.extend(items)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.entries[key] = value

    def parts(self) -> dict[str, Any]:
        """The members that are compared. A state is most often a dictionary of attributes."""
        state = self.state
        if isinstance(state, tuple) and len(state) == 2 and isinstance(state[1], dict):  # attributes and slots
            state = {**(state[0] or {}), **state[1]}
        attributes = {f".{name}": value for name, value in state.items()} if isinstance(state, dict) else {"": state}
        return {"()": self.arguments, "(**)": self.named, "[]": self.items, "{}": self.entries, **attributes}


@cache
def _stand_in(name: str) -> type[Built]:
    return type(name.rpartition(".")[2] or name, (Built,), {"_name": name})


def name_of(value: Any) -> str | None:
    """The name of the class that a `Built` stands for, or that a reference names; None for other values."""
    kind = value if isinstance(value, type) else type(value)
    return kind._name if issubclass(kind, Built) else None


def read(content: bytes) -> Any:
    """The objects of a pickle or of a file of joblib. Raises Unreadable."""
    for start, decompress in _COMPRESSED.items():
        if content.startswith(start):
            try:
                content = decompress(content)
            except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
                raise Unreadable(f"it cannot be decompressed: {error}") from error
            break
    if not content.startswith(_PROTOCOL):
        raise Unreadable("it is no pickle")
    try:
        return _Reader(io.BytesIO(content)).load()
    except Exception as error:  # a pickle can make Python's unpickler raise anything
        raise Unreadable(f"it cannot be read as a pickle: {type(error).__name__}: {error}") from error


# Its twin in C has no place for joblib's arrays, which lie between the instructions; joblib's reader extends this one, too.
_Unpickler: Any = pickle._Unpickler  # type: ignore[attr-defined]


class _Reader(_Unpickler):
    """Python's own unpickler, with stand-ins in place of classes, and with joblib's arrays."""

    dispatch: ClassVar[dict[int, Any]] = dict(_Unpickler.dispatch)

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self._file = file

    def find_class(self, module: str, name: str) -> Any:
        """A stand-in, or the class itself where it can only hold data."""
        if name in _PLAIN.get(module, ()):
            return super().find_class(module, name)
        return _stand_in(f"{module}.{name}")

    def load_build(self) -> None:
        """The instruction BUILD: sets an object's state. That of joblib's wrapper is followed by the array's bytes."""
        super().load_build()
        made = self.stack[-1]
        if name_of(made) == "joblib.numpy_pickle.NumpyArrayWrapper":
            self.stack[-1] = self._array(made.state)

    dispatch[pickle.BUILD[0]] = load_build

    def _array(self, wrapper: dict[str, Any]) -> Any:
        """The array of joblib's NumpyArrayWrapper (joblib/numpy_pickle.py: NumpyArrayWrapper.read_array)."""
        dtype, shape = wrapper["dtype"], wrapper["shape"]
        if dtype.hasobject:
            return type(self)(self._file).load()
        if wrapper.get("numpy_array_alignment_bytes") is not None:
            self._file.read(self._file.read(1)[0])
        size = dtype.itemsize * int(np.prod(shape, dtype="int64"))
        flat = np.frombuffer(self._file.read(size), dtype)
        return flat.reshape(shape[::-1]).transpose() if wrapper["order"] == "F" else flat.reshape(shape)
