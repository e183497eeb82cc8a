"""A model's folder: its files, its hash, and what is told of one that is no good."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from uml_pipeline.errors import UserError
from uml_pipeline.workspace import fingerprint_of, sha256

WEIGHTS, CONFIG, LABELS, CARD = "model.safetensors", "config.json", "labels.json", "README.md"
STANDARDISED, PLAIN, READ = "unit(unit(x) - centre)", "x", "reader(sequence)"
"""What is done to the encoder's vectors, or sequences, before the linear map."""
HASHED = (WEIGHTS, CONFIG, LABELS)  # what the model is; never its card, lineage or any time


def model_hash(folder: Path) -> str:
    """Hex digest of weights, labels and configuration (which names encoder and preprocessing)."""
    return fingerprint_of({name: sha256(folder / name) for name in HASHED})


@contextmanager
def opening(folder: Path) -> Iterator[None]:
    """What fails inside says that this folder holds no sound model.

    Raises:
        UserError: it is no model folder, or its files are damaged.
    """
    try:
        yield
    except UserError:
        raise
    except FileNotFoundError as error:
        raise UserError(
            "not a model folder",
            where=str(error.filename or folder),
            fix="name the folder of a shipped model, e.g. artifacts/model",
        ) from None
    except Exception as error:  # safetensors and json have many ways to say that a file is damaged
        raise UserError(
            "the model's files are damaged", where=f"{folder}: {error}", fix="make the model again: `uml model`"
        ) from None
