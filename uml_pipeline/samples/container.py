"""What every format of a silo promises: it lists its samples, and opens each when asked."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from uml_pipeline.silo.config import SiloConfig

Sample = Path | bytes | str | dict[str, object] | np.ndarray
"""image, audio: a local file, or its content; text: str; table: cells by column (None: missing); series: float32
[step, channel]; vector: float32 [dim]."""
Entry = dict[str, Any]
"""What a container says of a sample: `path` (text silos: `text`), and as far as it knows them `label`, `group` and the
official `split`, all str as they stand there; and `bad`, in a few words, for what cannot be a sample."""

SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
    "gate": "gate",
}
"""What others call the sides of a split, in small letters, and what we do."""


class Container(ABC):
    """The samples of one silo in one format. May be read by several threads at once."""

    def __init__(self, config: SiloConfig, source: Path) -> None:
        """`source` is the silo's file or folder: `config.path`, made absolute; a UPath where that is a URL.

        Raises:
            UserError: it is no such container, or so damaged that its samples cannot be told apart.
        """
        self.config, self.source = config, source

    @abstractmethod
    def entries(self) -> Iterator[Entry]:
        """All samples without decoding them, always in the same order. What is wrong with one does not stop the others.

        `path` is what `read` takes and the manifest keeps: `config.path` and the place in it. A file below a folder:
        `data/photos/dog/1.jpg`; a row of a file: `data/rows.csv#17`; a part of a file in a folder:
        `data/shards/train-0.tar#000123.jpg`. It is the same on every machine.

        Raises:
            UserError: a column that the configuration names is not there.
        """

    @abstractmethod
    def read(self, path: str) -> Sample:
        """The sample that `entries` listed so. Text silos are never asked.

        Raises:
            UserError: it is not there, or damaged; `what` is the reason in a few words without names or numbers of the
                sample, since reasons are counted.
        """

    def classes(self) -> set[str]:
        """Names of classes that the container knows even if they have no sample."""
        return set()
