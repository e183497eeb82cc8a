"""params.yaml: what is read from it, and what is said of a mistake in it."""

import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from uml_pipeline.errors import UserError
from uml_pipeline.study import PARAMS, Study

ROOT = Path(__file__).parent.parent
GOOD = """\
target: drawings
silos:
  drawings:
    modality: image
    path: data/drawings
    encoder: builtin/emoji
  notes:
    modality: text
    path: data/notes.csv
    encoder: builtin/minilm
relevance:
  alpha: 0.01
trunk:
  shots: [1, 2]
  forced: [notes]
"""
TYPOS = [  # (key as it should be, typo, its whole path, line, where the allowed keys stand)
    ("target:", "taget:", "taget", 1, "target, silos, features, relevance, trunk"),
    ("relevance:", "relevence:", "relevence", 11, "target, silos, features, relevance, trunk"),
    ("    modality: text", "    modallity: text", "silos.notes.modallity", 8, "modality, path, format, encoder"),
    ("  alpha:", "  alpa:", "relevance.alpa", 12, "policy, by, suspicious, permutations, alpha"),
    ("  shots:", "  shot:", "trunk.shot", 14, "mode, shots, seeds, forced"),
]
MISTAKES = [  # (what stands in the file, what stands there instead, words of the answer, line)
    ("target: drawings\n", "", ["'target' is missing"], None),
    ("    path: data/notes.csv\n", "", ["'silos.notes.path' is missing", "relative to the study"], 7),
    ("shots: [1, 2]", "shots: many", ["trunk.shots", "valid list", "Labelled target samples"], 14),
    ("shots: [1, 2]", "shots: [1, 0]", ["trunk.shots.1", "greater than 0"], 14),
    ("shots: [1, 2]", "shots: []", ["trunk.shots", "at least 1 item"], 14),
    ("shots: [1, 2]", "seeds: 1", ["trunk.seeds", "greater than or equal to 2"], 14),
    ("alpha: 0.01", "alpha: 1.5", ["relevance.alpha", "less than 1"], 12),
    ("alpha: 0.01", "policy: drop", ["relevance.policy", "'exclude', 'block' or 'warn'"], 12),
    ("modality: image", "modality: smell", ["silos.drawings.modality", "'image', 'audio'"], 4),
    ("  notes:\n", "  my notes:\n", ["'my notes'", "ASCII"], 2),
    ("  notes:\n", "  ../notes:\n", ["'../notes'", "ASCII"], 2),
    ("target: drawings", "target: photos", ["target: 'photos' is not one of the silos", "allowed: drawings, notes"], 1),
    ("target: drawings", "target: drawing", ["'drawing' is not one of", "did you mean 'drawings'?"], 1),
    ("forced: [notes]", "forced: [nots]", ["trunk.forced.0: 'nots' is not one of", "did you mean 'notes'?"], 15),
    ("forced: [notes]", "forced:\n  - notes\n  - nots", ["trunk.forced.1: 'nots'", "did you mean 'notes'?"], 17),
    ("forced: [notes]", "forced: [drawings]", ["trunk.forced.0: the target 'drawings' cannot be", "remove it"], 15),
    ("modality: image", "modality: image\n    label: null", ["silos.drawings.label", "'drawings' needs labels"], 5),
]
NOT_A_STUDY = {
    "nothing": "",
    "a list": "- target\n- silos\n",
    "a word": "target",
    "not YAML": "target: [drawings\nsilos: {",
    "a tab": "target: drawings\nsilos:\n\tdrawings: {}\n",
    "an object of Python": "target: !!python/object/apply:os.getcwd []\n",
    "a list as a key": "? [a, b]\n: c\n",
    "a list in itself": "target: &x [*x]\n",
    "a very deep list": "target: " + "[" * 5000,
    "no silos": "target: drawings\nsilos: {}\n",
    "silos without names": "target: drawings\nsilos: [a, b]\n",
}


def write(folder: Path, text: str) -> Path:
    (folder / PARAMS).write_text(text, encoding="utf-8")
    return folder


def refusal(folder: Path) -> UserError:
    """What the study in `folder` is refused with: it always says where, and what to do."""
    with pytest.raises(UserError) as caught:
        Study(folder)
    assert caught.value.where
    assert caught.value.fix
    return caught.value


def test_the_demo_is_a_study() -> None:
    study = Study(ROOT)
    assert study.target == "drawings"
    assert study.auxiliary == ["descriptions", "scrambled"]
    assert study.silo("drawings").encoder == "builtin/emoji"
    assert study.data("drawings") == ROOT / "data" / "drawings"
    assert study.params.trunk.forced == ["scrambled"]


