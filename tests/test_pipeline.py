"""The stage graph, and which steps a change makes run again."""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from uml_pipeline import graph, pipeline
from uml_pipeline.errors import UserError
from uml_pipeline.ledger import Ledger
from uml_pipeline.pipeline import STAGES, Outcome, Step
from uml_pipeline.silo import read_manifest
from uml_pipeline.study import Study

ROOT = Path(__file__).parent.parent
SILOS = ("drawings", "descriptions", "scrambled")
ALL = {f"{stage}@{silo}" for stage in ("silo", "features") for silo in SILOS} | {
    "relevance",
    "trunk",
    "model",
    "report",
}


def run(study: Study, **options: Any) -> dict[str, Outcome]:
    """What became of each step, in the order in which they ran."""
    outcomes: dict[str, Outcome] = {}
    pipeline.run(study, finished=lambda step, outcome: outcomes.update({step.address: outcome}), **options)
    return outcomes


def ran(study: Study) -> set[str]:
    return {address for address, outcome in run(study).items() if outcome is Outcome.DONE}


def times(study: Study) -> dict[Path, int]:
    """When each file of the study was last written; DVC's own notes aside."""
    files = (path for path in study.folder.rglob("*") if ".dvc" not in path.parts)
    return {path: path.stat().st_mtime_ns for path in files}


def versions(study: Study) -> dict[str, str]:
    """The seal of every artifact."""
    seals = (study.folder / "artifacts").rglob("fingerprint.json")
    return {seal.parent.relative_to(study.folder).as_posix(): seal.read_text() for seal in seals}


def edit(study: Study, change: Callable[[dict[str, Any]], object]) -> Study:
    path = study.folder / "params.yaml"
    params = yaml.safe_load(path.read_text())
    change(params)
    path.write_text(yaml.safe_dump(params, sort_keys=False))
    return Study(study.folder)


def test_the_demo_s_dvc_yaml_is_rendered_from_stages() -> None:
    written = yaml.safe_load((ROOT / "dvc.yaml").read_text())
    assert set(written["stages"]) == {"demo-data", *(stage.name for stage in STAGES)}
    del written["stages"]["demo-data"]
    assert written == pipeline.render()
    assert list(written["stages"]) == [stage.name for stage in STAGES]


def test_the_rendered_text_is_what_is_rendered() -> None:
    for code in (True, False):
        assert yaml.safe_load(pipeline.render_yaml(code)) == pipeline.render(code)
    assert "uml_pipeline/" not in pipeline.render_yaml(code=False)


def test_every_source_that_a_stage_names_is_there() -> None:
    for stage in STAGES:
        for room in (stage.name, *stage.code):
            assert (ROOT / "uml_pipeline" / room).is_dir()


def test_addresses_are_read_as_they_are_written() -> None:
    for step in (Step("silo", "drawings"), Step("trunk"), Step("demo-data")):
        assert Step.parse(step.address) == step
    assert [Step(name).ours for name in ("silo", "report", "demo-data")] == [True, True, False]


def test_steps_come_after_what_they_need(tiny_study: Study) -> None:
    ledger = Ledger(tiny_study.folder)
    order = [step.address for step in pipeline.steps(ledger)]
    assert set(order) == ALL
    assert len(order) == len(ALL)
    for place, address in enumerate(order):
        assert set(ledger.needs(address)) <= set(order[:place])
    assert order[-4:] == ["relevance", "trunk", "model", "report"]


def test_the_graph_read_from_text_is_dvc_s(tiny_study: Study) -> None:
    ledger = Ledger(tiny_study.folder)
    read = {step.address: {need.address for need in needs} for step, needs in graph.read(tiny_study).items()}
    assert read == {address: set(ledger.needs(address)) for address in ledger.order()}


