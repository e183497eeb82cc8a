"""The demo's classes, sentences and drawings, and the encoder that has never seen the novel ones."""

import csv
import io
from collections import defaultdict
from pathlib import Path

import pytest
from PIL import Image

from uml_pipeline.demo import data
from uml_pipeline.demo.emoji import BASE_CLASSES, SIDE, Emoji, EmojiSets, load, render
from uml_pipeline.demo.sources import ARTISTS, NAMES, Package

ROOT = Path(__file__).parent.parent.parent
PACKAGES = ROOT / "data" / "packages"  # fetched if they are not there
WEIGHTS = ROOT / "uml_pipeline" / "features" / "weights" / "emoji.safetensors"


@pytest.fixture(scope="module")
def sets() -> EmojiSets:
    return load(PACKAGES)


def test_sentences_begin_with_the_label_alone() -> None:
    emoji = Emoji("red-apple", "red apple", ("fruit", "red apple", "a", "b", "c", "d", "e", "f"))
    assert emoji.sentences[:3] == ["red apple", "a drawing of red apple", "red apple, fruit"]
    assert len(emoji.sentences) == 8  # six keywords at most, and never the label as its own keyword
    assert Emoji("x", "x", ()).sentences == ["x", "a drawing of x"]


def test_base_and_novel_classes_are_disjoint(sets: EmojiSets) -> None:
    base, novel = ([emoji.name for emoji in side] for side in (sets.base, sets.novel))
    assert (len(base), len(novel)) == (BASE_CLASSES, 331)
    assert BASE_CLASSES == 700
    assert set(base).isdisjoint(novel)
    assert len({*base, *novel}) == 1031
    assert base == sorted(base)
    assert novel == sorted(novel)


def test_the_split_is_the_same_every_time(sets: EmojiSets) -> None:
    again = load(PACKAGES)
    assert (again.base, again.novel, again.svg) == (sets.base, sets.novel, sets.svg)
    assert [emoji.name for emoji in sets.novel[:2]] == ["1st-place-medal", "3rd-place-medal"]


def test_every_artist_draws_every_class(sets: EmojiSets) -> None:
    names = {emoji.name for emoji in (*sets.base, *sets.novel)}
    assert set(sets.svg) == {(artist, name) for artist in ARTISTS for name in names}


def test_every_class_has_several_sentences_of_its_own(sets: EmojiSets) -> None:
    for emoji in (*sets.base, *sets.novel):
        assert len(emoji.sentences) >= 2
        assert len(set(emoji.sentences)) == len(emoji.sentences)
        assert all(sentence.strip() == sentence and sentence for sentence in emoji.sentences)


@pytest.mark.parametrize("artist", ARTISTS)
def test_a_drawing_is_a_small_square_with_something_on_white(sets: EmojiSets, artist: str) -> None:
    png = render(sets.svg[artist, sets.novel[0].name])
    assert render(sets.svg[artist, sets.novel[0].name]) == png
    image = Image.open(io.BytesIO(png)).convert("RGB")
    assert image.size == (SIDE, SIDE)
    colours = {colour for _, colour in image.getcolors(SIDE * SIDE)}
    assert (255, 255, 255) in colours
    assert len(colours) > 2


def texts(path: Path) -> dict[str, list[str]]:
    """Sentences by class, in the file's order."""
    found = defaultdict(list)
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found[row["label"]].append(row["text"])
    return dict(found)


@pytest.fixture
def few(sets: EmojiSets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[EmojiSets, Path]:
    """The demo's data of the first twelve novel classes, and the folder it stands in."""
    few = EmojiSets(sets.base, sets.novel[:12], sets.svg)
    monkeypatch.setattr(data, "load", lambda cache: few)
    data.write(tmp_path)
    return few, tmp_path / "data"


def test_scrambled_labels_are_a_permutation_of_the_classes(
    sets: EmojiSets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of all novel classes: only the drawings, which take a while, are left out."""
    monkeypatch.setattr(data, "load", lambda cache: sets)
    monkeypatch.setattr(data, "_write_drawings", lambda sets, folder: folder.mkdir(parents=True))
    data.write(tmp_path)
    right, wrong = (texts(tmp_path / "data" / f"{name}.csv") for name in ("descriptions", "scrambled"))
    names = {emoji.name for emoji in sets.novel}
    assert set(right) == set(wrong) == names
    assert right == {emoji.name: emoji.sentences for emoji in sets.novel}
    blocks = {tuple(sentences): name for name, sentences in right.items()}
    assert len(blocks) == len(names)
    moved = {blocks[tuple(sentences)]: name for name, sentences in wrong.items()}
    assert set(moved) == set(moved.values()) == names
    assert sum(old == new for old, new in moved.items()) <= 3  # of a random permutation, one on average


def test_data_are_written_as_a_user_would_bring_them(few: tuple[EmojiSets, Path]) -> None:
    sets, folder = few
    files = {path.relative_to(folder / "drawings").as_posix() for path in (folder / "drawings").rglob("*.png")}
    assert files == {f"{emoji.name}/{artist}.png" for emoji in sets.novel for artist in ARTISTS}
    with (folder / "drawings" / "metadata.csv").open(newline="") as file:
        rows = {row["file_name"]: row["artist"] for row in csv.DictReader(file)}
    assert rows == {name: Path(name).stem for name in files}


def test_data_are_the_same_bytes_every_time(few: tuple[EmojiSets, Path]) -> None:
    _, folder = few
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    (folder / "drawings" / "left-over.png").write_text("of an older version")
    data.write(folder.parent)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_the_notice_names_every_package() -> None:
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    packages: list[Package] = [*ARTISTS.values(), NAMES]
    assert [package.name for package in packages if package.name not in notice] == []


def test_the_encoder_s_weights_are_small_half_precision_and_complete() -> None:
    import torch
    from safetensors.torch import load_file

    from uml_pipeline.features.emoji_net import EmojiNet

    assert WEIGHTS.stat().st_size <= 3_000_000
    weights = load_file(WEIGHTS)
    assert {value.dtype for value in weights.values() if value.is_floating_point()} == {torch.float16}
    assert all(torch.isfinite(value).all() for value in weights.values())
    net = EmojiNet()
    net.load_state_dict(weights, strict=True)
    with torch.inference_mode():
        assert net.eval()(torch.ones(2, 3, SIDE, SIDE)).shape == (2, 384)
