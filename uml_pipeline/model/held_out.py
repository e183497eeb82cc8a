"""The test samples of the study that a shipped model lies in."""

from pathlib import Path

import numpy as np

from uml_pipeline.errors import UserError
from uml_pipeline.features.samples import Samples
from uml_pipeline.learn.splits import held_out
from uml_pipeline.silo import read_manifest
from uml_pipeline.study import Study
from uml_pipeline.workspace import Workspace

_MOST = 2000


def held_out_samples(model: Path) -> Samples:
    """The target's test split; of a large one, 2000 samples.

    Raises:
        UserError: the model lies in no study's artifacts.
    """
    folder = model.resolve().parents[1]
    if not (folder / "params.yaml").is_file() or Workspace(folder).folder("model") != model.resolve():
        fix = "name some: `--samples FILE`"
        raise UserError("the model lies in no study whose samples could be used", where=str(model), fix=fix)
    study = Study(folder)
    manifest = read_manifest(study, study.target)
    places = held_out(manifest)
    if len(places) > _MOST:
        places = np.sort(np.random.default_rng(0).choice(places, _MOST, replace=False))
    return Samples.of(study, study.target, manifest.iloc[places])
