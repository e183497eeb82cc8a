"""Stage `silo`: raw files in, one manifest and one verdict on their quality out."""

import pandas as pd

from uml_pipeline.cache import Cache
from uml_pipeline.progress import waiting
from uml_pipeline.samples import Container, open_container
from uml_pipeline.silo.config import SiloConfig
from uml_pipeline.silo.examples import write_examples
from uml_pipeline.silo.leaks import find_names, set_copies_aside
from uml_pipeline.silo.listing import cache_name, rows
from uml_pipeline.silo.manifest import QUALITY, frame, write_manifest
from uml_pipeline.silo.quality import assess, require_sound
from uml_pipeline.silo.splits import assign
from uml_pipeline.study import Study
from uml_pipeline.workspace import Workspace, write_json


def look(config: SiloConfig, name: str, container: Container, cache: Cache) -> pd.DataFrame:
    """The manifest, bad rows included, as the raw files are now.

    Raises:
        UserError: the silo cannot be read, or not be split.
    """
    table = frame(rows(config, name, container, cache), config.modality)
    if config.modality == "text":
        find_names(table, config)
    good = table[table["bad"].isna()]  # bad rows have no split
    table["split"] = assign(good, group=config.group, seed=config.seed, gate=config.gate)
    set_copies_aside(table)
    return table


def run(study: Study, name: str) -> None:
    """Read the silo, set bad samples aside, split the good ones, judge the whole, and write `artifacts/silo/<name>`.

    What was measured of a file before is not measured again as long as its content is the same.

    Raises:
        UserError: the silo cannot be read, or fails a critical expectation; nothing is written then.
    """
    config = study.silo(name)
    container = open_container(config, study.folder)
    with Cache(study.folder, cache_name(config.modality)) as cache:
        table = look(config, name, container, cache)
        named = {config.synonyms.get(one, one) for one in container.classes()} if config.label else set()
        with waiting(f"judging {name}"):
            quality = assess(table, sorted(named.union(table["label"].dropna())), config)
        require_sound(quality, name)
        with Workspace(study.folder).writing("silo", name) as folder:
            write_manifest(table, config.modality, folder)
            write_json(folder / QUALITY, quality)
            write_examples(table[table["bad"].isna()], config.modality, container, cache, folder)
