"""What a metadata.csv or metadata.jsonl says about the files of a folder."""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from uml_pipeline.errors import UserError
from uml_pipeline.samples.container import Entry
from uml_pipeline.samples.table_files import read_table, require, row_entries
from uml_pipeline.silo.config import Format, SiloConfig

_FILES: tuple[tuple[str, Format], ...] = (("metadata.csv", "csv"), ("metadata.jsonl", "jsonl"))


def read_notes(config: SiloConfig, root: Path, heads: Iterable[str]) -> dict[str, Entry]:
    """Label, group and official split of files, as far as the metadata in the folders `heads` has such columns, by the
    file's posix path below `root`.

    Raises:
        UserError: the metadata cannot be read, lacks a column, or is absent though the silo has a `group`.
    """
    notes: dict[str, Entry] = {}
    found = [(head, root / head / name, kind) for head in heads for name, kind in _FILES]
    found = [(head, file, kind) for head, file, kind in found if file.is_file()]
    if config.group and not found:
        fix = f"write metadata.csv with the columns file_name,{config.group}"
        raise UserError(f"`group: {config.group}` needs a metadata.csv", where=str(root), fix=fix)
    for head, file, kind in found:
        notes |= _read(config, file, kind, head)
    return notes


def _read(config: SiloConfig, file: Path, kind: Format, head: str) -> dict[str, Entry]:
    asked = {"file_name", config.label or "", config.group or "", "split"}
    table = read_table(file, kind, asked, cells=False)
    require(table, file, [("file", "file_name"), ("group", config.group)])
    names = table.words("file_name")
    facts = zip(names, row_entries(table, config), strict=True)
    return {PurePosixPath(head, name).as_posix(): entry for name, entry in facts if name}
