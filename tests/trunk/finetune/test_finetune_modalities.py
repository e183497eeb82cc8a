"""Targets of every modality that has a network; auxiliary silos whose encoders learn too; bridges."""

import json
import shutil

import numpy as np
import pytest
import soundfile
import timm
import torch
from safetensors.numpy import load_file
from safetensors.torch import save_file

from tests.conftest import CLASSES, before_trunk
from tests.features.tiny_nets import save_text_net
from tests.trunk.finetune.conftest import FAST, write
from tests.trunk.finetune.test_finetune_network import gradients
from uml_pipeline.errors import UserError
from uml_pipeline.learn.engine.world import World
from uml_pipeline.model import UnimodalModel
from uml_pipeline.pipeline import Step, call
from uml_pipeline.silo.manifest import read_manifest
from uml_pipeline.trunk.finetune.arms import arms
from uml_pipeline.trunk.finetune.build import build
from uml_pipeline.trunk.finetune.encoding import Encoding
from uml_pipeline.trunk.finetune.inputs import gather
from uml_pipeline.trunk.finetune.task import Finetuning
from uml_pipeline.workspace import Workspace

TEXTS = {"modality": "text", "path": "data/descriptions.csv", "encoder": "transformers/bert"}


@pytest.fixture(scope="session")
def other(prepared, tmp_path_factory):
    """Texts by a tiny BERT, the drawings, and further drawings by the same encoder, of three classes."""
    folder = tmp_path_factory.mktemp("other") / "study"
    shutil.copytree(prepared.folder, folder, ignore=shutil.ignore_patterns("artifacts", ".uml"))
    save_text_net(folder / "bert", "bert")
    for name in CLASSES[:3]:
        shutil.copytree(folder / "data" / "drawings" / name, folder / "data" / "more" / name)
    drawings = dict(prepared.params.silos["drawings"].model_dump(exclude_unset=True))
    silos = {"drawings": drawings, "descriptions": TEXTS, "more": drawings | {"path": "data/more"}}
    trunk = {"mode": "finetune", "shots": [1], "seeds": 2, "finetune": FAST | {"probe_steps": 0, "arms": ["unimodal"]}}
    params = {"target": "drawings", "silos": silos, "relevance": {"policy": "warn", "permutations": 99}, "trunk": trunk}
    return before_trunk(write(folder, params))


@pytest.fixture
def again(other, tmp_path):
    """`again(target, **finetune)`: that study with another target."""

    def make(target="drawings", **finetune):
        shutil.copytree(other.folder, tmp_path / "study")
        params = other.raw | {"target": target, "trunk": other.raw["trunk"] | {"finetune": FAST | finetune}}
        study = write(tmp_path / "study", params)
        call(study, Step("relevance"))
        return study

    return make


def joint(study):
    inputs = gather(study)
    config = study.params.trunk.finetune
    arm = next(one for one in arms(config, [one.name for one in inputs.used], []) if one.name == "uml")
    built = build(inputs, arm, config, 0, np.arange(6))
    return built, Finetuning(built, np.arange(6), np.arange(6), 1.0, config, 0)


def test_a_text_target(again):
    study = again("descriptions", arms=["unimodal", "uml"], probe_steps=0)
    for stage in ("trunk", "model"):
        call(study, Step(stage))
    folder = Workspace(study.folder).reading("model")
    before, after = (load_file(at / "model.safetensors") for at in (study.folder / "bert", folder / "encoder"))
    assert any((after[name] != before[name]).any() for name in after)
    manifest = read_manifest(study, "descriptions")
    test = manifest[manifest["split"] == "test"]
    guesses = UnimodalModel.load(folder).predict(test["text"])
    metrics = json.loads((Workspace(study.folder).reading("trunk") / "metrics.json").read_text())
    assert 100 * np.mean(np.array(guesses) == test["label"]) == pytest.approx(metrics["test"]["ships"])


