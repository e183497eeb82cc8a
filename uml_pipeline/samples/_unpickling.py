"""Pickles as data. Nothing that a pickle asks for is done: its calls are noted, and only notes that describe NumPy
arrays of numbers and text are understood, when somebody wants that array.

So there is nothing to get around: no module is imported, no class is made, no attribute is followed, and memory is
taken for what the file holds, not for what it claims.
"""

import math
import pickle
import re
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from uml_pipeline.errors import UserError

_MULTIARRAY = ("numpy.core.multiarray", "numpy._core.multiarray")  # before and since NumPy 2
_KNOWN = {
    *((module, name) for module in _MULTIARRAY for name in ("_reconstruct", "scalar")),
    *((module, "_frombuffer") for module in ("numpy.core.numeric", "numpy._core.numeric")),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
}
_NEVER = (
    pickle.INST + pickle.OBJ + pickle.NEWOBJ + pickle.NEWOBJ_EX + pickle.EXT1 + pickle.EXT2 + pickle.EXT4
    + pickle.PERSID + pickle.BINPERSID + pickle.NEXT_BUFFER + pickle.READONLY_BUFFER
)  # fmt: skip
_CODE = re.compile(r"[<>=|]?([biufSUO][1-9]\d{0,8}|\?)")
_PLAIN = (str, bytes, int, float, type(None))
_FEW = 16  # values of one label or name; what is longer has to be an array, whose memory the file itself fills


def load_pickle(source: Path) -> Any:
    """The lists, dicts, tuples, numbers and texts of a pickle; `as_array` makes arrays of what else it holds.

    Raises:
        UserError: it is no whole pickle, or asks for something that is neither a NumPy array nor plain data.
    """
    try:
        with source.open("rb") as file:
            return _Reader(file, encoding="latin1").load()  # as NumPy's own documentation says for those of Python 2
    except UserError as error:
        raise UserError(error.what, where=f"{source}: {error.where}", fix=error.fix) from None
    except Exception as error:  # a damaged pickle may raise anything, says Python's documentation
        raise _damaged(f"{source}: {error!a:.200}") from None


def as_array(value: Any, where: str) -> np.ndarray:
    """A noted array as it was (of objects: plain ones only), or a list of plain values or of short rows as an array of
    objects.

    Raises:
        UserError: it is no such array.
    """
    try:
        return _rows(value) if isinstance(value, list | tuple) else _array(value)
    except Exception as error:  # the notes may be of any kind and size
        raise _damaged(f"{where}: {error!a:.200}") from None


class _Note:
    """What was to be called, with what, and the state that the result was to have. Without `__dict__`: pickles write
    to it.
    """

    __slots__ = ("arguments", "name", "state")

    def __init__(self, name: str, arguments: tuple) -> None:
        self.name, self.arguments = name, arguments
        self.state: Any = ()

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Callable:
    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, *arguments: Any) -> _Note:
        return _Note(self.name, arguments)


class _Reader(pickle._Unpickler):  # the one in C takes the memory that a pickle claims to need
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _KNOWN:
            fix = "take the file from a source that you trust; arrays and plain values are read, nothing else"
            raise UserError("the pickle asks for more than data", where=ascii(f"{module}.{name}"), fix=fix)
        return _Callable(name)

    def _load_bytearray(self) -> None:
        self.append(self.read(int.from_bytes(self.read(8), "little")))  # type: ignore[attr-defined]

    dispatch: ClassVar[dict[int, Any]] = {
        code: load for code, load in pickle._Unpickler.dispatch.items() if code not in _NEVER
    } | {pickle.BYTEARRAY8[0]: _load_bytearray}


def _array(note: _Note) -> np.ndarray:
    if note.name == "_frombuffer":  # protocol 5, contiguous
        raw, dtype, shape, order, *axes = note.arguments
        array = _filled(shape, dtype, raw, "F" if order == "F" else "C")
        return array.transpose(axes[0]) if order == "K" and axes[0] else array
    if note.name != "_reconstruct":
        raise ValueError(f"{note.name} is no array")
    shape, dtype, fortran, raw = note.state[-4:]  # before them a version, but for very old files
    return _filled(shape, dtype, raw, "F" if fortran else "C")


def _filled(shape: tuple, dtype: _Note, raw: Any, order: Any) -> np.ndarray:
    kind = _dtype(dtype)
    if kind.hasobject:
        return _objects(raw).reshape(shape, order=order)
    content = _bytes(raw)
    if len(content) != math.prod(shape) * kind.itemsize:
        raise ValueError("the array is not as long as its shape says")
    array = np.ndarray(shape, kind, content, order=order)
    return array.astype(object) if kind.kind in "SU" else array  # checks that it is text


def _dtype(note: _Note) -> np.dtype:
    code = note.arguments[0]
    if note.name != "dtype" or not _CODE.fullmatch(code) or any(part is not None for part in note.state[2:5]):
        raise ValueError(f"the type {code!r:.50} is not read")
    dtype = np.dtype(code)
    return dtype.newbyteorder(note.state[1]) if note.state else dtype


def _bytes(raw: Any) -> bytes:
    if isinstance(raw, _Note) and raw.name == "encode" and raw.arguments[1:] == ("latin1",):  # protocols before 3
        raw = raw.arguments[0]
    content = raw.encode("latin1") if isinstance(raw, str) else raw
    if not isinstance(content, bytes):
        raise ValueError("the array has no content")
    return content


def _is_array(item: Any) -> bool:
    return isinstance(item, _Note) and item.name in ("_reconstruct", "_frombuffer")


def _rows(items: list | tuple) -> np.ndarray:
    if not any(isinstance(item, list | tuple) or _is_array(item) for item in items):
        return _objects(items)
    rows = [_objects(item) if isinstance(item, list | tuple) else _array(item) for item in items]
    if max(row.size for row in rows) > _FEW:
        raise ValueError("a list of long rows is not read")
    return np.stack([row.astype(object) for row in rows])


def _objects(items: list | tuple) -> np.ndarray:
    array = np.empty(len(items), object)
    array[:] = [_scalar(item) for item in items]
    return array


def _scalar(item: Any) -> Any:
    if isinstance(item, _Note) and item.name == "scalar":
        dtype, raw = item.arguments
        return _filled((), dtype, raw, "C").item()
    if not isinstance(item, _PLAIN):
        raise ValueError(f"an array of {type(item).__name__} is not read")
    return item


def _damaged(where: str) -> UserError:
    return UserError("the pickle is damaged", where=where, fix="get the file again, or save it as .npz")
