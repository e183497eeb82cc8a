import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.conftest import CLASSES
from uml_pipeline import cli
from uml_pipeline.lineage import environment
from uml_pipeline.lineage.verify import Finding, verify
from uml_pipeline.pipeline import Step, call
from uml_pipeline.registry import promote
from uml_pipeline.registry.book import releases
from uml_pipeline.study import Study
from uml_pipeline.workspace import seal


@pytest.fixture
def model(study: Study) -> Path:
    return study.folder / "artifacts/model"


def test_the_command_checks_seal_and_signature_where_no_study_is(
    study: Study, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def uml(*words: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["uml", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0), capsys.readouterr().out

    key, signers, elsewhere = tmp_path / "key", tmp_path / "signers", tmp_path / "elsewhere"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    signers.write_text(f"ada@example.org {key.with_suffix('.pub').read_text()}")
    assert uml("sign", model, "--key", key)[0] == 0
    assert differing(study, model) == {}
    shutil.move(model, elsewhere)
    monkeypatch.chdir(tmp_path)
    code, out = uml("verify", elsewhere, "--signers", signers)
    assert (code, "signed by ada@example.org" in out, "same" in out) == (0, True, True)
    (elsewhere / "extra.txt").write_text("")
    assert uml("verify", elsewhere, "--signers", signers)[0] == 1


def differing(study: Study, model: Path) -> dict[str, list[str]]:
    return {one.what: one.differs for one in verify(study, model) if one.differs}


def test_all_is_the_same_at_first(study: Study, model: Path) -> None:
    found = verify(study, model)
    assert [one.what for one in found] == [
        "the model's own files", "raw data of drawings", "raw data of descriptions", "raw data of scrambled",
        "parameters", "code", "packages",
    ]  # fmt: skip
    assert all(one == Finding(one.what, []) for one in found)


def test_files_that_were_touched_removed_and_added_are_named(study: Study, model: Path) -> None:
    place = study.folder / "data/drawings" / CLASSES[0]
    shutil.copyfile(place / "ada.png", place / "bob.png")
    (place / "cem.png").unlink()
    (study.folder / "data/drawings" / CLASSES[1] / "dee.png").touch()  # its time alone
    differs = differing(study, model)
    named = f"data/drawings/{CLASSES[0]}"
    assert set(differs) == {"raw data of drawings"}
    assert f"changed: {named}/bob.png" in differs["raw data of drawings"]
    assert f"cannot be read: {named}/cem.png" in differs["raw data of drawings"]  # metadata.csv still lists it
    assert len(differs["raw data of drawings"]) == 2


def test_a_text_and_a_label(study: Study, model: Path) -> None:
    path = study.folder / "data/descriptions.csv"
    lines = path.read_text().splitlines()
    lines[1] = lines[1].replace(CLASSES[0], CLASSES[1])
    path.write_text("\n".join([*lines, f"one more,{CLASSES[0]}"]) + "\n")
    text = lines[1].split(",")[0]
    assert differing(study, model)["raw data of descriptions"] == [
        "added: one more",
        f"another label or group: {text}",
    ]


def test_the_release_keeps_what_the_silo_was_when_its_stage_has_run_again(study: Study) -> None:
    promote(study)
    (study.folder / "data/drawings" / CLASSES[0] / "ada.png").unlink()
    call(study, Step("silo", "drawings"))
    differs = differing(study, releases(study)[1].folder)
    assert differs == {"raw data of drawings": [f"cannot be read: data/drawings/{CLASSES[0]}/ada.png"]}
    without = differing(study, study.folder / "artifacts/model")
    assert without == differs
    shutil.rmtree(study.folder / "registry")
    assert differing(study, study.folder / "artifacts/model") == {
        "raw data of drawings": ["changed; what it was is not kept any more"]
    }


def test_data_that_are_gone(study: Study, model: Path) -> None:
    shutil.rmtree(study.folder / "data/drawings")
    assert differing(study, model) == {"raw data of drawings": ["silo path 'data/drawings' does not exist"]}


def test_parameters_code_and_packages(study: Study, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = study.folder / "params.yaml"
    params = yaml.safe_load(path.read_text())
    params["trunk"]["seeds"] = 5
    params["report"]["robustness"] = 7  # no input of the model
    path.write_text(yaml.safe_dump(params))
    real = environment.code_version
    monkeypatch.setattr(environment, "code_version", lambda room: "ab" if room == "relevance" else real(room))
    monkeypatch.setattr(environment, "version", lambda name: "0.0")
    differs = differing(Study(study.folder), model)
    assert differs["parameters"] == ["trunk.seeds: 4, now 5"]
    assert differs["code"] == ["stage relevance"]
    assert any(line.startswith("torch: ") and line.endswith("now 0.0") for line in differs["packages"])


def test_a_key_that_is_younger_than_the_model_had_its_default(study: Study, model: Path) -> None:
    path = model / "lineage.json"
    lineage = json.loads(path.read_text())
    silos = next(node["params"]["silos"] for node in lineage["nodes"] if "silos" in node["params"])
    del silos["drawings"]["seed"], silos["drawings"]["gate"]
    path.write_text(json.dumps(lineage))
    assert differing(study, model)["parameters"] == ["silos.drawings.gate: 0.0, now 0.3"]


def test_weights_that_were_tampered_with_are_named(study: Study, model: Path) -> None:
    weights = model / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    (model / "extra.txt").write_text("")
    assert differing(study, model) == {"the model's own files": ["extra.txt: added", "model.safetensors: changed"]}


def test_a_seal_that_was_forged_does_not_help(study: Study, model: Path) -> None:
    weights = model / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    (model / "fingerprint.json").unlink()
    seal(model)
    [line] = differing(study, model)["the model's own files"]
    assert "not those that lineage.json is about" in line
