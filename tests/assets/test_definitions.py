"""What Dagster is told about a study: it loads, quickly, and its graph is DVC's."""

import subprocess
import sys
from pathlib import Path

import dagster as dg

from assets.definitions import build
from assets.plan import Plan
from uml_pipeline.ledger import Ledger
from uml_pipeline.pipeline import STAGES, Step
from uml_pipeline.study import Study

ROOT = Path(__file__).parents[2]
HEAVY = {"torch", "timm", "transformers", "great_expectations", "dvc", "matplotlib", "sklearn"}


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
    assert assets.get_all_asset_keys() == set(step_of)
    assert {step.address for step in step_of.values()} == set(ledger.order())


def test_groups_are_the_rooms() -> None:
    groups = {spec.key: spec.group_name for spec in demo().resolve_all_asset_specs()}
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
    assert chosen == {dg.AssetKey("trunk"), dg.AssetKey("model"), dg.AssetKey("report")}
