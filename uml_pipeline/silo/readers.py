"""Raw silos to manifest rows, whatever their format. What is wrong with a sample is written into its row."""

from pathlib import Path

from uml_pipeline.errors import UserError
from uml_pipeline.silo import image_folder, text_table
from uml_pipeline.silo.config import SiloConfig
from uml_pipeline.silo.tables import Row

_READERS = {"image": image_folder.read, "text": text_table.read}


def read_rows(config: SiloConfig, path: Path) -> tuple[list[Row], list[str]]:
    """All samples of the silo at `path` as manifest rows, bad ones included, and the names of all classes.

    Raises:
        UserError: nothing there, a type or table that cannot be read, a missing column, or no samples at all.
    """
    if not path.exists():
        fix = "correct `path` in params.yaml, or put the data there"
        raise UserError(f"silo path {config.path!r} does not exist", where=str(path), fix=fix)
    rows, classes = _READERS[config.modality](config, path)
    if not rows:
        fix = "put samples there, or correct `path` in params.yaml"
        raise UserError("the silo is empty: no sample found", where=str(path), fix=fix)
    for row in rows:
        if not row["label"]:
            row.setdefault("bad", "no label")
        if config.group and not row.get("group"):
            row.setdefault("bad", "no group")
    return rows, classes
