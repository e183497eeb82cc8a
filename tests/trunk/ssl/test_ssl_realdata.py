import json
import shutil

import pandas as pd
import pytest
import torch
import yaml

from tests.trunk.ssl.conftest import FAST
from uml_pipeline.model import UnimodalModel
from uml_pipeline.pipeline import Step, call
from uml_pipeline.study import Study
from uml_pipeline.trunk.ssl.inputs import gather
from uml_pipeline.workspace import Workspace

CLASSES = ["dog_bark", "rooster", "rain"]


@pytest.mark.realdata
def test_sounds_as_frames_beside_sentences_as_tokens(data_dir, tmp_path):
    """Three classes of ESC-10: chance is a third."""
    source, folder = data_dir / "datasets" / "esc10", tmp_path / "study"
    sounds = pd.read_csv(source / "audio_silo" / "manifest.csv")
    sounds = sounds[sounds["label"].isin(CLASSES)].groupby(["label", "split"]).head(8)
    for path in sounds["path"]:
        (folder / "sounds" / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / "audio_silo" / path, folder / "sounds" / path)
    sounds.to_csv(folder / "sounds" / "manifest.csv", index=False)
    shutil.copy(source / "text_silo" / "manifest.csv", folder / "texts.csv")
    network = FAST["network"] | {"longest": 50}
    params = {
        "target": "sounds",
        "silos": {
            "sounds": {"modality": "audio", "path": "sounds"},
            "texts": {"modality": "text", "path": "texts.csv"},
        },
        "trunk": {"mode": "ssl", "shots": [8], "seeds": 2, "ssl": FAST | {"network": network}},
    }
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    study = Study(folder)
    for stage in ("silo", "features"):
        for name in study.params.silos:
            call(study, Step(stage, name))
    for stage in ("relevance", "trunk", "model"):
        call(study, Step(stage))
    inputs = gather(study)
    assert {tuple(one.shape) for one in inputs.x} == {(50, 64)}
    assert inputs.silos["texts"][0].dtype == torch.int64
    metrics = json.loads((Workspace(folder).reading("trunk") / "metrics.json").read_text())
    mean = {run["method"]: run["mean"] for run in metrics["runs"]}
    assert mean["steps_mean"] > 60
    clip = next(path for path in sounds["path"] if "dog_bark" in path)
    [shares] = UnimodalModel.load(Workspace(folder).reading("model")).predict_proba([folder / "sounds" / clip])
    assert shares.sum() == pytest.approx(1)
