import os
from collections.abc import Callable

import pytest
import yaml

from tests.conftest import CLASSES, GROUPS
from tests.registry.conftest import GATE, another, train, worse
from uml_pipeline.errors import UserError
from uml_pipeline.model import UnimodalModel
from uml_pipeline.model.folder import model_hash
from uml_pipeline.registry import champion, history, promote, rollback
from uml_pipeline.registry.book import releases
from uml_pipeline.silo import read_manifest
from uml_pipeline.silo.manifest import read_gate
from uml_pipeline.study import Study
from uml_pipeline.workspace import read_json, seal, write_json

Change = Callable[..., Study]


def test_the_first_model_is_released_as_it_is(study: Study) -> None:
    decision = promote(study)
    assert (decision.outcome, decision.number, decision.reason) == ("promoted", 1, "the first release")
    assert (decision.judged_on, decision.samples) == ("gate", len(read_gate(study)))
    released = champion(study)
    assert released is not None
    model = study.folder / "artifacts/model"
    assert {path.name: path.read_bytes() for path in released.folder.iterdir()} == {
        path.name: path.read_bytes() for path in model.iterdir()
    }
    assert read_json(study.folder / "registry/champion.json")["model"] == model_hash(model)
    picture = study.folder / "data/drawings" / CLASSES[0] / "ada.png"
    assert UnimodalModel.load(released.folder).predict_proba([picture]).shape == (1, len(CLASSES))


def test_the_same_model_again_is_no_news(study: Study) -> None:
    first = promote(study)
    assert promote(study).outcome == "unchanged"
    assert history(study) == [first]


def test_one_that_is_not_worse_is_released_and_a_worse_one_is_refused(study: Study) -> None:
    promote(study)
    another(study)
    second = promote(study)
    assert (second.outcome, second.number) == ("promoted", 2)
    assert second.gain is not None
    assert second.gain.mean == 0
    worse(study)
    refused = promote(study)
    assert (refused.outcome, refused.number, refused.judged_on) == ("refused", 2, "gate")
    assert refused.gain is not None
    assert refused.gain.high < 0
    assert "worse than the champion" in refused.reason
    now = champion(study)
    assert now is not None
    assert now.number == 2
    forced = promote(study, force=True)
    assert (forced.outcome, forced.number) == ("promoted", 3)
    assert [one.outcome for one in history(study)] == ["promoted", "promoted", "refused", "promoted"]


def test_a_small_loss_beyond_the_margin_is_refused_even_if_it_proves_nothing(study: Study) -> None:
    import pandas as pd

    from uml_pipeline.registry.judgement import judge

    rows = pd.DataFrame({"sample_id": [str(n) for n in range(20)], "label": ["a", "b"] * 10, "correct": 1.0})
    ours = rows.assign(correct=[0.0] + [1.0] * 19)
    found = judge(ours, rows, "gate", {"a", "b"}, margin=2.0)
    assert found.gain is not None
    assert found.gain.mean == -5
    assert found.gain.high == 0
    assert found.objection
    assert judge(ours, rows, "gate", {"a", "b"}, margin=5.0).objection is None


def test_rollback_and_what_was_taken_back_stays_back(study: Study) -> None:
    for number in range(3):
        another(study, number + 1)
        promote(study)
    back = rollback(study)
    assert (back.outcome, back.number) == ("rolled back", 2)
    again = promote(study)  # artifacts/model is still the one that was taken back
    assert (again.outcome, again.number) == ("refused", 2)
    assert "taken back" in again.reason
    assert rollback(study).number == 1
    with pytest.raises(UserError, match="no earlier release"):
        rollback(study)
    with pytest.raises(UserError, match="no release 9"):
        rollback(study, 9)
    with pytest.raises(UserError, match="release 1 is the champion"):
        rollback(study, 1)
    assert rollback(study, 2).number == 2
    forced = promote(study, force=True)
    assert (forced.outcome, forced.number) == ("promoted", 3)  # its own release, not a copy
    assert sorted(releases(study)) == [1, 2, 3]


def test_a_damaged_release_is_not_rolled_back_to(study: Study) -> None:
    promote(study)
    another(study)
    promote(study)
    weights = releases(study)[1].folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(UserError, match="files were changed"):
        rollback(study)


def test_a_model_that_lost_a_class_is_refused(study: Study) -> None:
    promote(study)
    another(study)
    labels = study.folder / "artifacts/model/labels.json"
    write_json(labels, ["brown-circle", *read_json(labels)[1:]])
    seal(labels.parent)
    refused = promote(study)
    assert refused.outcome == "refused"
    assert "no longer knows 1 of the champion's classes" in refused.reason
    assert refused.samples == len(read_gate(study)) * 5 // 6


def test_a_model_older_than_its_trunk_is_not_judged(study: Study) -> None:
    seal = study.folder / "artifacts/trunk/fingerprint.json"
    seal.write_text(seal.read_text() + " ")
    with pytest.raises(UserError, match="older than trunk"):
        promote(study)