def test_a_second_run_does_nothing_and_a_forced_one_gives_the_same_bytes(tiny_study: Study) -> None:
    assert run(tiny_study) == dict.fromkeys(ALL, Outcome.DONE)
    before, made = times(tiny_study), versions(tiny_study)
    assert set(made) == {f"artifacts/{address.replace('@', '/')}" for address in ALL}
    assert all(pipeline.status(tiny_study).values())
    assert run(tiny_study) == dict.fromkeys(ALL, Outcome.UNCHANGED)
    assert times(tiny_study) == before
    assert run(tiny_study, force=True) == dict.fromkeys(ALL, Outcome.DONE)
    assert versions(tiny_study) == made


def test_a_change_runs_its_own_path_again_and_nothing_else(tiny_study: Study) -> None:
    """One test, to train the study once; each change starts where the one before ended."""
    run(tiny_study)

    study = edit(tiny_study, lambda params: params["trunk"].update(seeds=6))
    stale = {step.address for step, fresh in pipeline.status(study).items() if not fresh}
    assert stale == {"trunk"}  # what follows is known to be stale once trunk has run
    assert ran(study) == {"trunk", "model", "report"}

    made = versions(study)
    back = edit(study, lambda params: params["trunk"].update(seeds=4))
    restored = {name for name, outcome in run(back).items() if outcome is Outcome.RESTORED}
    assert restored == {"trunk", "model", "report"}, "an earlier run had made them of the same inputs"
    study = edit(back, lambda params: params["trunk"].update(seeds=6))
    assert run(study)["model"] is Outcome.RESTORED
    assert versions(study) == made

    before = times(study)
    texts = study.data("descriptions")
    texts.write_text(texts.read_text().replace("someone drew a red circle", "somebody drew a red circle"))
    later = {"relevance", "trunk", "model", "report"}
    assert (
        {"silo@descriptions", "features@descriptions"}
        <= ran(study)
        <= {"silo@descriptions", "features@descriptions"} | later
    )
    after = times(study)
    others = [
        study.folder / "artifacts" / stage / name
        for stage in ("silo", "features")
        for name in ("drawings", "scrambled")
    ]
    assert {path: after[path] for path in after if any(path.is_relative_to(one) for one in others)} == {
        path: before[path] for path in before if any(path.is_relative_to(one) for one in others)
    }

    study = edit(study, lambda params: params["relevance"].update(policy="warn"))
    assert "relevance" in ran(study)
    assert ran(study) == set()

    shutil.rmtree(study.folder / "artifacts" / "model")
    assert run(study)["model"] is Outcome.RESTORED
    assert ran(study) == set()


def test_a_run_of_some_stages_leaves_the_others(tiny_study: Study) -> None:
    assert set(run(tiny_study, only=["silo"])) == {f"silo@{name}" for name in SILOS}
    assert [path.name for path in (tiny_study.folder / "artifacts").iterdir()] == ["silo"]


