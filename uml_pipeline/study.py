"""Study: params.yaml, parsed and validated. Whoever reads parameters reads them here."""

import difflib
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from uml_pipeline.config import Config
from uml_pipeline.errors import UserError
from uml_pipeline.features.config import FeaturesConfig
from uml_pipeline.registry.config import PromotionConfig
from uml_pipeline.relevance.config import RelevanceConfig
from uml_pipeline.report.config import ReportConfig
from uml_pipeline.silo.config import SiloConfig
from uml_pipeline.trunk.config import TrunkConfig

PARAMS = "params.yaml"


class _Misfit(ValueError):
    """A value that does not fit another one: pydantic knows of no place for it, so it carries its own."""

    def __init__(self, what: str, *, at: tuple, fix: str) -> None:
        self.at, self.fix = at, fix
        super().__init__(what)


class Params(Config):
    """The whole of params.yaml."""

    target: str
    """The silo whose modality the shipped model reads."""
    silos: dict[str, SiloConfig] = Field(min_length=1)
    """All silos by name: the target, and others about (perhaps) the same world."""
    features: FeaturesConfig = FeaturesConfig()
    relevance: RelevanceConfig = RelevanceConfig()
    trunk: TrunkConfig = TrunkConfig()
    report: ReportConfig = ReportConfig()
    promotion: PromotionConfig = PromotionConfig()

    @field_validator("silos")
    @classmethod
    def _names(cls, silos: dict[str, SiloConfig]) -> dict[str, SiloConfig]:
        for name in silos:
            if not (name.isidentifier() and name.isascii()):
                raise ValueError(f"silo name {name!r} must be ASCII letters, digits and underscores")
        return silos

    @model_validator(mode="after")
    def _known(self) -> Self:
        forced: dict[tuple, str] = {("trunk", "forced", place): name for place, name in enumerate(self.trunk.forced)}
        for at, name in [(("target",), self.target), *forced.items()]:
            if name not in self.silos:
                raise _Misfit(f"{name!r} is not one of the silos", at=at, fix=_near(name, self.silos))
        for at, name in forced.items():
            if name == self.target:
                fix = "remove it: the target is in every arm"
                raise _Misfit(f"the target {name!r} cannot be a forced auxiliary silo", at=at, fix=fix)
        for name, silo in self.silos.items():
            if silo.gate and name != self.target:
                at, fix = ("silos", name, "gate"), f"move it to the target {self.target!r}, or remove it"
                raise _Misfit(f"{name!r} is not the target: only the target has a gate", at=at, fix=fix)
        if self.silos[self.target].label is None:
            at, fix = ("silos", self.target, "label"), "name the column with the classes, or choose another target"
            raise _Misfit(f"the target {self.target!r} needs labels: its `label` cannot be null", at=at, fix=fix)
        return self


class Study:
    """A folder with a params.yaml. Raw data and artifacts are found relative to it."""

    def __init__(self, folder: Path | str = ".") -> None:
        """Read and validate `folder`/params.yaml.

        Raises:
            UserError: no such file, not YAML, or a key or value that is not allowed (with its line).
        """
        self.folder = Path(folder).resolve()
        path = self.folder / PARAMS
        if not path.is_file():
            raise UserError(
                f"no {PARAMS} here", where=str(self.folder), fix="go to a study's folder, or name one: --study DIR"
            )
        self.raw, lines = _parse(path)
        try:
            self.params = Params.model_validate(self.raw)
        except ValidationError as error:
            raise _explain(error, path, lines) from None

    @property
    def target(self) -> str:
        """Name of the target silo."""
        return self.params.target

    @property
    def auxiliary(self) -> list[str]:
        """Names of all silos but the target, in params.yaml's order."""
        return [name for name in self.params.silos if name != self.target]

    def silo(self, name: str) -> SiloConfig:
        """Configuration of one silo.

        Raises:
            UserError: no silo of that name.
        """
        if name not in self.params.silos:
            raise UserError(
                f"no silo {name!r} in this study", where=str(self.folder / PARAMS), fix=_near(name, self.params.silos)
            )
        return self.params.silos[name]

    def data(self, name: str) -> Path:
        """Where a silo's raw data lie: an absolute path, or a UPath where params.yaml has a URL.

        Raises:
            UserError: a URL of a file system that is not installed.
        """
        from uml_pipeline.samples.opening import locate  # which imports silo.config, as this module does

        return locate(self.silo(name).path, self.folder)