def test_without_a_gate_the_recipe_is_cross_validated(gateless: Study) -> None:
    first = promote(gateless)
    assert first.judged_on == "cross-validation"
    assert first.samples == (read_manifest(gateless, "drawings")["split"] != "test").sum()
    another(gateless)
    second = promote(gateless)
    assert (second.outcome, second.judged_on) == ("promoted", "cross-validation")
    assert second.gain is not None
    assert second.gain.mean == 0  # the same recipe on the same samples
    assert second.samples == first.samples


def test_what_the_champion_has_learnt_from_does_not_judge(gateless: Study, change_silo: Change) -> None:
    promote(gateless)
    before = read_manifest(gateless, "drawings")
    gated = train(change_silo(gateless, "drawings", gate=GATE))  # a gate that is younger than the champion
    decision, gate = promote(gated, force=True), set(read_gate(gated)["sample_id"])
    tested = gate & set(before.loc[before["split"] == "test", "sample_id"])
    assert tested < gate
    assert (decision.judged_on, decision.samples) == ("gate", len(tested))
    another(gated)
    assert promote(gated).samples == len(gate)


def _shift_labels(study: Study, groups: list[str]) -> None:
    """The drawings of some artists under the next class's name."""
    root = study.folder / "data/drawings"
    for group in groups:
        moved = [(root / name / f"{group}.png").read_bytes() for name in CLASSES]
        for name, content in zip([*CLASSES[1:], CLASSES[0]], moved, strict=True):
            (root / name / f"{group}.png").write_bytes(content)


def test_labels_corrupted_in_training_are_found_out_by_the_gate(study: Study) -> None:
    promote(study)
    judges = set(read_gate(study)["group"])
    assert 1 <= len(judges) <= 2
    _shift_labels(study, [group for group in GROUPS if group not in judges])
    refused = promote(train(study))
    assert (refused.outcome, refused.number, refused.judged_on) == ("refused", 1, "gate")
    assert refused.gain is not None
    assert refused.gain.high < 0


def test_labels_corrupted_without_a_gate_cannot_be_judged(gateless: Study) -> None:
    promote(gateless)
    _shift_labels(gateless, list(GROUPS))
    refused = promote(train(gateless))
    assert (refused.outcome, refused.judged_on) == ("refused", "cross-validation")
    assert "look at the labels" in refused.reason


def test_modes_too_dear_for_folds_ask_for_a_gate(gateless: Study) -> None:
    promote(gateless)
    params = yaml.safe_load((gateless.folder / "params.yaml").read_text())
    params["trunk"]["mode"] = "finetune"
    (gateless.folder / "params.yaml").write_text(yaml.safe_dump(params))
    another(gateless)
    refused = promote(Study(gateless.folder))
    assert (refused.outcome, refused.judged_on) == ("refused", "nothing")
    assert "give the target a `gate`" in refused.reason


def _killed(study: Study, at: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Promote, and be killed when something is forced to disk for the `at`th time; whether it came so far."""
    left = iter(range(at))
    real = os.fsync

    def dying(handle: int) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        real(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", dying)
        try:
            promote(study)
        except KeyboardInterrupt:
            return True
    return False


def test_killed_anywhere_it_has_a_champion_that_is_whole(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    promote(study)
    for at in range(100):
        another(study, at + 1)
        killed = _killed(study, at, monkeypatch)
        now = champion(study)
        assert now is not None
        assert not now.damaged(now.folder)
        assert sorted(releases(study)) == list(range(1, now.number + 1))
        if not killed:
            break
        assert promote(study).outcome in ("promoted", "unchanged")
        assert read_json(study.folder / "registry/champion.json")["number"] == len(releases(study))
        found = {path.name for path in (study.folder / "registry/models").iterdir()}
        assert found == {one.folder.name for one in releases(study).values()}
    else:
        pytest.fail("never came to its end")


def test_half_a_line_was_never_decided(study: Study) -> None:
    first = promote(study)
    book = study.folder / "registry/decisions.jsonl"
    book.write_bytes(book.read_bytes() + b'{"when": "20')
    assert history(study) == [first]
    another(study)
    second = promote(study)
    assert history(study) == [first, second]


def test_a_damaged_book_is_named(study: Study) -> None:
    promote(study)
    book = study.folder / "registry/decisions.jsonl"
    book.write_bytes(b"{}\n" + book.read_bytes())
    with pytest.raises(UserError, match="registry is damaged"):
        history(study)


def test_names_of_data_files_stay_beside_the_release(study: Study) -> None:
    promote(study)
    release = releases(study)[1]
    shipped = b"".join(path.read_bytes() for path in release.folder.iterdir())
    assert b"ada.png" not in shipped
    assert (release.record / "drawings.parquet").is_file()
