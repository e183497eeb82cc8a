"""A study small enough for every test: six classes as six groups draw them, sentences about them, and nonsense."""

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from PIL import Image, ImageDraw

from uml_pipeline.pipeline import Step, call, render_yaml
from uml_pipeline.study import Study

COLOURS = ("red", "orange", "gold", "green", "blue", "purple")
SHAPES = ("circle", "square", "triangle")
CLASSES = [f"{colour}-{SHAPES[place % 3]}" for place, colour in enumerate(COLOURS)]
GROUPS = ("ada", "bob", "cem", "dee", "eli", "fay")
PARAMS = {
    "target": "drawings",
    "silos": {
        "drawings": {"modality": "image", "path": "data/drawings", "encoder": "builtin/emoji", "group": "artist"},
        "descriptions": {"modality": "text", "path": "data/descriptions.csv", "encoder": "builtin/minilm"},
        "scrambled": {"modality": "text", "path": "data/scrambled.csv", "encoder": "builtin/minilm"},
    },
    "features": {},
    "relevance": {"permutations": 199},
    "trunk": {"shots": [1, 2], "seeds": 4, "forced": ["scrambled"]},
    "report": {},
}


@pytest.fixture
def tiny_study(tmp_path: Path) -> Study:
    """A complete study in a folder of its own; its stages have not run."""
    folder = tmp_path / "study"
    _draw(folder / "data" / "drawings")
    _describe(folder / "data" / "descriptions.csv", CLASSES)
    _describe(folder / "data" / "scrambled.csv", [*CLASSES[2:], *CLASSES[:2]])
    (folder / "params.yaml").write_text(yaml.safe_dump(PARAMS, sort_keys=False))
    (folder / "dvc.yaml").write_text(render_yaml(code=False))
    return Study(folder)


def before_trunk(study: Study) -> Study:
    """The study, its stages before the trunk run."""
    for stage in ("silo", "features"):
        for name in study.params.silos:
            call(study, Step(stage, name))
    call(study, Step("relevance"))
    return study


@pytest.fixture
def change_silo() -> Callable[..., Study]:
    """`change_silo(study, name, key=value, ...)`: that silo with other keys (None removes one); the study read anew."""

    def change(study: Study, silo: str, **changes: object) -> Study:
        path = study.folder / "params.yaml"
        params = yaml.safe_load(path.read_text())
        merged = params["silos"][silo] | changes
        params["silos"][silo] = {key: value for key, value in merged.items() if value is not None}
        path.write_text(yaml.safe_dump(params, sort_keys=False))
        return Study(study.folder)

    return change


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real data, for tests marked `realdata`."""
    if "UML_DATA_DIR" not in os.environ:
        pytest.skip("UML_DATA_DIR is not set")
    return Path(os.environ["UML_DATA_DIR"])


def _draw(folder: Path) -> None:
    lines = ["file_name,artist"]
    for name in CLASSES:
        (folder / name).mkdir(parents=True)
        for group in GROUPS:
            _picture(name, group).save(folder / name / f"{group}.png")
            lines.append(f"{name}/{group}.png,{group}")
    (folder / "metadata.csv").write_text("\n".join(lines) + "\n")


def _picture(name: str, group: str) -> Image.Image:
    """The class fixes colour and shape, the group place, size and paper."""
    hand = random.Random(f"{name} {group}")
    paper = 255 - 4 * GROUPS.index(group)
    image = Image.new("RGB", (64, 64), (paper, paper, paper))
    radius, x, y = hand.randint(16, 24), hand.randint(28, 36), hand.randint(28, 36)
    colour, shape = name.split("-")
    pen = ImageDraw.Draw(image)
    if shape == "circle":
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    elif shape == "square":
        pen.rectangle((x - radius, y - radius, x + radius, y + radius), fill=colour)
    else:
        pen.polygon([(x, y - radius), (x - radius, y + radius), (x + radius, y + radius)], fill=colour)
    return image


def _describe(path: Path, labels: list[str]) -> None:
    """Five sentences about each class, under the class that `labels` gives at its place."""
    lines = ["text,label"]
    for name, label in zip(CLASSES, labels, strict=True):
        thing = name.replace("-", " ")
        sentences = (
            thing,
            f"a {thing}",
            f"a drawing of a {thing}",
            f"someone drew a {thing}",
            f"{thing} on white paper",
        )
        lines += [f"{sentence},{label}" for sentence in sentences]
    path.write_text("\n".join(lines) + "\n")
