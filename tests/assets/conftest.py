"""A study of two silos that Dagster can look at: nothing in it can be trained."""

import shutil
from pathlib import Path

import pytest

from uml_pipeline.pipeline import open_ledger
from uml_pipeline.study import Study


@pytest.fixture
def study(tmp_path: Path) -> Study:
    (tmp_path / "photos" / "cat").mkdir(parents=True)
    (tmp_path / "photos" / "cat" / "1.png").write_bytes(b"one")
    (tmp_path / "texts.csv").write_text("text,label\nmeow,cat\n")
    (tmp_path / "params.yaml").write_text(
        "target: photos\nsilos:\n"
        "  photos: {modality: image, path: photos, encoder: builtin/emoji}\n"
        "  texts: {modality: text, path: texts.csv, encoder: builtin/minilm}\n"
    )
    return Study(tmp_path)


def pretend_built(study: Study) -> None:
    """Records in dvc.lock that the manifests were made from the silos as they are; what was made stays empty."""
    ledger = open_ledger(study)
    for name in study.params.silos:
        made = study.folder / "artifacts" / "silo" / name
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(parents=True)
        (made / "manifest").write_text(name)
        ledger.record(f"silo@{name}")