def test_what_is_not_written_has_the_recommended_value(tmp_path: Path) -> None:
    study = Study(write(tmp_path, "target: a\nsilos:\n  a: {modality: text, path: a.csv, encoder: builtin/minilm}\n"))
    assert study.params.trunk.shots == [1, 2, 4]
    assert study.params.relevance.policy == "exclude"
    assert study.silo("a").max_bad == 0.1
    assert study.auxiliary == []


@pytest.mark.parametrize(("right", "wrong", "key", "line", "allowed"), TYPOS)
def test_a_typo_is_answered_with_line_near_match_and_allowed_keys(
    tmp_path: Path, right: str, wrong: str, key: str, line: int, allowed: str
) -> None:
    assert right in GOOD
    error = refusal(write(tmp_path, GOOD.replace(right, wrong)))
    assert error.what == f"unknown key {key!r}"
    assert error.where == f"{tmp_path / PARAMS}, line {line}"
    meant = right.strip().partition(":")[0]
    assert error.fix.startswith(f"did you mean {meant!r}? allowed: {allowed}")


@pytest.mark.parametrize(("right", "wrong", "words", "line"), MISTAKES)
def test_a_mistake_is_answered_with_key_line_and_meaning(
    tmp_path: Path, right: str, wrong: str, words: list[str], line: int | None
) -> None:
    assert right in GOOD
    error = refusal(write(tmp_path, GOOD.replace(right, wrong)))
    for word in words:
        assert word in str(error)
    place = str(tmp_path / PARAMS)
    assert error.where == (f"{place}, line {line}" if line else place)


@pytest.mark.parametrize("twice", ["target: notes\n", "silos: {}\n"])
def test_a_key_that_stands_twice_is_refused(tmp_path: Path, twice: str) -> None:
    error = refusal(write(tmp_path, GOOD + twice))
    assert "stands twice" in error.what
    assert error.where.endswith("line 16")


def test_a_silo_that_stands_twice_is_refused(tmp_path: Path) -> None:
    silo = "  {name}: {{modality: text, path: a.csv, encoder: builtin/minilm}}\n"
    text = "target: a\nsilos:\n" + silo.format(name="a") + silo.format(name="a")
    assert "'a' stands twice" in refusal(write(tmp_path, text)).what


@pytest.mark.parametrize("text", NOT_A_STUDY.values(), ids=NOT_A_STUDY.keys())
def test_what_is_no_study_is_refused(tmp_path: Path, text: str) -> None:
    assert str(tmp_path / PARAMS) in refusal(write(tmp_path, text)).where


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / PARAMS).write_bytes(b"target: \xff\xfe")
    assert refusal(tmp_path).what == "not valid YAML"


def test_a_folder_without_params_says_how_to_name_another(tmp_path: Path) -> None:
    error = refusal(tmp_path)
    assert error.what == "no params.yaml here"
    assert "--study" in error.fix


def test_an_unknown_silo_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    study = Study(write(tmp_path, GOOD))
    with pytest.raises(UserError, match="no silo 'note'") as caught:
        study.silo("note")
    assert caught.value.fix == "did you mean 'notes'? allowed: drawings, notes"


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates()
KEYS = st.sampled_from(["target", "silos", "relevance", "trunk", "drawings", "modality", "shots", "forced", "path"])
TREES: st.SearchStrategy[Any] = st.recursive(
    SCALARS | st.just("drawings"),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(KEYS | SCALARS, below, max_size=4),
    max_leaves=12,
)
LINES = st.sampled_from(
    [*GOOD.splitlines(), "", "- a", "? [a, b]", "*x", "&x y", "<<: {a: b}", "{", "1: 2", "---", "~:"]
)
GARBLED = st.lists(LINES | st.text(max_size=12), max_size=16).map("\n".join)


def study_or_refusal(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / PARAMS).write_bytes(text.encode("utf-8", "surrogatepass"))
        try:
            Study(folder)
        except UserError as error:
            assert error.where
            assert error.fix


@given(GARBLED)
def test_no_text_gives_anything_but_a_study_or_a_user_error(text: str) -> None:
    study_or_refusal(text)


@given(st.dictionaries(KEYS | SCALARS, TREES, max_size=5))
def test_no_values_give_anything_but_a_study_or_a_user_error(values: dict[Any, Any]) -> None:
    study_or_refusal(yaml.safe_dump(values, sort_keys=False))


@given(st.sampled_from(["target", "silos", "relevance", "trunk"]), TREES)
def test_no_value_of_one_key_gives_anything_but_a_study_or_a_user_error(key: str, value: Any) -> None:
    study_or_refusal(yaml.safe_dump(yaml.safe_load(GOOD) | {key: value}, sort_keys=False))