def _parse(path: Path) -> tuple[dict[str, Any], dict[tuple, int]]:
    """The YAML mapping, and the line of every key by its path."""
    lines: dict[tuple, int] = {}
    seen: set[int] = set()

    def walk(node: yaml.Node, at: tuple) -> None:
        if id(node) in seen:  # a few nested aliases stand for billions of nodes
            place = f"{path}, line {node.start_mark.line + 1}"
            raise UserError("YAML aliases are not supported", where=place, fix="write the value out")
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                here = (*at, str(key.value))  # a list as a key is refused below, by YAML itself
                if here in lines:
                    raise UserError(
                        f"key {key.value!r} stands twice",
                        where=f"{path}, line {key.start_mark.line + 1}",
                        fix="keep one of them",
                    )
                lines[here] = key.start_mark.line + 1
                walk(value, here)
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                lines[(*at, index)] = value.start_mark.line + 1
                walk(value, (*at, index))

    try:
        text = path.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        if root is not None:
            walk(root, ())
        raw = yaml.safe_load(text)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise UserError("not valid YAML", where=f"{path}: {error}", fix="mend the syntax at that place") from None
    if not isinstance(raw, dict):
        raise UserError(
            "the file must be a mapping of keys to values", where=str(path), fix="start with `target:` and `silos:`"
        )
    return raw, lines


def _explain(error: ValidationError, path: Path, lines: dict[tuple, int]) -> UserError:
    """The first problem in words: the key, its line, and what is allowed."""
    # first a key that is not known: where it is a typo, the key that it was meant to be is missing too
    problem = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
    misfit = problem.get("ctx", {}).get("error")
    where = misfit.at if isinstance(misfit, _Misfit) else tuple(problem["loc"])
    key = ".".join(str(part) for part in where)
    known = next((lines[where[:n]] for n in range(len(where), 0, -1) if where[:n] in lines), None)
    place = f"{path}, line {known}" if known else str(path)
    if isinstance(misfit, _Misfit):
        return UserError(f"{key}: {misfit}", where=place, fix=misfit.fix)
    if problem["type"] == "extra_forbidden":
        allowed = _fields(where[:-1])
        return UserError(f"unknown key {key!r}", where=place, fix=_near(str(where[-1]), allowed))
    if problem["type"] == "missing":
        return UserError(f"key {key!r} is missing", where=place, fix=f"add it: {_describe(where)}")
    message = problem["msg"].removeprefix("Value error, ")
    return UserError(f"{key}: {message}", where=place, fix=f"change the value: {_describe(where)}")


def _owner(at: tuple) -> type[Config]:
    """The configuration class that the key path `at` stands in."""
    rooms: dict[str, type[Config]] = {
        "silos": SiloConfig,
        "features": FeaturesConfig,
        "relevance": RelevanceConfig,
        "trunk": TrunkConfig,
        "report": ReportConfig,
        "promotion": PromotionConfig,
    }
    owner = rooms.get(str(at[0]), Params) if at else Params
    for part in at[1:]:  # sections inside, such as trunk.finetune
        inner = owner.model_fields.get(str(part))
        if inner and isinstance(inner.annotation, type) and issubclass(inner.annotation, Config):
            owner = inner.annotation
    return owner


def _fields(at: tuple) -> list[str]:
    return list(_owner(at).model_fields)


def _describe(at: tuple) -> str:
    owner = _owner(at) if len(at) > 1 else Params
    field = owner.model_fields.get(str(at[-1])) or owner.model_fields.get(str(at[-2]) if len(at) > 1 else "")
    return (field.description or "").replace("\n", " ") if field else "see the message above"


def _near(word: str, allowed: Any) -> str:
    close = difflib.get_close_matches(word, list(allowed), n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"{hint}allowed: {', '.join(allowed)}"
