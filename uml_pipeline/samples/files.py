"""Files as bytes."""

from pathlib import Path

from uml_pipeline.errors import UserError


def read_bytes(file: Path | bytes) -> tuple[bytes, str]:
    """The content of a file (or the content itself, as a container gives it), and words for where it is.

    Raises:
        UserError: no such file, or it cannot be read.
    """
    if isinstance(file, bytes):
        return file, "inside its container"
    try:
        return file.read_bytes(), str(file)
    except FileNotFoundError:
        raise UserError("no such file", where=str(file), fix="correct the path") from None
    except OSError as error:
        raise UserError("the file cannot be read", where=f"{file}: {error}", fix="check its permissions") from None
