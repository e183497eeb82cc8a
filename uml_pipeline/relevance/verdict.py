"""From evidence to a verdict on one silo, in words and numbers."""

from typing import TYPE_CHECKING, Any

from uml_pipeline.relevance.config import RelevanceConfig
from uml_pipeline.relevance.geometry import FEWEST_CLASSES, Agreement
from uml_pipeline.workspace import Workspace, read_json

if TYPE_CHECKING:
    from uml_pipeline.study import Study


def judge(silo: str, found: Agreement, config: RelevanceConfig) -> dict[str, Any]:
    """The verdict as written to artifacts/relevance/<silo>.json.

    `relevant` and `irrelevant` come from the permutation test; with too few shared classes it is `cannot tell`, and
    the silo stays in, behind the never-worse rule (unless it shares none: there would be nothing to learn from it).
    """
    classes = len(found.shared)
    if found.test is None:
        reason = f"{classes} classes are shared with the target; the test needs {FEWEST_CLASSES}"
        return _verdict(silo, "cannot tell", classes > 0, classes, reason)  # classes are all that couples two silos
    relevant = found.test.p_value < config.alpha
    alike = "alike, more than under permuted classes" if relevant else "alike no more than under permuted classes"
    numbers = f"correlation {found.test.statistic:.3f}, p = {found.test.p_value:.3f}"
    reason = f"the {classes} shared classes are arranged {alike} ({numbers})"
    used = relevant or config.policy == "warn"
    verdict = _verdict(silo, "relevant" if relevant else "irrelevant", used, classes, reason)
    evidence = {"statistic": found.test.statistic, "p_value": found.test.p_value, "null": found.test.null.tolist()}
    return verdict | evidence


def judge_bridge(silo: str, shared: int) -> dict[str, Any]:
    """A silo of the target's own modality and encoder has no geometry of its own to test; it stays in, behind the
    never-worse rule.
    """
    return _verdict(silo, "cannot tell", True, shared, "a bridge: samples like the target's, by the same encoder")


def _verdict(silo: str, word: str, used: bool, shared: int, reason: str) -> dict[str, Any]:
    return {
        "silo": silo,
        "verdict": word,
        "used": used,
        "p_value": None,
        "statistic": None,
        "null": [],
        "shared_classes": shared,
        "reasons": [reason],
    }


def read_verdicts(study: "Study") -> dict[str, dict[str, Any]]:
    """The verdict on each auxiliary silo, in the order of params.yaml.

    Raises:
        UserError: relevance has not run yet.
    """
    folder = Workspace(study.folder).reading("relevance")
    return {name: read_json(folder / f"{name}.json") for name in study.auxiliary}
