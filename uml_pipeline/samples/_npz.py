"""NumPy's .npz files: their arrays, and samples as rows of them."""

import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np

from uml_pipeline.errors import UserError
from uml_pipeline.samples._cells import numbers

# What zipfile and NumPy raise for damaged files; an array of objects would be a pickle, and is a ValueError.
_DAMAGE = (
    OSError, ValueError, TypeError, KeyError, EOFError, MemoryError, OverflowError, RuntimeError, SyntaxError,
    struct.error, zlib.error, lzma.LZMAError, zipfile.BadZipFile,
)  # fmt: skip
_DIMS = {"vector": 2, "series": 3}
_MISSING = "its steps are not in the array"


def read_npy(content: bytes, where: str) -> np.ndarray:
    """The array in the content of an .npy file.

    Raises:
        UserError: it is none, or damaged, or one of objects.
    """
    try:
        return np.lib.format.read_array(BytesIO(content), allow_pickle=False)
    except _DAMAGE as error:
        fix = "save it again with numpy.save, without objects"
        raise UserError("not a readable array", where=f"{where}: {error}", fix=fix) from None


class Arrays:
    """The arrays of one .npz, each read when asked for."""

    def __init__(self, source: Path) -> None:
        """Raises:
        UserError: it is no such file.
        """
        self.source = source
        with self._opened() as archive:
            members = archive.namelist()
        self.names = [name.removesuffix(".npy") for name in members if name.endswith(".npy")]
        if len(set(self.names)) < len(self.names):
            raise self.unfit("an array stands twice in the .npz file", "save it again with numpy.savez")

    def get(self, name: str) -> np.ndarray:
        """One of them.

        Raises:
            UserError: there is no such array, or it is damaged, or one of objects.
        """
        if name not in self.names:
            fix = f"correct the name in params.yaml; the arrays are: {', '.join(self.names)}"
            raise self.unfit(f"no array {name!r}", fix)
        with self._opened() as archive, archive.open(f"{name}.npy") as member:
            array = np.lib.format.read_array(member, allow_pickle=False)
            member.read()  # to the end, where the checksum is compared
            return array

    def column(self, name: str, rows: int) -> list[object]:
        """A 1-d array of so many names or whole numbers.

        Raises:
            UserError: as `get` does, or it is no such array.
        """
        array = self.get(name)
        if array.ndim != 1 or array.dtype.kind not in "SUbiu":
            raise self.unfit(
                f"array {name!r} is not one name or whole number a sample", "correct its name, or save it so"
            )
        if len(array) != rows:
            raise self.unfit("arrays of unequal length", f"{name!r} has {len(array)} rows, the samples have {rows}")
        return array.tolist()

    def samples(self) -> str:
        """The name of the only array of floats with two dimensions or more.

        Raises:
            UserError: there is none, or several.
        """
        found = [name for name in self.names if self._may_be_samples(name)]
        if len(found) == 1:
            return found[0]
        fix = f"write `array:` in params.yaml, and one of: {', '.join(found or self.names)}"
        raise self.unfit("which array holds the samples is not said", fix)

    def unfit(self, what: str, fix: str) -> UserError:
        """An error about this file."""
        return UserError(what, where=str(self.source), fix=fix)

    def _may_be_samples(self, name: str) -> bool:
        with self._opened() as archive, archive.open(f"{name}.npy") as member:
            first = np.lib.format.read_magic(member) == (1, 0)
            read = np.lib.format.read_array_header_1_0 if first else np.lib.format.read_array_header_2_0
            shape, _, dtype = read(member)
            return dtype.kind == "f" and len(shape) > 1

    @contextmanager
    def _opened(self) -> Iterator[zipfile.ZipFile]:
        try:
            with self.source.open("rb") as file, zipfile.ZipFile(file) as archive:
                yield archive
        except _DAMAGE as error:
            fix = "save it again with numpy.savez, without arrays of objects"
            raise UserError("the .npz file is damaged", where=f"{self.source}: {error}", fix=fix) from None


@dataclass(frozen=True)
class Rows:
    """The samples in one array."""

    modality: str
    values: np.ndarray  # [sample, dim] or [sample, step, channel]; with offsets: [step of all samples, channel]
    lengths: np.ndarray | None  # [sample]: steps before the padding
    offsets: np.ndarray | None  # [sample + 1]: where each begins and the last one ends

    def __len__(self) -> int:
        return len(self.values) if self.offsets is None else len(self.offsets) - 1

    def fault(self, row: int) -> str | None:
        """Why this row is no sample."""
        if self.offsets is not None:
            start, stop = self.offsets[row : row + 2].tolist()
            return None if 0 <= start < stop <= len(self.values) else _MISSING
        if self.lengths is not None:
            return None if 0 < self.lengths[row] <= self.values.shape[1] else _MISSING
        return None

    def read(self, row: int) -> np.ndarray:
        """One sample, float32.

        Raises:
            UserError: it is no sample.
        """
        if fault := self.fault(row):
            raise UserError(fault, where="inside its container", fix="save the array again")
        if self.offsets is not None:
            return numbers(self.values[slice(*self.offsets[row : row + 2].tolist())], self.modality)
        sample = self.values[row]
        return numbers(sample if self.lengths is None else sample[: self.lengths[row]], self.modality)


def read_rows(arrays: Arrays, name: str | None, modality: str | None = None) -> Rows:
    """The array of that name, or the only one of samples; of sequences with their `lengths` or `offsets`.

    Without a modality the arrays say it: three dimensions or `offsets` are series.

    Raises:
        UserError: no such arrays, or they do not fit the modality or each other.
    """
    values = arrays.get(name or arrays.samples())
    ragged = modality != "vector" and values.ndim == 2 and "offsets" in arrays.names
    modality = modality or ("series" if ragged or values.ndim == 3 else "vector")
    fits = ragged or values.ndim == _DIMS[modality]
    if values.dtype.kind not in "biuf" or not fits or 0 in values.shape[1:]:
        fix = "vectors are [sample, dim], series [sample, step, channel]; correct `array` or `modality` in params.yaml"
        raise arrays.unfit("the array does not hold such samples", fix)
    offsets = _whole(arrays, "offsets") if ragged else None
    lengths = _whole(arrays, "lengths") if values.ndim == 3 and "lengths" in arrays.names else None
    if (lengths is not None and len(lengths) != len(values)) or (offsets is not None and not len(offsets)):
        raise arrays.unfit("arrays of unequal length", "save one of `lengths` a sample, or of `offsets` and one more")
    return Rows(modality, values, lengths, offsets)


def _whole(arrays: Arrays, name: str) -> np.ndarray:
    array = arrays.get(name)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise arrays.unfit(f"`{name}` are not whole numbers in a row", "save them so")
    return array