@pytest.mark.slow
def test_an_audio_target(prepared, tmp_path):
    """YAMNet exports the checkpoint that it began with: the trained weights stand beside the head."""
    folder = tmp_path / "study"
    draw = np.random.default_rng(0)
    for pitch, name in zip((200, 300, 450, 700, 1000, 1500), CLASSES, strict=True):
        (folder / "data" / "sounds" / name).mkdir(parents=True)
        for take in range(6):
            wave = np.sin(2 * np.pi * pitch * np.arange(16000) / 16000) * 0.5 + 0.05 * draw.normal(size=16000)
            soundfile.write(folder / "data" / "sounds" / name / f"{take}.wav", wave, 16000)
    shutil.copy(prepared.folder / "data" / "descriptions.csv", folder / "data")
    torch.manual_seed(0)
    net = timm.create_model("mobilenetv1_100", in_chans=1, num_classes=521, pad_type="same")
    save_file(net.state_dict(), folder / "yamnet.safetensors")
    sounds = {
        "modality": "audio",
        "path": "data/sounds",
        "encoder": "builtin/yamnet",
        "checkpoint": "yamnet.safetensors",
    }
    silos = {"sounds": sounds, "descriptions": TEXTS | {"encoder": "builtin/minilm"}}
    finetune = FAST | {"probe_steps": 0, "arms": ["unimodal", "uml"], "batch_norm": "train"}
    trunk = {"mode": "finetune", "shots": [1], "seeds": 2, "finetune": finetune}
    params = {"target": "sounds", "silos": silos, "relevance": {"permutations": 99}, "trunk": trunk}
    study = before_trunk(write(folder, params))
    for stage in ("trunk", "model"):
        call(study, Step(stage))
    model = UnimodalModel.load(Workspace(study.folder).reading("model"))
    manifest = read_manifest(study, "sounds")
    test = manifest[manifest["split"] == "test"]
    guesses = model.predict([folder / path for path in test["path"]])
    metrics = json.loads((Workspace(study.folder).reading("trunk") / "metrics.json").read_text())
    assert 100 * np.mean(np.array(guesses) == test["label"]) == pytest.approx(metrics["test"]["ships"])


def test_an_auxiliary_encoder_that_learns(again):
    study = again(trainable=["descriptions"], checkpointing=True)
    built, task = joint(study)
    losses = task.losses(built.model, task.draw(0, 0, World()), World())
    text = gradients(built.model, losses["descriptions"])
    image = gradients(built.model, losses["target"])
    theirs = [name for name in text if name.startswith("branches.of_descriptions.encoder")]
    assert theirs
    assert any(text[name].any() for name in theirs)
    assert not any(image[name].any() for name in theirs)
    assert not any(slope.any() for name, slope in text.items() if name.startswith("encoder."))
    rates = [group["lr_scale"] for group in task.groups()]
    assert min(rates) < 1
    assert sum(len(group["params"]) for group in task.groups()) == len(list(built.model.parameters()))


@pytest.mark.parametrize("trainable", [[], ["more"]])
def test_a_bridge_teaches_the_projection(again, trainable):
    """Photos of other classes by the target's encoder go through its projection, and its encoder where they learn."""
    built, task = joint(again(trainable=trainable))
    losses = task.losses(built.model, task.draw(0, 0, World()), World())
    slopes = gradients(built.model, losses["more"])
    assert slopes["projection.weight"].any()
    assert any(slopes[name].any() for name in slopes if name.startswith("encoder.")) == bool(trainable)
    assert len(built.model.branch("more").known) == 3


def test_texts_cannot_be_mirrored(again):
    study = again("descriptions", augment="flip")
    _, task = joint(study)
    with pytest.raises(UserError, match="cannot be augmented"):
        task.draw(0, 0, World())


def test_a_network_without_checkpointing_says_so(again):
    study = again()
    encoder = gather(study).encoder("drawings")
    encoder.net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3, 2))
    with pytest.raises(UserError, match="no gradient checkpointing"):
        Encoding(encoder).recompute()
