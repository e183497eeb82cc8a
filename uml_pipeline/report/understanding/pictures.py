"""Small pictures of the samples that the analyses name."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from uml_pipeline.samples import Opener
from uml_pipeline.silo.measure import measure
from uml_pipeline.study import Study


def write_pictures(study: Study, moved: dict[str, Any], folder: Path) -> None:
    """Write `folder`/<sample_id>.jpg of every image or sound (as a spectrogram) among the examples; other modalities
    are told in words, and get none.

    Raises:
        UserError: a sample is not there any more.
    """
    config = study.silo(study.target)
    examples = (
        {one["sample_id"]: one["path"] for one in _examples(moved)} if config.modality in ("image", "audio") else {}
    )
    if not examples:
        return
    opener = Opener(config, study.folder)
    folder.mkdir()
    for name, path in examples.items():
        if picture := measure(opener(path), config.modality).picture:
            (folder / f"{name}.jpg").write_bytes(picture)


def _examples(moved: dict[str, Any]) -> Iterator[dict[str, Any]]:
    groups = [moved.get("newly_right", {}), moved.get("newly_wrong", {}), *moved.get("confusions", [])]
    for group in groups:
        yield from group.get("examples", [])
