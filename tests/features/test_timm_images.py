import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from tests.features.test_encoders import silo, vectors_do_not_depend_on_neighbours
from uml_pipeline.errors import UserError
from uml_pipeline.features import create_encoder, load_encoder
from uml_pipeline.samples.images import read_image


@pytest.fixture
def checkpoint(tmp_path):
    """A vision transformer with random weights and a head of seven classes."""
    return save_net(tmp_path / "vit.safetensors", num_classes=7)


def save_net(path, arch="test_vit", seed=0, **kwargs):
    import timm

    torch.manual_seed(seed)
    save_file(timm.create_model(arch, **kwargs).state_dict(), path)
    return path.name


def by_timm(folder, checkpoint, paths, arch="test_vit", sized=None, **data):
    """What timm's documentation does."""
    import timm

    net = timm.create_model(arch, checkpoint_path=folder / checkpoint, num_classes=7, **(sized or {})).eval()
    net.reset_classifier(0)
    config = timm.data.resolve_model_data_config(net) | data
    transform = timm.data.create_transform(**config, is_training=False)
    with torch.inference_mode():
        return net(torch.stack([transform(read_image(path)) for path in paths])).numpy()


def test_a_checkpoint_is_read_as_timm_reads_it(tmp_path, pictures, checkpoint):
    encoder = create_encoder(silo("timm/test_vit", checkpoint=checkpoint), tmp_path)
    assert encoder.dim == 64
    vectors_do_not_depend_on_neighbours(encoder, pictures)
    assert np.allclose(encoder.encode(pictures), by_timm(tmp_path, checkpoint, pictures), atol=1e-4)


@pytest.mark.parametrize(
    ("options", "data"),
    [
        ("mean=0.1&std=0.2", {"mean": (0.1,) * 3, "std": (0.2,) * 3}),
        ("mean=[0.1, 0.2, 0.3]", {"mean": (0.1, 0.2, 0.3)}),
        ("interpolation=bilinear&crop_pct=0.5", {"interpolation": "bilinear", "crop_pct": 0.5}),
        ("crop_mode=squash", {"crop_mode": "squash"}),
    ],
)
def test_preprocessing_can_be_said(tmp_path, pictures, checkpoint, options, data):
    plain = create_encoder(silo("timm/test_vit", checkpoint=checkpoint), tmp_path)
    encoder = create_encoder(silo(f"timm/test_vit?{options}", checkpoint=checkpoint), tmp_path)
    assert encoder.fingerprint != plain.fingerprint
    assert np.allclose(encoder.encode(pictures), by_timm(tmp_path, checkpoint, pictures, **data), atol=1e-4)


@pytest.mark.parametrize("option", ["img_size=96", "input_size=[3, 96, 96]"])
def test_the_size_can_be_said(tmp_path, pictures, option):
    """To a convnet, which takes any, and to a vision transformer, which is built for one."""
    size = {"input_size": (3, 96, 96)}
    resnet = save_net(tmp_path / "resnet.safetensors", "test_resnet", num_classes=7)
    encoder = create_encoder(silo(f"timm/test_resnet?{option}", checkpoint=resnet), tmp_path)
    assert np.allclose(encoder.encode(pictures), by_timm(tmp_path, resnet, pictures, "test_resnet", **size), atol=1e-4)
    vit = save_net(tmp_path / "small.safetensors", num_classes=7, img_size=96)
    encoder = create_encoder(silo(f"timm/test_vit?{option}", checkpoint=vit), tmp_path)
    expected = by_timm(tmp_path, vit, pictures, sized={"img_size": 96}, **size)
    assert np.allclose(encoder.encode(pictures), expected, atol=1e-4)


def test_places_of_a_checkpoint_of_another_size_are_interpolated(tmp_path, pictures, checkpoint):
    """As timm does it with the hub's weights; the shipped ones are those of the size in use."""
    encoder = create_encoder(silo("timm/test_vit?img_size=96", checkpoint=checkpoint), tmp_path)
    (tmp_path / "model").mkdir()
    encoder.export(tmp_path / "model")
    loaded = load_encoder(encoder.describe(), tmp_path / "model")
    assert np.array_equal(loaded.encode(pictures), encoder.encode(pictures))


