"""The guide's plug-in, installed as pip would do it: an entry point adds a family of encoders."""

import importlib
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

from tests.features.test_encoders import vectors_do_not_depend_on_neighbours
from uml_pipeline.errors import UserError
from uml_pipeline.features import create_encoder, list_encoders, load_encoder, read_config, read_features
from uml_pipeline.features.stage import run
from uml_pipeline.silo.config import SiloConfig
from uml_pipeline.silo.stage import run as run_silo

GUIDE = Path(__file__).parents[2] / "docs" / "encoders.md"


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    site = tmp_path / "site-packages"
    package, about = site / "my_package", site / "my_package-1.0.dist-info"
    package.mkdir(parents=True)
    about.mkdir()
    code, table = (re.search(rf"```{kind}\n(.*?)```", GUIDE.read_text(), re.S)[1] for kind in ("python", "toml"))
    (package / "encoders.py").write_text(code)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: my_package\nVersion: 1.0\n")
    points = tomllib.loads(table)["project"]["entry-points"]["uml_pipeline.encoders"]
    lines = [f"{name} = {place}" for name, place in points.items()]
    (about / "entry_points.txt").write_text("\n".join(["[uml_pipeline.encoders]", *lines]))
    monkeypatch.syspath_prepend(str(site))
    importlib.invalidate_caches()


def silo(encoder, modality="image"):
    return SiloConfig(modality=modality, path="data", encoder=encoder)


@pytest.mark.usefixtures("plugin")
def test_a_plug_in_is_an_encoder_like_the_others(tmp_path, pictures):
    encoder = create_encoder(silo("mine/grey?side=3"))
    vectors_do_not_depend_on_neighbours(encoder, pictures)
    assert np.array_equal(load_encoder(encoder.describe(), tmp_path).encode(pictures), encoder.encode(pictures))
    assert encoder.fingerprint != create_encoder(silo("mine/grey")).fingerprint
    assert list_encoders()[-1] == "mine/<...>"


@pytest.mark.usefixtures("plugin")
def test_the_stage_uses_it(tiny_study, change_silo):
    study = change_silo(tiny_study, "drawings", encoder="mine/grey")
    run_silo(study, "drawings")
    run(study, "drawings")
    manifest, vectors = read_features(study, "drawings")
    paths = [study.folder / path for path in manifest["path"]]
    assert np.array_equal(vectors, create_encoder(silo("mine/grey")).encode(paths))
    assert read_config(study, "drawings")["encoder"] == "mine/grey"


@pytest.mark.usefixtures("plugin")
@pytest.mark.parametrize(
    ("config", "words"),
    [
        (silo("mien/grey"), "mine/<...>"),
        (silo("mine/grey?size=3"), "unknown option 'size'"),
        (silo("mine/grey", "text"), "reads images"),
    ],
)
def test_its_errors_are_the_users(config, words):
    with pytest.raises(UserError) as caught:
        create_encoder(config)
    assert words in str(caught.value)


def test_without_it_the_name_is_unknown():
    with pytest.raises(UserError, match="unknown encoder 'mine/grey'"):
        create_encoder(silo("mine/grey"))
