"""A silo's raw data against the record of a model: which samples were added, removed or changed since."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from uml_pipeline.cache import Cache
from uml_pipeline.errors import UserError
from uml_pipeline.lineage.records import Lineage
from uml_pipeline.silo.config import SiloConfig
from uml_pipeline.silo.manifest import CONTENT, MANIFEST
from uml_pipeline.workspace import Workspace

if TYPE_CHECKING:
    from uml_pipeline.study import Study

_LONGEST = 80  # letters of a name: texts are their own


@dataclass(frozen=True)
class Change:
    """What became of a sample: its path in the study, or the text itself."""

    how: str
    sample: str

    def __str__(self) -> str:
        return f"{self.how}: {self.sample[:_LONGEST]}"


def changes(study: "Study", lineage: Lineage, silo: str) -> list[Change] | None:
    """Read all raw files of a silo again, as the model's own parameters say, and compare them with the model's
    manifest. None: that manifest is not kept.

    Raises:
        UserError: the silo cannot be read any more.
    """
    from uml_pipeline.samples import open_container
    from uml_pipeline.silo.listing import cache_name
    from uml_pipeline.silo.stage import look

    before = _recorded(study, lineage, silo)
    if before is None:
        return None
    config = config_of(lineage, silo)
    with Cache(study.folder, cache_name(config.modality)) as cache:
        now = look(config, silo, open_container(config, study.folder), cache)
    return list(_compared(before, now, CONTENT[config.modality]))


def config_of(lineage: Lineage, silo: str) -> SiloConfig:
    """How the silo was read for the model.

    Raises:
        UserError: the lineage does not say it in a form that this version knows.
    """
    told = next((node.params.get(f"silos.{silo}") for node in lineage.nodes if node.step == f"silo@{silo}"), None)
    try:
        return SiloConfig.model_validate(told)
    except ValueError as error:
        fix = "use the version of uml-pipeline that made the model"
        raise UserError("the model's parameters are not understood", where=f"silos.{silo}: {error}", fix=fix) from None


def _recorded(study: "Study", lineage: Lineage, silo: str) -> pd.DataFrame | None:
    """The manifest that the model was made from: of its release, or the study's if it is that still."""
    from uml_pipeline.registry.book import releases

    root, version = lineage.nodes[0], {node.step: node.version for node in lineage.nodes}
    places = [one.record / f"{silo}.parquet" for one in releases(study).values() if one.model == root.version]
    workspace = Workspace(study.folder)
    try:
        if workspace.version("silo", silo) == version.get(f"silo@{silo}"):
            places.append(workspace.reading("silo", silo) / MANIFEST)
    except UserError:  # the study has no manifest of it now
        pass
    there = next((place for place in places if Path(place).is_file()), None)
    return None if there is None else pd.read_parquet(there)


def _compared(before: pd.DataFrame, now: pd.DataFrame, key: str) -> Iterator[Change]:
    """By path, or by text where that is all there is. A sample that others moved to another side is the same."""
    told = ["sample_id", "label", "group", "split", "bad"]
    sides = [one.assign(nth=one.groupby(key).cumcount())[[key, "nth", *told]] for one in (before, now)]
    both = sides[0].merge(sides[1], on=[key, "nth"], how="outer", suffixes=("", "_now"), indicator="side")
    differs = {one: both[one].fillna("") != both[f"{one}_now"].fillna("") for one in told}
    there = both["side"] == "both"
    lost = there & differs["sample_id"] & both["bad_now"].notna()
    kinds = {
        "cannot be read": lost,
        "removed": both["side"] == "left_only",
        "added": both["side"] == "right_only",
        "changed": there & ~lost & differs["sample_id"],
        "another label or group": there & ~differs["sample_id"] & (differs["label"] | differs["group"]),
    }
    if not any(found.any() for found in kinds.values()):
        kinds["another side of the split"] = there & differs["split"]
    for how, found in kinds.items():
        yield from (Change(how, str(name)) for name in both.loc[found, key])