def test_keywords_and_weights_change_the_fingerprint(tmp_path, checkpoint):
    def fingerprint(options="", checkpoint=checkpoint):
        return create_encoder(silo(f"timm/test_vit{options}", checkpoint=checkpoint), tmp_path).fingerprint

    average = "?class_token=true&global_pool=avg&fc_norm=false"
    other = save_net(tmp_path / "other.safetensors", seed=1)
    assert fingerprint() == fingerprint()
    assert len({fingerprint(), fingerprint(average), fingerprint(checkpoint=other), fingerprint("?std=0.3")}) == 4


def test_export_is_self_contained(tmp_path, pictures, checkpoint):
    encoder = create_encoder(silo("timm/test_vit?mean=0.4", checkpoint=checkpoint, flip=True), tmp_path)
    folder = tmp_path / "model"
    folder.mkdir()
    encoder.export(folder)
    (tmp_path / checkpoint).unlink()
    loaded = load_encoder(encoder.describe(), folder)
    assert loaded.views == 1
    assert np.array_equal(loaded.encode(pictures), encoder.encode(pictures))


@pytest.mark.parametrize(
    ("encoder", "file", "words"),
    [
        ("timm/mobilenetv2_10", None, "timm/mobilenetv2_100"),
        ("timm/test_vit?colour=red", "vit.safetensors", "refuses a keyword"),
        ("timm/test_vit?img_size=90", "vit.safetensors", "where:"),
        ("timm/test_vit?mean=grey", "vit.safetensors", "`mean=grey` makes no sense"),
        ("timm/test_vit?mean=[0.5, 0.5]", "vit.safetensors", "makes no sense"),
        ("timm/test_vit?mean=.nan", "vit.safetensors", "makes no sense"),
        ("timm/test_vit?mean=", "vit.safetensors", "makes no sense"),
        ("timm/test_vit?std=0", "vit.safetensors", "makes no sense"),
        ("timm/test_vit?crop_pct=1.5", "vit.safetensors", "makes no sense"),
        ("timm/test_vit?interpolation=random", "vit.safetensors", "makes no sense"),
        ("timm/test_vit?img_size=huge", "vit.safetensors", "makes no sense"),
        ("timm/test_vit?input_size=[1, 96, 96]", "vit.safetensors", "makes no sense"),
        ("timm/test_resnet?global_pool=''", "resnet.safetensors", "gives no vector"),
        ("timm/test_vit?in_chans=1", "vit.safetensors", "where:"),
        ("timm/test_vit", "nowhere.safetensors", "no such checkpoint"),
        ("timm/test_vit", "broken.safetensors", "cannot be read"),
        ("timm/test_resnet", "vit.safetensors", "does not fit"),
    ],
)
def test_nonsense_is_refused(tmp_path, checkpoint, encoder, file, words):
    (tmp_path / "broken.safetensors").write_bytes(b"\x80\x04 a pickle, say")
    save_net(tmp_path / "resnet.safetensors", "test_resnet")
    with pytest.raises(UserError) as caught:
        create_encoder(silo(encoder, checkpoint=file), tmp_path)
    assert words in str(caught.value)
    assert caught.value.where
    assert caught.value.fix


def test_white_is_what_normalisation_makes_of_it(tmp_path, checkpoint):
    Image.new("RGB", (40, 40), "white").save(tmp_path / "white.png")
    encoder = create_encoder(silo("timm/test_vit?mean=0.25&std=0.5", checkpoint=checkpoint), tmp_path)
    seen = []
    encoder.pooled = lambda images: seen.append(images) or images.mean((2, 3))
    encoder.compute(encoder.prepare([tmp_path / "white.png"])[0][None])
    assert torch.equal(seen[0], torch.full((1, 3, 160, 160), 1.5))


@pytest.mark.realdata
def test_mobilenet_on_photos(data_dir):
    photos = data_dir / "datasets" / "caltech50" / "image_silo"
    manifest = pd.read_csv(photos / "manifest.csv")
    train = manifest[manifest["split"] == "train"].groupby("label").head(2)
    test = manifest[manifest["split"] == "test"].groupby("label").head(1)
    weights = data_dir / "weights" / "vision_mobilenetv2_100_torchvision_qat.safetensors"
    encoder = create_encoder(silo("timm/mobilenetv2_100", checkpoint=str(weights)))
    known, asked = (encoder.encode([photos / path for path in rows["path"]]) for rows in (train, test))
    assert known.shape == (100, 1280)
    similar = asked @ (known / np.linalg.norm(known, axis=1, keepdims=True)).T
    hits = train["label"].to_numpy()[similar.argmax(1)] == test["label"].to_numpy()
    assert hits.mean() > 0.6  # 2 shots, nearest neighbour; the weights do what they should
