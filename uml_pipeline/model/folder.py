"""A model's folder: its files, its hash, and what is told of one that is no good."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from uml_pipeline.errors import UserError
from uml_pipeline.workspace import FINGERPRINT, fingerprint_of, sha256, unlike_seal

WEIGHTS, CONFIG, LABELS, CARD = "model.safetensors", "config.json", "labels.json", "README.md"
STANDARDISED, PLAIN, READ = "unit(unit(x) - centre)", "x", "reader(sequence)"
"""What is done to the encoder's vectors, or sequences, before the linear map."""
HASHED = (WEIGHTS, CONFIG, LABELS)  # what the model is; never its card, lineage or any time


def model_hash(folder: Path) -> str:
    """Hex digest of weights, labels and configuration (which names encoder and preprocessing)."""
    return fingerprint_of({name: sha256(folder / name) for name in HASHED})


def require_sealed(folder: Path) -> None:
    """Refuse a model whose files are not those that it was sealed with. Its card may be rewritten, and files may stand
    beside it.

    Raises:
        UserError: it has no seal, or a file was changed or removed.
    """
    with opening(folder):
        for name in HASHED:
            (folder / name).stat()
        if not (folder / FINGERPRINT).is_file():
            what = f"the model has no seal: {FINGERPRINT} is missing, so nothing tells whether its files are whole"
            fix = "fetch its folder again as a whole, or make it again: `uml model`"
            raise UserError(what, where=str(folder), fix=fix)
        unlike = [(name, state) for name, state in unlike_seal(folder).items() if name in HASHED or state != "added"]
    if told := [f"{name} was {state}" for name, state in unlike if name != CARD]:
        raise UserError(
            "the model is not what it was sealed as",
            where=f"{folder}: {', '.join(told)}",
            fix="do not use it: fetch it again from where it came, or make it again: `uml model`",
        )


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
