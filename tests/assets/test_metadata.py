"""What a person sees of a run: in plain words, the most telling first, and nothing of the users' data as markup."""

from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from assets import model, silo
from assets.plan import Plan
from assets.show import accuracies, code, gains, plain, table
from tests.assets.test_materialize import materialize_all, told
from uml_pipeline.study import Study

EVIL = "![x](https://example.org/x.png)<img src=x onerror=alert(1)>"


@pytest.mark.parametrize("text", ["plain", EVIL, "a `tick`", "``` fence ```\n# title", "`", " ", "", "a\n\n- b"])
def test_somebody_s_words_stay_words_in_markdown(text: str) -> None:
    fence, _, rest = code(text).partition(" ")
    inside, _, last = rest.rpartition(" ")
    assert fence == last == "`" * len(fence)
    assert fence not in inside
    assert inside.split() == text.split()
    assert "\n" not in inside


def test_no_sentence_is_markup() -> None:
    assert plain(f"missing: {EVIL}\n\n# x") == (
        r"missing: !\[x\](https://example.org/x.png)\<img src=x onerror=alert(1)\> # x"
    )
    assert plain("all 8 expectations are met, p = 0.5") == "all 8 expectations are met, p = 0.5"


def test_classes_are_listed_by_samples_a_side_the_rarest_first(tmp_path: Path) -> None:
    rows = [("cat", "train")] * 3 + [("dog", "train"), ("dog", "test"), (EVIL, "train"), (None, "train")]
    pd.DataFrame(rows, columns=["label", "split"]).to_parquet(tmp_path / "manifest.parquet")
    shown = silo._class_table(tmp_path)
    assert shown is not None
    assert [record.data for record in shown.records] == [
        {"class": EVIL, "test": 0, "train": 1, "all": 1},
        {"class": "dog", "test": 1, "train": 1, "all": 2},
        {"class": "cat", "test": 0, "train": 3, "all": 3},
    ]


def test_a_silo_without_labels_has_no_class_table(tmp_path: Path) -> None:
    pd.DataFrame({"label": [None, None], "split": ["train", "train"]}).to_parquet(tmp_path / "manifest.parquet")
    assert silo._class_table(tmp_path) is None


def test_accuracies_are_a_row_a_method_and_a_column_a_number_of_shots() -> None:
    runs = [{"method": name, "shots": n, "mean": 50.04 + n, "std": 1.26} for name in ("a", "b") for n in (4, 1)]
    shown = accuracies([*runs, {"method": "z", "shots": 0, "mean": 17.0, "std": 0.0}], {"a": "A", "b": "B", "z": "Z"})
    assert shown is not None
    assert [record.data for record in shown.records] == [
        {"method": "Z", "0 a class": "17.0 ± 0.0", "1 a class": None, "4 a class": None},
        {"method": "A", "0 a class": None, "1 a class": "51.0 ± 1.3", "4 a class": "54.0 ± 1.3"},
        {"method": "B", "0 a class": None, "1 a class": "51.0 ± 1.3", "4 a class": "54.0 ± 1.3"},
    ]


def test_gains_come_by_shots_the_largest_first() -> None:
    found = [
        {"method": "a", "against": "b", "shots": shots, "mean": mean, "low": mean - 1, "high": mean + 1}
        for shots, mean in [(2, 0.5), (1, -1.0), (1, 2.0)]
    ]
    shown = gains(found, {"a": "A", "b": "B"})
    assert shown is not None
    assert [(record.data["samples a class"], record.data["gain"]) for record in shown.records] == [
        (1, "+2.0 points (+1.0 to +3.0)"),
        (1, "−1.0 points (−2.0 to +0.0)"),
        (2, "+0.5 points (−0.5 to +1.5)"),
    ]


def test_no_record_is_no_table() -> None:
    assert table([], ["a"]) is None


def test_an_accuracy_says_how_sure_it_is() -> None:
    assert model._accuracy({"ships": 100.0, "samples": 10}) == "100.0 % (72.2 to 100.0) of 10 samples"


@pytest.mark.slow
def test_every_step_of_a_run_says_what_a_person_asks(tiny_study: Study) -> None:
    """One run for all of it."""
    with (tiny_study.folder / "data" / "descriptions.csv").open("a") as file:
        file.write(f'"{EVIL}","{EVIL}"\n')
    run = materialize_all(tiny_study)
    assert run.success
    shown = {key.to_user_string(): told(run, key.to_user_string()) for key in _keys(tiny_study)}
    assert not [key for key, facts in shown.items() if any(EVIL in _markdown(fact) for fact in facts.values())]
    assert not [check for check in run.get_asset_check_evaluations() if "![x]" in (check.description or "")]

    assert shown["silo/drawings"]["samples"].value.startswith("![contact](data:image/png;base64,")
    assert EVIL in {row.data["class"] for row in shown["silo/descriptions"]["samples a class"].records}
    assert shown["features/drawings"]["numbers a sample"].value == 384
    assert shown["features/drawings"]["seconds"].value > 0
    assert shown["relevance/descriptions"]["figure"].value.startswith("![expected_descriptions](data:image/svg+xml")
    assert shown["trunk"]["learning curve"].value.startswith("![learning curve](data:image/svg+xml")
    assert shown["trunk"]["accuracy (%)"].schema.columns[0].name == "method"
    tree = shown["model"]["made from"].value.splitlines()
    assert tree[0].startswith("- [model](/assets/model) ` ")
    assert "  - [trunk](/assets/trunk) ` " in "\n".join(tree)
    assert any("[silo/drawings](/assets/silo/drawings)" in line for line in tree)
    assert any("` data/drawings `" in line for line in tree)
    second = {key: list(facts)[1] for key, facts in shown.items()}  # after the state
    assert (second["relevance/descriptions"], second["trunk"], second["report"]) == ("verdict", "ships", "page")


def _keys(study: Study) -> list[dg.AssetKey]:
    plan = Plan(study)
    return [key for step in plan.graph for key in plan.keys(step)]


def _markdown(fact: dg.MetadataValue) -> str:
    return str(fact.value) if isinstance(fact, dg.MarkdownMetadataValue) else ""
