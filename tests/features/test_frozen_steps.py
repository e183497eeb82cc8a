import numpy as np
import pytest
import torch
from PIL import Image

from tests.features.test_encoders import silo
from tests.features.test_text_hub import SENTENCES
from tests.features.test_timm_images import save_net
from tests.features.tiny_nets import save_clip, save_image_net, save_siglip, save_text_net
from uml_pipeline.errors import UserError
from uml_pipeline.features import create_encoder
from uml_pipeline.features.grids import cells, grid_of
from uml_pipeline.features.steps import default, sequences


def frozen(encoder, samples, longest=10_000):
    """And neighbours change nothing."""
    found = sequences(encoder, samples, "frozen", longest)
    for place in (0, len(samples) - 1):
        [one] = sequences(encoder, [samples[place]], "frozen", longest)
        assert torch.equal(one, found[place])
    return found


def timm_net(folder, arch, pixels):
    checkpoint = save_net(folder / "net.safetensors", arch)
    return create_encoder(silo(f"timm/{arch}?img_size={pixels}", checkpoint=checkpoint), folder)


def test_patches_of_timms_vision_transformer(tmp_path, pictures):
    encoder = timm_net(tmp_path, "test_vit", 160)
    found = frozen(encoder, pictures)
    [image] = encoder.prepare(pictures[:1])
    with torch.inference_mode():
        hidden = encoder.net.forward_features(encoder._normal(image[None]))
    assert hidden.shape[1] == 101  # with the class token, which the vector is
    assert torch.allclose(found[0], hidden[0, 1:], atol=1e-5)


@pytest.mark.parametrize("arch", ["test_efficientnet", "test_convnext", "mobilenetv2_035"])
def test_cells_of_a_convnet_have_its_vector_as_their_mean(tmp_path, pictures, arch):
    encoder = timm_net(tmp_path, arch, 64)
    found, vectors = frozen(encoder, pictures), encoder.encode(pictures)
    if arch == "test_convnext":  # which normalises after pooling
        found = [encoder.net.head.norm(one.mean(0)[None, :, None, None]).detach()[:, :, 0, 0] for one in found]
    assert np.allclose([one.mean(0) for one in found], vectors, atol=1e-4)


def test_windows_of_swin_in_their_place(tmp_path, pictures):
    """Its channels come last in timm."""
    small = {"embed_dim": 8, "depths": [1, 1], "num_heads": [2, 2]}
    checkpoint = save_net(tmp_path / "net.safetensors", "swin_tiny_patch4_window7_224", **small)
    options = "embed_dim=8&depths=[1,1]&num_heads=[2,2]"
    encoder = create_encoder(silo(f"timm/swin_tiny_patch4_window7_224?{options}", checkpoint=checkpoint), tmp_path)
    found = frozen(encoder, pictures)
    assert {one.shape for one in found} == {(28 * 28, 16)}
    assert np.allclose([one.mean(0) for one in found], encoder.encode(pictures), atol=1e-4)


@pytest.mark.parametrize("kind", ["vit", "dinov2", "resnet"])
def test_patches_of_transformers_networks(tmp_path, pictures, kind):
    net, processor = save_image_net(tmp_path / "net", kind)
    found = frozen(create_encoder(silo("transformers/net"), tmp_path), pictures)
    images = [Image.open(path) for path in pictures]
    with torch.inference_mode():
        hidden = net.base_model(**processor(images=images, return_tensors="pt")).last_hidden_state
    expected = hidden.flatten(2).mT if kind == "resnet" else hidden[:, 1:]
    assert torch.allclose(torch.stack(found), expected, atol=1e-5)


def test_registers_are_no_patches(tmp_path, pictures):
    import transformers

    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 32, "patch_size": 8}
    config = transformers.Dinov2WithRegistersConfig(**sizes, num_register_tokens=3)
    net = transformers.Dinov2WithRegistersModel(config).eval()
    processor = transformers.ViTImageProcessor(size={"height": 32, "width": 32})
    for one in (net, processor):
        one.save_pretrained(tmp_path / "net")
    found = frozen(create_encoder(silo("transformers/net"), tmp_path), pictures)
    images = processor(images=[Image.open(path) for path in pictures], return_tensors="pt")
    with torch.inference_mode():
        hidden = net(**images).last_hidden_state
    assert torch.allclose(torch.stack(found), hidden[:, 4:], atol=1e-5)


