"""Whether a new model takes the champion's place, and the way back."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uml_pipeline.errors import UserError
from uml_pipeline.registry import book
from uml_pipeline.registry.records import CROWNED, Decision, Release
from uml_pipeline.workspace import Workspace

if TYPE_CHECKING:
    from uml_pipeline.registry.hearing import Heard
    from uml_pipeline.registry.judgement import Judgement
    from uml_pipeline.study import Study


def promote(study: "Study", *, force: bool = False) -> Decision:
    """Judge artifacts/model against the champion, write the decision down, and release the model if it may be.

    Nothing is written down where that model is the champion already. `force`: release it whatever the judgement says.

    Raises:
        UserError: the model is not there, or older than what it was made from.
    """
    from uml_pipeline.lineage import read
    from uml_pipeline.model.folder import model_hash
    from uml_pipeline.registry.hearing import hear

    model = Workspace(study.folder).reading("model")
    _require_fresh(study, model)
    digest, method = model_hash(model), read(model).method
    with book.locked(study):
        before = book.champion(study)
        told = {"challenger": digest, "champion": before.model if before else None, "method": method}
        if before and before.model == digest:
            return _now(**told, outcome="unchanged", number=before.number, reason="this model is the champion")
        heard = hear(study, before, model)
        found = heard.judgement
        told |= heard.numbers()
        objection = _objection(study, before, model, digest) or (found.objection if found else None)
        if objection and not force:
            number = before.number if before else None
            return book.write(study, _now(**told, outcome="refused", number=number, reason=objection))
        number = _stored(study, model, digest, heard)
        reason = f"forced, though: {objection}" if objection else _approval(found)
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
        method = next(one.method for one in book.history(study) if one.challenger == chosen.model)
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


def _objection(study: "Study", before: Release | None, model: Path, digest: str) -> str | None:
    """Why the model may not be released, whatever it recognises."""
    from uml_pipeline.registry import hearing

    if digest in book.taken_back(book.history(study)):
        return "it was champion, and was taken back"
    return hearing.objection(before, model) if before else None


def _approval(found: "Judgement | None") -> str:
    if found is None:
        return "the first release"
    return f"not worse than the champion: {found}"


def _stored(study: "Study", model: Path, digest: str, heard: "Heard") -> int:
    """Number of the model's release, which it may have had before."""
    for known in book.releases(study).values():
        if known.model == digest and not known.damaged(known.folder):
            return known.number
    kept = heard.hits if heard.ground == "cross-validation" else None
    return book.store(study, model, kept, digest).number


def _previous(study: "Study") -> int | None:
    """The release that was champion before this one, what was taken back left out."""
    line: list[int] = []
    for one in book.history(study):
        if one.outcome in CROWNED and one.number is not None:
            line = [*line[: line.index(one.number)], one.number] if one.number in line else [*line, one.number]
    return line[-2] if len(line) > 1 else None
