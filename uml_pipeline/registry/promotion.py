"""Whether a new model takes the champion's place, and the way back."""

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from uml_pipeline.errors import UserError
from uml_pipeline.registry import book
from uml_pipeline.registry.records import CROWNED, Decision, Ground, Release
from uml_pipeline.workspace import Workspace, read_json

if TYPE_CHECKING:
    import pandas as pd

    from uml_pipeline.registry.judgement import Judgement
    from uml_pipeline.study import Study

_NO_GROUND = (
    "it cannot be compared with the champion: the target has no gate, and one of them was not cross-validated; "
    "give the target a `gate`"
)


def promote(study: "Study", *, force: bool = False) -> Decision:
    """Judge artifacts/model against the champion, write the decision down, and release the model if it may be.

    Nothing is written down where that model is the champion already. `force`: release it whatever the judgement says.

    Raises:
        UserError: the model is not there, or older than what it was made from.
    """
    from uml_pipeline.lineage import read
    from uml_pipeline.model.folder import model_hash

    model = Workspace(study.folder).reading("model")
    _require_fresh(study, model)
    digest, method = model_hash(model), read(model).method
    with book.locked(study):
        before = book.champion(study)
        told = {"challenger": digest, "champion": before.model if before else None, "method": method}
        if before and before.model == digest:
            return _now(**told, outcome="unchanged", number=before.number, reason="this model is the champion")
        ground, hits = _evidence(study, model)
        found = _judged(study, before, ground, hits, model) if before else None
        told |= _measured(ground, hits, found)
        objection = _objection(study, before, model, digest) or (found.objection if found else None)
        if objection and not force:
            number = before.number if before else None
            return book.write(study, _now(**told, outcome="refused", number=number, reason=objection))
        reason = f"forced, though: {objection}" if objection else _approval(found)
        number = _stored(study, model, digest, ground, hits)
        return book.write(study, _now(**told, outcome="promoted", number=number, reason=reason))


def rollback(study: "Study", number: int | None = None) -> Decision:
    """Make an earlier release the champion again: by default the one before. What was taken back is not promoted again
    unless forced.

    Raises:
        UserError: no such release, none before, or its files were changed.
    """
    with book.locked(study):
        before, known = book.champion(study), book.releases(study)
        where = str(study.folder / "registry")
        wanted = _previous(study) if number is None else number
        if before is None or wanted not in known:
            fix = "see what there is: `uml models`"
            what = "there is no earlier release" if number is None else f"there is no release {number}"
            raise UserError(what, where=where, fix=fix)
        chosen = known[wanted]
        if chosen.number == before.number:
            raise UserError(f"release {number} is the champion", where=where, fix="name another: see `uml models`")
        if chosen.damaged(chosen.folder):
            fix = "restore the folder from a backup, or choose another release"
            raise UserError("the release's files were changed", where=str(chosen.folder), fix=fix)
        method = next(one.method for one in book.history(study) if one.number == chosen.number)
        told: dict[str, Any] = {"challenger": chosen.model, "champion": before.model, "method": method}
        reason = f"taken back: release {before.number}"
        return book.write(study, _now(**told, outcome="rolled back", number=chosen.number, reason=reason))


def _now(**told: Any) -> Decision:
    return Decision(when=datetime.now(UTC), **told)


def _require_fresh(study: "Study", model: Path) -> None:
    """Refuse a model whose inputs were made anew since: judged would be something else than it is."""
    from uml_pipeline.lineage import read
    from uml_pipeline.pipeline import Step

    workspace = Workspace(study.folder)
    for node in read(model).nodes[1:]:
        step = Step.parse(node.step)
        if workspace.version(step.stage, step.silo) != node.version:
            raise UserError(f"the model is older than {node.step}", where=str(model), fix="make it anew: `uml run`")


def _evidence(study: "Study", model: Path) -> "tuple[Ground, pd.DataFrame | None]":
    """What the model recognises that it has not learnt from, and on which ground."""
    from uml_pipeline.registry import evidence

    if len(hits := evidence.on_gate(study, model)):
        return "gate", hits
    folds = evidence.by_folds(study)
    return ("nothing", None) if folds is None else ("cross-validation", folds)


def _judged(
    study: "Study", before: Release, ground: Ground, hits: "pd.DataFrame | None", model: Path
) -> "Judgement | None":
    """Challenger against champion; None where they cannot be compared."""
    import pandas as pd

    from uml_pipeline.registry.evidence import on_gate
    from uml_pipeline.registry.judgement import Judgement, judge

    if hits is None or _modality(before.folder) != _modality(model):
        return Judgement("nothing", None, 0, _NO_GROUND)
    if ground == "gate":
        theirs = on_gate(study, before.folder)
    elif (kept := before.record / book.HITS).is_file():
        theirs = pd.read_parquet(kept)
    else:
        return Judgement("nothing", None, 0, _NO_GROUND)
    shared = _labels(before.folder) & _labels(model)
    return judge(hits, theirs, ground, shared, study.params.promotion.margin)


def _measured(ground: Ground, hits: "pd.DataFrame | None", found: "Judgement | None") -> dict[str, Any]:
    """The decision's numbers: of the comparison, or of the challenger alone where there is none."""
    samples = found.samples if found else 0 if hits is None else len(hits)
    accuracy = None if hits is None else 100 * float(hits["correct"].mean())
    gain = found.gain if found else None
    return {"judged_on": found.ground if found else ground, "samples": samples, "accuracy": accuracy, "gain": gain}


def _objection(study: "Study", before: Release | None, model: Path, digest: str) -> str | None:
    """Why the model may not be released, whatever it recognises."""
    if digest in book.taken_back(book.history(study)):
        return "it was champion, and was taken back"
    if before is None:
        return None
    if _modality(before.folder) != _modality(model):
        return f"the champion reads samples of {_modality(before.folder)}, it reads {_modality(model)}"
    if lost := sorted(_labels(before.folder) - _labels(model)):
        some = ", ".join(repr(one) for one in lost[:5])
        return f"it no longer knows {len(lost)} of the champion's classes: {some}{', …' * (len(lost) > 5)}"
    return None


def _approval(found: "Judgement | None") -> str:
    if found is None:
        return "the first release"
    return f"not worse than the champion: {found.gain} on {found.samples} samples of {found.ground}"


def _stored(study: "Study", model: Path, digest: str, ground: Ground, hits: "pd.DataFrame | None") -> int:
    """Number of the model's release, which it may have had before."""
    for known in book.releases(study).values():
        if known.model == digest and not known.damaged(known.folder):
            return known.number
    with TemporaryDirectory() as folder:
        kept = None
        if ground == "cross-validation" and hits is not None:
            kept = Path(folder) / book.HITS
            hits.to_parquet(kept, index=False)
        return book.store(study, model, kept, digest).number


def _previous(study: "Study") -> int | None:
    """The release that was champion before this one, what was taken back left out."""
    line: list[int] = []
    for one in book.history(study):
        if one.outcome in CROWNED and one.number is not None:
            line = [*line[: line.index(one.number)], one.number] if one.number in line else [*line, one.number]
    return line[-2] if len(line) > 1 else None


def _labels(folder: Path) -> set[str]:
    return set(read_json(folder / "labels.json"))


def _modality(folder: Path) -> str:
    modality: str = read_json(folder / "config.json")["modality"]
    return modality
