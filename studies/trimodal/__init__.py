"""Sounds, photos and texts about the same classes: each addition alone, and both together."""

from functools import partial
from itertools import product

from studies import tables
from studies.measure import OURS, Params, probing
from studies.place import Place
from studies.plan import Plan, Results
from studies.silos import PHOTO_ENCODERS

SETS, TARGETS = ("animals_trimodal", "esc10"), ("audio", "image")
SHOTS, FEWER = [1, 2, 4, 8], [1, 4]  # of both additions together, and of one


def params(name: str, modalities: tuple[str, ...], place: Place, seeds: int) -> Params:
    """The study of a data set with its first modality as the target; no two encoders share a space."""
    photos, weights = PHOTO_ENCODERS["MobileNetV2"]
    encoders = {
        "image": {"encoder": photos, "checkpoint": place.weights(weights)},
        "audio": {"encoder": "builtin/yamnet", "checkpoint": place.weights("audio_yamnet_mobilenetv1_100")},
        "text": {"encoder": "builtin/minilm"},
    }
    silos = {
        one: {"modality": one, "path": str(place.set(name) / f"{one}_silo"), **encoders[one]} for one in modalities
    }
    shots = SHOTS if len(modalities) > 2 else FEWER
    return {"target": modalities[0], "silos": silos, "trunk": {"shots": shots, "seeds": seeds}}


def _settings() -> dict[str, tuple[str, tuple[str, ...]]]:
    found = {}
    for name, target in product(SETS, TARGETS):
        other = next(one for one in TARGETS if one != target)
        for beside in ((other,), ("text",), (other, "text")):
            found[f"{name}: {target} with {' and '.join(beside)}"] = name, (target, *beside)
    return found


def blocks(results: Results) -> dict[str, str]:
    """Tables of the page."""
    whole = [name for name in results if " and " in name]
    return {
        **tables.compared(results, OURS),
        "accuracies": "\n\n".join(f"**{name}**\n\n{tables.accuracies(results[name])}" for name in whole),
    }


PLAN = Plan(probing({key: partial(params, *one) for key, one in _settings().items()}), blocks)