def test_patches_of_two_towers(tmp_path, pictures):
    net, processor, _ = save_clip(tmp_path / "clip")
    found = frozen(create_encoder(silo("transformers/clip"), tmp_path), pictures)
    images = processor(images=[Image.open(path) for path in pictures], return_tensors="pt")
    with torch.inference_mode():
        hidden = net.vision_model(**images).last_hidden_state
    assert torch.allclose(torch.stack(found), hidden[:, 1:], atol=1e-5)
    save_siglip(tmp_path / "siglip", SENTENCES * 4)
    assert {one.shape for one in frozen(create_encoder(silo("transformers/siglip"), tmp_path), pictures)} == {(16, 16)}


def test_cells_of_the_built_in_encoder(pictures):
    encoder = create_encoder(silo("builtin/emoji"))
    found = torch.stack(frozen(encoder, pictures))
    assert found.shape == (11, 16, 256)
    with torch.inference_mode():
        vectors = encoder.net.out(found.mean(1))
    assert np.allclose(vectors, encoder.encode(pictures), atol=1e-4)


@pytest.mark.parametrize("kind", ["bert", "gpt2", "t5", "llama"])
def test_tokens_are_their_rows_in_the_embedding(tmp_path, kind):
    net, tokenizer = save_text_net(tmp_path / "net", kind)
    found = frozen(create_encoder(silo("transformers/net", "text"), tmp_path), SENTENCES, longest=6)
    table = net.get_input_embeddings().weight
    for text, one in zip(SENTENCES, found, strict=True):
        assert torch.equal(one, table[tokenizer(text)["input_ids"][:6]])


def test_tokens_of_minilm_and_of_a_tower(tmp_path):
    encoder = create_encoder(silo("builtin/minilm", "text"))
    found, tokens = frozen(encoder, SENTENCES), encoder.sequences(SENTENCES)
    assert [one.shape for one in found] == [(len(ids), 384) for ids in tokens]
    net, _, _ = save_clip(tmp_path / "net")
    tower = create_encoder(silo("transformers/net", "text"), tmp_path)
    [one] = frozen(tower, ["a red cat"])
    assert torch.equal(one, net.text_model.get_input_embeddings().weight[tower.sequences(["a red cat"])[0]])


def test_a_grid_is_averaged_down_to_what_fits():
    grid = torch.arange(16.0).view(1, 1, 4, 4)
    assert cells(grid, 16).flatten().tolist() == list(range(16))
    assert cells(grid, 15).shape == (1, 9, 1)
    assert cells(grid, 8).flatten().tolist() == [2.5, 4.5, 10.5, 12.5]
    assert cells(grid, 3).flatten().tolist() == [7.5]
    wide = grid_of(torch.arange(8.0).view(1, 8, 1), torch.zeros(1, 3, 20, 40))
    assert wide[0, 0].tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_what_an_encoder_gives():
    encoder = create_encoder(silo("builtin/emoji"))
    assert default(encoder) == "raw"
    vectors = create_encoder(silo("vectors", "vector"), fitted={"dim": 2, "origin": ""})
    assert default(vectors) == "vector"
    samples = [np.float32([1, 2]), np.float32([3, 4])]
    assert torch.equal(torch.cat(sequences(vectors, samples, "vector", 5)), torch.tensor(np.stack(samples)))
    with pytest.raises(UserError, match="'vectors' gives no raw steps") as caught:
        sequences(vectors, samples, "raw", 5)
    assert caught.value.fix == "use one of: vector"
    with pytest.raises(UserError, match="gives no frozen steps") as caught:
        sequences(create_encoder(silo("builtin/logmel", "audio")), [], "frozen", 5)
    assert caught.value.fix == "use one of: raw, vector"
