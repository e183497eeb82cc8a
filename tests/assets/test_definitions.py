"""What Dagster is told about a study: it loads, quickly, and its graph is DVC's."""

import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.definitions import build
from assets.plan import CHAMPION, Plan
from uml_pipeline.errors import UserError
from uml_pipeline.ledger import Ledger
from uml_pipeline.pipeline import STAGES, Step
from uml_pipeline.silo.config import SiloConfig
from uml_pipeline.study import Study

ROOT = Path(__file__).parents[2]
HEAVY = {
    "pandas",
    "ray",
    "kubernetes",
    "torch",
    "timm",
    "transformers",
    "great_expectations",
    "dvc",
    "matplotlib",
    "sklearn",
}


def demo() -> dg.Definitions:
    return build(Study(ROOT))


def test_the_code_location_loads() -> None:
    dg.Definitions.validate_loadable(demo())


def test_the_code_location_imports_nothing_heavy() -> None:
    code = f"import sys, assets.definitions; print(*sorted({HEAVY!r} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_the_graph_is_the_one_of_dvc() -> None:
    ledger, plan, assets = Ledger(ROOT), Plan(Study(ROOT)), demo().resolve_asset_graph()
    step_of = {key: step for step in plan.graph for key in plan.keys(step)}
    drawn = {
        (step_of[upstream].address, step.address)
        for key, step in step_of.items()
        for upstream in assets.get(key).parent_keys
    }
    assert drawn == {(needed, name) for name in ledger.order() for needed in ledger.needs(name)}
    assert assets.get_all_asset_keys() == {*step_of, CHAMPION}  # which DVC does not know: it hangs on what was before
    assert assets.get(CHAMPION).parent_keys == {dg.AssetKey("model")}
    assert {step.address for step in step_of.values()} == set(ledger.order())


def test_groups_are_the_rooms() -> None:
    groups = {spec.key: spec.group_name for spec in demo().resolve_all_asset_specs()}
    assert groups.pop(CHAMPION) == "registry"
    assert set(groups.values()) == {"data", *(stage.name for stage in STAGES)}
    assert all(key.path[0] == group for key, group in groups.items())


def test_only_the_check_of_a_silo_stops_what_is_downstream() -> None:
    specs = [
        spec for asset in demo().assets or () if isinstance(asset, dg.AssetsDefinition) for spec in asset.check_specs
    ]
    assert {spec.key.to_user_string(): spec.blocking for spec in specs} == {
        "silo/drawings:sound": True,
        "silo/descriptions:sound": True,
        "silo/scrambled:sound": True,
        "relevance/descriptions:relevant": False,
        "relevance/scrambled:relevant": False,
        "champion:not_worse": False,
    }


def test_a_study_of_one_silo_has_a_graph_too(tmp_path: Path) -> None:
    silo = "{modality: image, path: photos, encoder: builtin/emoji}"
    (tmp_path / "params.yaml").write_text(f"target: photos\nsilos:\n  photos: {silo}\n")
    study = Study(tmp_path)
    dg.Definitions.validate_loadable(build(study))
    assert Plan(study).keys(Step("relevance")) == [dg.AssetKey(["relevance"])]


def test_textual_selections_work() -> None:
    """They did not with the ANTLR that hydra-core before 1.4 asks for, and `dagster asset materialize` needs them."""
    chosen = dg.AssetSelection.from_string('key:"trunk"+').resolve(demo().resolve_asset_graph())
    assert chosen == {dg.AssetKey("trunk"), dg.AssetKey("model"), dg.AssetKey("report"), CHAMPION}


SILO = "{modality: image, path: photos, encoder: builtin/emoji, owner: %s}"


def owned(folder: Path, owner: str) -> Study:
    folder.mkdir(exist_ok=True)
    texts = "{modality: text, path: texts.csv, encoder: builtin/minilm}"
    (folder / "params.yaml").write_text(f"target: photos\nsilos:\n  photos: {SILO % owner}\n  texts: {texts}\n")
    return Study(folder)


def test_a_silo_s_assets_have_its_owner_its_role_and_its_modality(tmp_path: Path) -> None:
    specs = {
        spec.key.to_user_string(): spec
        for spec in build(owned(tmp_path / "my study, 2", "ada@example.org")).resolve_all_asset_specs()
    }
    for key in ("silo/photos", "features/photos"):
        assert list(specs[key].owners) == ["ada@example.org"]
        assert (specs[key].tags["uml/role"], specs[key].tags["uml/modality"]) == ("target", "image")
    assert specs["relevance/texts"].tags["uml/role"] == "auxiliary"
    assert not specs["relevance/texts"].owners
    assert {spec.tags["uml/study"] for spec in specs.values()} == {"my_study_2"}


@given(st.from_regex(SiloConfig.model_fields["owner"].metadata[0].pattern, fullmatch=True))
def test_every_owner_that_params_yaml_may_name_is_one_to_dagster(owner: str) -> None:
    dg.AssetSpec("silo", owners=[owner])


@pytest.mark.parametrize("owner", ["ada", "ada@", "'team:'", "'team:a b'"])
def test_an_owner_that_dagster_would_refuse_is_refused_where_it_stands(tmp_path: Path, owner: str) -> None:
    with pytest.raises(UserError, match=r"silos\.photos\.owner") as refused:
        owned(tmp_path, owner)
    assert "line 3" in refused.value.where


def test_steps_that_need_much_take_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = owned(tmp_path, "team:vision")
    steps = list(Plan(study).graph)
    monkeypatch.setattr("shutil.which", lambda program: None)
    assert {step.stage: Plan(study).pool(step) for step in steps} == {
        **{"silo": None, "features": "memory", "relevance": "memory", "trunk": "memory", "model": None},
        "report": "memory",
    }
    monkeypatch.setattr("shutil.which", lambda program: f"/usr/bin/{program}")
    on_gpu = {step.stage for step in steps if Plan(study).pool(step) == "gpu"}
    assert on_gpu == {"features", "trunk"}
    ops = {
        asset.op.name: asset.op.pool for asset in build(study).assets or () if isinstance(asset, dg.AssetsDefinition)
    }
    assert ops["features__photos"] == "gpu"


def test_runs_end_some_day() -> None:
    assert demo().resolve_job_def("everything").tags["dagster/max_runtime"] == "86400"
