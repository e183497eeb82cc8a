"""Stage `silo`: raw files in, one manifest and one verdict on their quality out."""

from uml_pipeline.silo.examples import write_examples
from uml_pipeline.silo.manifest import QUALITY, frame, write_manifest
from uml_pipeline.silo.quality import assess, require_sound
from uml_pipeline.silo.readers import read_rows
from uml_pipeline.silo.splits import assign
from uml_pipeline.study import Study
from uml_pipeline.workspace import Workspace, write_json


def run(study: Study, name: str) -> None:
    """Read the silo, set bad samples aside, split the good ones, judge the whole, and write `artifacts/silo/<name>`.

    Raises:
        UserError: the silo cannot be read, or fails a critical expectation; nothing is written then.
    """
    config = study.silo(name)
    rows, classes = read_rows(config, study.data(name))
    table = frame(rows, config.modality)
    good = table["bad"].isna()
    table["split"] = assign(table[good], group=config.group)  # bad rows have none
    quality = assess(table, classes, config)
    require_sound(quality, name)
    with Workspace(study.folder).writing("silo", name) as folder:
        write_manifest(table, config.modality, folder)
        write_json(folder / QUALITY, quality)
        write_examples(table[good], config.modality, study.folder, folder)
