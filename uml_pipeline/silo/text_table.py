"""Text silos: a table with one text a row."""

from pathlib import Path

from uml_pipeline.errors import UserError
from uml_pipeline.silo.config import SiloConfig
from uml_pipeline.silo.manifest import sample_id
from uml_pipeline.silo.tables import SUFFIXES, Row, read_table, require, side_facts


def read(config: SiloConfig, path: Path) -> tuple[list[Row], list[str]]:
    """Manifest rows of all texts, and the names of all classes.

    Raises:
        UserError: not such a table, or a column is missing.
    """
    if path.is_dir() or path.suffix.lower() not in SUFFIXES:
        fix = f"give a table: {' or '.join(SUFFIXES)}"
        raise UserError("unsupported file type for a text silo", where=str(path), fix=fix)
    table = read_table(path)
    require(table, path, text=config.text, label=config.label, group=config.group)
    rows: list[Row] = []
    for line in table.to_dict("records"):
        text = line[config.text].strip()
        row: Row = {"sample_id": sample_id(text.encode()), "text": text, "label": line[config.label] or None}
        measured = {"words": len(text.split())} if text else {"bad": "empty text"}
        rows.append(row | side_facts(line, config) | measured)
    return rows, sorted({row["label"] for row in rows if row["label"]})
