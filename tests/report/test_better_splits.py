from pathlib import Path

import pandas as pd
import pytest

from tests.report.conftest import trunk_metrics
from uml_pipeline.report.splits import read_trunk
from uml_pipeline.workspace import write_json


@pytest.fixture
def trunk_of(tmp_path: Path):
    """`trunk_of(rows)` reads a trunk whose runs.parquet has these rows."""

    def build(rows: list[dict]):
        write_json(tmp_path / "metrics.json", trunk_metrics())
        pd.DataFrame(rows).to_parquet(tmp_path / "runs.parquet")
        return {(one.method, one.against, one.shots): one for one in read_trunk(tmp_path).gains}

    return build


def row(method: str, seed: int, test: float | None, shots: int = 1) -> dict:
    return {"method": method, "shots": shots, "seed": seed, "test": test}


def test_a_tie_is_not_better_and_settings_not_chosen_do_not_count(trunk_of):
    ours = [row("uml", 0, 52.0), row("uml", 1, 50.0), row("uml", 2, 49.0), row("uml", 2, None)]
    theirs = [row("unimodal", 0, 51.0), row("unimodal", 1, 50.0), row("unimodal", 2, 50.0)]
    gain = trunk_of([*ours, *theirs])["uml", "unimodal", 1]
    assert (gain.better, gain.splits) == (1, 3)


def test_only_splits_of_both_are_compared(trunk_of):
    gain = trunk_of([row("uml", 0, 52.0), row("uml", 1, 53.0), row("unimodal", 1, 51.0)])["uml", "unimodal", 1]
    assert (gain.better, gain.splits) == (1, 1)


@pytest.mark.parametrize("rows", [[row("uml", 0, 52.0)], [{"method": "uml", "shots": 1, "seed": 0, "alpha": 1.0}]])
def test_where_there_is_nothing_to_count_none_is_said(trunk_of, rows):
    gain = trunk_of(rows)["uml", "unimodal", 1]
    assert (gain.better, gain.splits) == (None, None)
