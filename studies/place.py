"""Where studies run, and where the data sets and weights lie that they read."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """A folder for a study's silos and artifacts (features are kept in it between settings), and the data's folder."""

    folder: Path
    data: Path

    @classmethod
    def at(cls, folder: Path) -> "Place":
        """The data are where UML_DATA_DIR says.

        Raises:
            SystemExit: it says nothing.
        """
        if "UML_DATA_DIR" not in os.environ:
            raise SystemExit("studies read data sets that are not part of this repository: set UML_DATA_DIR to them")
        folder.mkdir(parents=True, exist_ok=True)
        return cls(folder.resolve(), Path(os.environ["UML_DATA_DIR"]).resolve())

    def set(self, name: str) -> Path:
        """The folder of a data set."""
        return self.data / "datasets" / name

    def weights(self, name: str) -> str:
        """The file of an encoder's weights."""
        return str(self.data / "weights" / f"{name}.safetensors")
