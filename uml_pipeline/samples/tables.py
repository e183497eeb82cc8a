"""Tables of texts, of cells and numbers, and of files that lie beside the table."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from uml_pipeline.errors import UserError
from uml_pipeline.samples._cells import place_in
from uml_pipeline.samples.array_files import ARRAY_SUFFIXES, read_array_file
from uml_pipeline.samples.container import Container, Entry, Sample
from uml_pipeline.samples.folder import SUFFIXES
from uml_pipeline.samples.opening import detect
from uml_pipeline.samples.table_files import Table, read_table, require, row_entries
from uml_pipeline.samples.table_rows import rows_of
from uml_pipeline.samples.tree import OUTSIDE, Tree, leads_out
from uml_pipeline.silo.config import SiloConfig

_IN_CELLS = ("table", "series", "vector")  # modalities whose samples the table itself may hold


class TableContainer(Container):
    """One sample a row: a text, a file beside the table, or the row's own cells; or a series over several rows."""

    def __init__(self, config: SiloConfig, source: Path) -> None:
        """See Container. What the table itself holds is read now, and stays in memory.

        Raises:
            UserError: no readable table, or a column that the configuration names is not there.
        """
        super().__init__(config, source)
        if not source.is_file():
            fix = "give a file, or another `format` in params.yaml"
            raise UserError("the table is not a file", where=str(source), fix=fix)
        self._tree = Tree(source.parent, config.path.rpartition("/")[0] or ".")
        table = self._read() if config.modality in _IN_CELLS else None
        self._rows = rows_of(table, config, source) if table and not self._lists_files(table) else None

    def entries(self) -> Iterator[Entry]:
        """See Container."""
        if self._rows:
            for name, entry in self._rows.entries():
                yield {"path": f"{self.config.path}#{name}"} | entry
        elif self.config.modality == "text":
            yield from self._texts()
        else:
            yield from self._files()

    def read(self, path: str) -> Sample:
        """See Container: a row, or a local file, or the content of a remote one."""
        if self._rows:
            return self._rows.read(place_in(path, self.config))
        if self.config.modality not in _IN_CELLS:
            return self._tree.fetch(self._tree.name(path))
        name, place = _split(self._tree.name(path))
        return read_array_file(self._tree.fetch(name), place, self.config)

    def _texts(self) -> Iterator[Entry]:
        table = self._read()
        self._require(table, ("text", self.config.text))
        for words, entry in zip(table.words(self.config.text), row_entries(table, self.config), strict=True):
            text = words.strip()
            yield {"text": text} | ({} if text else {"bad": "empty text"}) | entry

    def _files(self) -> Iterator[Entry]:
        table = self._read()
        self._require(table, ("file", self.config.file))
        facts = zip(table.words(self.config.file), row_entries(table, self.config), strict=True)
        for row, (name, entry) in enumerate(facts):
            path = self._tree.place(PurePosixPath(name).as_posix()) if name else f"{self.config.path}#{row}"
            bad = self._bad(name)
            yield {"path": path} | ({"bad": bad} if bad else {}) | entry

    def _bad(self, name: str) -> str | None:
        if not name:
            return "no file"
        if leads_out(name):
            return OUTSIDE
        allowed = SUFFIXES.get(self.config.modality, ARRAY_SUFFIXES)
        name = name if self.config.modality in SUFFIXES else _split(name)[0]
        return None if PurePosixPath(name).suffix.lower() in allowed else "unsupported file type"

    def _read(self) -> Table:
        config = self.config
        sample = {"text": config.text, "table": None, "series": config.series or config.file}
        words = {config.label, config.group, "split", sample.get(config.modality, config.file)}
        kind = config.format or detect(self.source)
        return read_table(self.source, kind, [name for name in words if name], cells=config.modality in _IN_CELLS)

    def _require(self, table: Table, sample: tuple[str, str]) -> None:
        require(table, self.source, [sample, ("label", self.config.label), ("group", self.config.group)])

    def _lists_files(self, table: Table) -> bool:
        return self.config.modality != "table" and not self.config.series and self.config.file in table.names


def _split(name: str) -> tuple[str, str]:
    """A file of arrays, and the place in it: `features.npz#17`."""
    file, _, place = name.partition("#")
    return file, place
