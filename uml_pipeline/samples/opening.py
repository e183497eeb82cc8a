"""From a silo's configuration to its container, and from the manifest's word for a sample to the sample itself."""

from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import cast

from uml_pipeline.errors import UserError
from uml_pipeline.samples.container import SPLIT_NAMES, Container, Sample
from uml_pipeline.silo.config import Format, SiloConfig

_CONTAINERS: dict[Format, str] = {
    "folder": "folder:FolderContainer",
    "csv": "tables:TableContainer",
    "tsv": "tables:TableContainer",
    "parquet": "tables:TableContainer",
    "jsonl": "tables:TableContainer",
    "datasets": "arrow:ArrowContainer",
    "webdataset": "shards:ShardsContainer",
    "affect": "affect:AffectContainer",
    "npz": "arrays:ArraysContainer",
}
TABLES: tuple[Format, ...] = ("csv", "tsv", "parquet", "jsonl")
_BY_SUFFIX: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".tar": "webdataset",
    ".pkl": "affect",
    ".pickle": "affect",
    ".npz": "npz",
}


def locate(path: str, study: Path) -> Path:
    """A silo's file or folder: relative to the study, or a URL that fsspec knows (a UPath then).

    Raises:
        UserError: a URL of a file system that is not installed.
    """
    if "://" not in path:
        return study / path
    from upath import UPath

    try:
        return cast(Path, UPath(path))  # it does what a Path does
    except (ImportError, ValueError) as error:
        fix = "correct `path` in params.yaml, or install that file system's package"
        raise UserError("no such file system", where=f"{path}: {error}", fix=fix) from None


def find(config: SiloConfig, study: Path) -> Path:
    """As `locate`, and something is there.

    Raises:
        UserError: nothing is there, or it cannot be reached.
    """
    source = locate(config.path, study)
    try:
        there = source.exists()
    except (OSError, ImportError, ValueError) as error:
        fix = "check the address, the network and your access rights"
        raise UserError("the silo cannot be reached", where=f"{config.path}: {error}", fix=fix) from None
    if not there:
        fix = "correct `path` in params.yaml, or put the data there"
        raise UserError(f"silo path {config.path!r} does not exist", where=str(source), fix=fix)
    return source


def open_container(config: SiloConfig, study: Path) -> Container:
    """The silo's container, by `format` or what is found at its path.

    Raises:
        UserError: nothing there, no format known for it, or it is damaged.
    """
    source = find(config, study)
    if (table := table_in(source)) and config.format in (None, detect(table)):
        config, source = config.model_copy(update={"path": f"{config.path.rstrip('/')}/{table.name}"}), table
    elif source.is_file() and config.modality in ("image", "audio") and detect(source) in TABLES:
        raise UserError(
            "a table does not tell DVC which files beside it belong to the silo",
            where=f"path: {config.path}",
            fix="give the folder that holds them all as `path`, and call the table in it manifest" + source.suffix,
        )
    module, _, name = _CONTAINERS[config.format or detect(source)].partition(":")
    return getattr(import_module(f"uml_pipeline.samples.{module}"), name)(config, source)


def table_in(source: Path) -> Path | None:
    """The table that lists the files of a folder, if there is one."""
    if not source.is_dir():
        return None
    return next((table for kind in TABLES if (table := source / f"manifest.{kind}").exists()), None)


def detect(source: Path) -> Format:
    """The format of what lies there.

    Raises:
        UserError: a file of no known type.
    """
    if source.is_dir():
        if (source / "dataset_dict.json").exists() or (source / "dataset_info.json").exists():
            return "datasets"
        return "webdataset" if _holds_shards(source) else "folder"
    if source.suffix.lower() not in _BY_SUFFIX:
        fix = f"give a folder, or one of {', '.join(_BY_SUFFIX)}, or name its `format`"
        raise UserError("unsupported file type for a silo", where=str(source), fix=fix)
    return _BY_SUFFIX[source.suffix.lower()]


def _holds_shards(folder: Path) -> bool:
    """At its top, or in the folder of a split."""
    inside = list(folder.iterdir())
    splits = [one for one in inside if one.name.lower() in SPLIT_NAMES and one.is_dir()]
    return any(file.suffix == ".tar" for file in chain(inside, *(one.iterdir() for one in splits)))


class Opener:
    """Opens samples of one silo by what stands in the content column of its manifest: `path` or `text`."""

    def __init__(self, config: SiloConfig, study: Path) -> None:
        self._text = config.modality == "text"
        self._container = None if self._text else open_container(config, study)

    def __call__(self, content: str) -> Sample:
        """The sample.

        Raises:
            UserError: it is not there, or damaged.
        """
        return content if self._container is None else self._container.read(content)
