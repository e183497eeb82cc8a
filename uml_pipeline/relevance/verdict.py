"""From evidence to a verdict on one silo, in words and numbers."""

from typing import Any

from uml_pipeline.learn.statistics import Gain
from uml_pipeline.relevance.config import RelevanceConfig
from uml_pipeline.relevance.geometry import Agreement
from uml_pipeline.relevance.marginal import FEWEST_CLASSES, Marginal
from uml_pipeline.relevance.predictive import Prediction
from uml_pipeline.relevance.unlabelled import Foresight

_MOST_MORE = 100  # times as many samples: more is no advice


def judge(
    silo: str,
    found: Agreement,
    marginal: Marginal,
    p_value: float | None,
    config: RelevanceConfig,
    *,
    coupled: bool = True,
    foresight: Foresight | None = None,
) -> dict[str, Any]:
    """The verdict as written to artifacts/relevance/<silo>.json.

    `helps`: some gain is surely above zero, and above what permuted labels give. `harms`: trusting it loses accuracy,
    and it does no better than permuted labels. `neutral`: surely no gain worth having. Else `cannot tell`: the silo
    stays in, behind the never-worse rule.

    Args:
        silo: its name.
        found: how its classes are arranged.
        marginal: what it is expected to give.
        p_value: of that gain, corrected for the number of silos; None: no test.
        config: see RelevanceConfig.
        coupled: whether classes couple it to the target, or to a bridge; without, it is of use in mode ssl alone.
        foresight: of a silo without labels.
    """
    word = foresight.word if foresight else _word(marginal.predictions, p_value, config)
    test = found.test
    return {
        "silo": silo,
        "verdict": word,
        "used": word in ("helps", "cannot tell") or config.policy == "warn",
        "coupled": coupled,
        "p_value": foresight.p_value if foresight else p_value,
        "alone": _numbers(marginal.alone),
        "beside": _numbers(marginal.beside),
        "shots": config.shots,
        "self_supervised": foresight and {name: vars(getattr(foresight, name)) for name in ("gain", "over_shuffled")},
        "geometry": test
        and {"statistic": test.statistic, "p_value": test.p_value, "null": test.null.tolist(), **found.evidence()},
        "shared_classes": len(found.shared),
        "reasons": [
            *(foresight.reasons() if foresight else _reasons(word, marginal, p_value, config)),
            *_arranged(found),
            *["nothing couples it to the target but mode ssl: they share no class"] * (not coupled),
        ],
    }


def _word(predictions: list[Prediction], p_value: float | None, config: RelevanceConfig) -> str:
    if not predictions:
        return "cannot tell"
    likely = p_value is None or p_value <= config.alpha
    if likely and any(one.gain.low > 0 for one in predictions):
        return "helps"
    if all(one.full.high < 0 for one in predictions) and (p_value is None or not likely):
        return "harms"
    return "neutral" if all(one.gain.high < config.margin for one in predictions) else "cannot tell"


def _reasons(word: str, marginal: Marginal, p_value: float | None, config: RelevanceConfig) -> list[str]:
    if not marginal.predictions:
        return [f"it shares too few classes to be tried: at least {FEWEST_CLASSES} are needed"]
    shots = f"{config.shots} sample{'s' * (config.shots > 1)} a class"
    said = []
    for one, company in ((marginal.alone, "to the target alone"), (marginal.beside, "to the target with all others")):
        if one is not None:
            said.append(f"with {shots} it is expected to add {_points(one.gain)} {company}")
    if p_value is not None:
        rarely = "more than" if p_value <= config.alpha else "no more than"
        said.append(f"that is {rarely} it would under permuted labels (p = {p_value:.3g}, corrected for all silos)")
        said += [_idle(one) for one in marginal.predictions if one.shuffles][:1]
    if word == "harms":
        least = max(marginal.predictions, key=lambda one: one.full.mean).full
        said.append(f"trusted as much as a helpful silo can be, it costs accuracy: {_points(least)}")
    if word == "cannot tell":
        said += _more(max(marginal.predictions, key=lambda one: one.gain.mean).gain, config.margin)
    return said


def _idle(one: Prediction) -> str:
    return f"at their best strength permuted labels give {one.permuted:+.1f} points, noise of its size {one.noise:+.1f}"


def _more(gain: Gain, margin: float) -> list[str]:
    """How many target samples would tell: intervals shrink with the root of their number."""
    half = (gain.high - gain.low) / 2
    away = gain.mean if gain.mean > margin / 2 else margin - gain.mean
    times = (half / away) ** 2
    if not 1 < times <= _MOST_MORE:
        return []
    return [f"about {times:.1f} times as many labelled target samples would tell"]


def _points(gain: Gain) -> str:
    return f"{gain.mean:+.1f} points ({gain.low:+.1f} to {gain.high:+.1f})"


def _arranged(found: Agreement) -> list[str]:
    if found.test is None:
        return []
    alike = "alike, more than" if found.test.p_value <= 0.05 else "alike no more than"
    numbers = f"correlation {found.test.statistic:.3f}, p = {found.test.p_value:.3f}"
    return [f"the {len(found.shared)} shared classes are arranged {alike} under permuted classes ({numbers})"]


def _numbers(one: Prediction | None) -> dict[str, Any] | None:
    if one is None:
        return None
    return vars(one) | {
        name: {key: float(value) for key, value in vars(gain).items()}
        for name, gain in (("gain", one.gain), ("full", one.full))
    }