def test_an_input_that_changes_while_a_step_reads_it_is_not_recorded(
    tiny_study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    step, ledger, texts = Step("silo", "descriptions"), Ledger(tiny_study.folder), tiny_study.data("descriptions")
    call = pipeline.call

    def meddle(study: Study, called: Step) -> None:
        call(study, called)
        texts.write_text(texts.read_text() + "one more,red-circle\n")

    monkeypatch.setattr(pipeline, "call", meddle)
    with pytest.raises(UserError, match="an input of silo@descriptions changed while it ran"):
        pipeline.run_step(tiny_study, ledger, step)
    monkeypatch.setattr(pipeline, "call", call)
    again = Ledger(tiny_study.folder)  # as the next command finds it
    assert pipeline.run_step(tiny_study, again, step) is Outcome.DONE
    assert "one more" in set(read_manifest(tiny_study, "descriptions")["text"])


def test_a_step_waits_for_what_a_killed_dvc_left_at_work(tiny_study: Study) -> None:
    step, ledger = Step("silo", "descriptions"), Ledger(tiny_study.folder)
    with ThreadPoolExecutor(1) as pool:
        with pipeline.alone(tiny_study, step):  # as `uml silo descriptions` does under DVC; the ledger knows nothing
            outcome = pool.submit(pipeline.run_step, tiny_study, ledger, step)
            with pytest.raises(TimeoutError):
                outcome.result(timeout=2)
            assert not (tiny_study.folder / "artifacts").exists()
        assert outcome.result() is Outcome.DONE


def test_a_step_that_fails_is_not_recorded(tiny_study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(study: Study, step: Step) -> None:
        raise UserError("the room found something wrong")

    with monkeypatch.context() as patch, pytest.raises(UserError, match="found something wrong"):
        patch.setattr(pipeline, "call", fail)
        run(tiny_study, only=["silo"])
    assert set(run(tiny_study, only=["silo"]).values()) == {Outcome.DONE}


def test_a_step_that_fails_is_not_done_for_the_same_ledger_either(
    tiny_study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    step, ledger, texts = Step("silo", "descriptions"), Ledger(tiny_study.folder), tiny_study.data("descriptions")
    pipeline.run_step(tiny_study, ledger, step)
    texts.write_text(texts.read_text() + "one more,red-circle\n")

    def fail(study: Study, step: Step) -> None:
        raise UserError("the room found something wrong")

    with monkeypatch.context() as patch, pytest.raises(UserError, match="found something wrong"):
        patch.setattr(pipeline, "call", fail)
        pipeline.run_step(tiny_study, ledger, step)
    assert pipeline.run_step(tiny_study, ledger, step) is Outcome.DONE


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"encoder": "builtin/minilmm"}, "did you mean 'builtin/minilm'"),
        ({"encoder": "buildin/minilm"}, "unknown encoder"),
        ({"checkpoint": "nowhere.safetensors"}, "no such checkpoint"),
    ],
)
def test_an_encoder_that_is_not_there_is_refused_before_any_silo_is_read(
    tiny_study: Study, change_silo: Callable[..., Study], change: dict[str, str], words: str
) -> None:
    study, outcomes = change_silo(tiny_study, "scrambled", **change), []
    with pytest.raises(UserError, match=words) as caught:
        pipeline.run(study, starting=outcomes.append)
    assert outcomes == []
    assert "silo 'scrambled'" in caught.value.where


def test_a_checkpoint_that_a_stage_of_the_study_fetches_is_waited_for(
    tiny_study: Study, change_silo: Callable[..., Study]
) -> None:
    path = tiny_study.folder / "dvc.yaml"
    fetch = {"fetch": {"cmd": "mkdir weights && echo > weights/net", "outs": ["weights"]}}
    path.write_text(yaml.safe_dump({"stages": fetch | yaml.safe_load(path.read_text())["stages"]}))
    study, begun = change_silo(tiny_study, "scrambled", checkpoint="weights/net"), list[str]()

    def stop(step: Step) -> None:
        begun.append(step.address)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pipeline.run(study, starting=stop)
    assert len(begun) == 1


def test_a_study_without_dvc_yaml_gets_one(tiny_study: Study) -> None:
    (tiny_study.folder / "dvc.yaml").unlink()
    study = edit(tiny_study, lambda params: [params.pop("relevance"), params.pop("trunk")])
    assert set(run(study, only=["silo"])) == {f"silo@{name}" for name in SILOS}
    written = yaml.safe_load((study.folder / "dvc.yaml").read_text())
    assert written == pipeline.render(code=False)
    assert Study(study.folder).params == study.params


def test_a_folder_without_dvc_yaml_has_no_ledger(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no dvc\.yaml") as caught:
        Ledger(tmp_path)
    assert "uml graph" in caught.value.fix


def test_a_graph_that_dvc_cannot_read_is_a_user_s_matter(tiny_study: Study) -> None:
    (tiny_study.folder / "dvc.yaml").write_text("stages: {silo: {comand: x}}\n")
    with pytest.raises(UserError, match="DVC cannot read the graph"):
        Ledger(tiny_study.folder)
