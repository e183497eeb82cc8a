import numpy as np
import pytest
import torch
from PIL import Image

from uml_pipeline.errors import UserError
from uml_pipeline.features import create_encoder, load_encoder
from uml_pipeline.features.minilm import load_pretrained
from uml_pipeline.silo.config import SiloConfig

SMALL = "img_size=32&patch=16"


def encoder(options=""):
    return create_encoder(SiloConfig(modality="image", path=".", encoder=f"builtin/vit?{SMALL}{options}"))


def test_its_blocks_are_the_language_models():
    bert, vit = load_pretrained()[1], encoder()
    tokens = torch.randn(2, 5, 384)
    with torch.no_grad():
        wanted = bert.encoder(tokens).last_hidden_state
        assert torch.equal(vit.net.blocks(tokens).last_hidden_state, wanted)
        assert not torch.allclose(encoder("&init=scratch").net.blocks(tokens).last_hidden_state, wanted, atol=0.1)


def test_only_the_blocks_differ_by_init_and_all_else_by_seed():
    text, scratch, other = encoder(), encoder("&init=scratch"), encoder("&init=scratch&seed=1")
    for name, value in scratch.net.state_dict().items():
        if "embed" in name:
            assert torch.equal(value, text.net.state_dict()[name])
    assert not torch.equal(scratch.net.patch_embed.weight, other.net.patch_embed.weight)
    assert len({one.fingerprint for one in (text, scratch, other)}) == 3
    assert encoder().fingerprint == text.fingerprint


def test_it_encodes_and_is_exported(tmp_path):
    draw = np.random.default_rng(0)
    paths = []
    for one in range(3):
        paths.append(tmp_path / f"{one}.png")
        Image.fromarray(draw.integers(0, 255, (40, 50, 3), np.uint8)).save(paths[-1])
    made = encoder()
    vectors = made.encode(paths)
    assert vectors.shape == (3, 384)
    assert len(np.unique(vectors.round(4), axis=0)) == 3
    with torch.no_grad():
        made.net.class_embed.add_(1)
    made.export(tmp_path)
    with pytest.raises(UserError, match="not the one"):
        load_encoder(made.describe(), tmp_path)


@pytest.mark.parametrize("options", ["&init=bert", "&img_size=33", "&patch=0", "&heads=3"])
def test_options_that_make_no_sense(options):
    with pytest.raises(UserError):
        encoder(options)
