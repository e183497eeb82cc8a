"""Data of which the truth is known: shared, private and blind directions; what theory foretells, what comes of it."""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from studies import tables
from studies.measure import OURS, Params, Record, probing
from studies.place import Place
from studies.plan import Plan, Results
from uml_pipeline.theory import Design, best_weight, directions, efficient, joint_variance, random_design
from uml_pipeline.workspace import fingerprint_of

Array = NDArray[np.float64]
DATA_SETS, BATCH = 20_000, 2_000
STRENGTHS = (1.0, 0.5, 0.2, 0.0, 0.0)  # how strongly the target sees each common direction
OTHERS = (0.0, 0.5, 1.0, 1.0, 0.0)  # and the auxiliary silo: the last is blind for both


def variances(place: Place, seeds: int) -> Record:
    """Least squares on many simulated data sets: variance along each direction, predicted and realised."""
    draw = np.random.default_rng(0)
    target = random_design(draw, np.array(STRENGTHS), 12, 3, 1.0, 20)
    auxiliary = random_design(draw, np.array(OTHERS), 12, 3, 3.0, 200)
    found = directions(efficient(target), efficient(auxiliary))
    axes = np.hstack([found.seen, found.opened])
    parts = ["seen"] * found.seen.shape[1] + ["opened"] * found.opened.shape[1]
    weights = {"the target alone": 0.0, "unit weights": 1.0, "weighted by noise": best_weight(target, auxiliary)}
    rows = []
    for name, weight in weights.items():
        seen = found.seen.shape[1] if weight == 0 else axes.shape[1]
        errors = _errors(target, auxiliary, weight, axes[:, :seen], draw)
        for number, part in enumerate(parts[:seen]):
            v = axes[:, number]
            expected = joint_variance(target, auxiliary, v, weight) if weight else efficient(target).variance(v)
            realised = float((errors[:, number] ** 2).mean())
            doubt = float((errors[:, number] ** 2).std() / np.sqrt(DATA_SETS))
            told = {"by": name, "direction": f"d{number + 1}", "part": part}
            rows.append({**told, "predicted": expected, "realised": realised, "error": doubt})
    return {"inputs": fingerprint_of([STRENGTHS, OTHERS, DATA_SETS])[:12], "rows": rows}


def _errors(target: Design, auxiliary: Design, weight: float, axes: Array, draw: np.random.Generator) -> Array:
    """Estimate less truth along the axes: [data set, axis]. Means of samples are all that least squares reads."""
    used = [(target, 1.0), *([(auxiliary, weight)] if weight else [])]
    common, widths = target.common.shape[1], [one.own.shape[1] for one, _ in used]
    rows, noise = [], []
    for place, (one, by) in enumerate(used):
        own = [one.own if other == place else np.zeros((len(one.own), width)) for other, width in enumerate(widths)]
        rows.append(np.sqrt(by * one.samples) * np.hstack([one.common, *own]))
        noise.append(np.full(len(one.common), np.sqrt(by) * one.noise))
    solved = axes.T @ np.linalg.pinv(np.vstack(rows), rcond=1e-10)[:common]  # [axis, row]: the truth may be zero
    by, batches = np.concatenate(noise), DATA_SETS // BATCH
    return np.concatenate([draw.normal(size=(BATCH, len(by))) * by @ solved.T for _ in range(batches)])


CLASSES, BEYOND, VALUES, COMMON = 30, 60, 40, 8
TRAIN, VAL, TEST, SAID = 16, 4, 20, 20


def silos(shared: int, bridge: bool, place: Place, seeds: int) -> Params:
    """Vectors: a class is a point of eight directions, of which the target sees all and the auxiliary silo `shared`,
    and as many of its own; each sample adds private directions and noise.
    """
    draw = np.random.default_rng(shared)
    truth = draw.normal(size=(CLASSES + BEYOND, COMMON))
    other = np.hstack([truth[:, :shared], draw.normal(size=(CLASSES + BEYOND, COMMON - shared))])
    known = CLASSES + BEYOND * bridge
    target = _view(draw, truth)
    sides = np.repeat(["train", "val", "test"], [TRAIN, VAL, TEST])
    own = np.repeat(np.arange(CLASSES), len(sides))
    _save(place, "samples", target(own), own, np.tile(sides, CLASSES))
    said = np.repeat(np.arange(known), SAID)
    _save(place, "beside", _view(draw, other)(said), said)
    found = {"samples": _vectors("samples"), "beside": _vectors("beside")}
    if bridge:
        beyond = np.repeat(np.arange(CLASSES, known), TRAIN)
        _save(place, "bridge", target(beyond), beyond)
        found["bridge"] = _vectors("bridge")
    return {"target": "samples", "silos": found, "trunk": {"shots": [1, 2, 4], "seeds": seeds}}


def _view(draw: np.random.Generator, truth: Array) -> Callable[[NDArray[np.int64]], Array]:
    """How a modality sees classes: through a map of its own, with private directions and noise on top."""
    common, own = draw.normal(size=(truth.shape[1], VALUES)), draw.normal(size=(COMMON, VALUES))

    def see(classes: NDArray[np.int64]) -> Array:
        private = 1.5 * draw.normal(size=(len(classes), COMMON))
        return truth[classes] @ common + private @ own + draw.normal(size=(len(classes), VALUES))

    return see


def _save(place: Place, name: str, x: Array, classes: NDArray[np.int64], split: NDArray[np.str_] | None = None) -> None:
    labels = np.array([f"class {number:02}" for number in classes])
    beside = {} if split is None else {"split": split}
    np.savez(place.folder / f"{name}.npz", x=x.astype(np.float32), label=labels, **beside)


def _vectors(name: str) -> dict[str, str]:
    network = "other" if name == "beside" else "own"
    return {"modality": "vector", "path": f"{name}.npz", "encoder": f"vectors/{network}"}


THEORY = "variances"
SETTINGS = {
    **{f"{shared} of 8 directions shared, with a bridge": (shared, True) for shared in (0, 2, 4, 8)},
    "8 of 8 directions shared, no bridge": (8, False),
}


def blocks(results: Results) -> dict[str, str]:
    """Tables of the page."""
    learnt = {name: results[name] for name in SETTINGS}
    rows = [
        [
            f"{row['direction']} ({row['part']})",
            row["by"],
            f"{row['predicted']:.3f}",
            f"{row['realised']:.3f} ± {row['error']:.3f}",
        ]
        for row in results[THEORY]["rows"]
    ]
    return {
        "variances": tables.table(["direction", "least squares on", "predicted", "realised"], rows),
        **tables.compared(learnt, OURS),
        "foot": tables.foot(results),
    }


PLAN = Plan({THEORY: variances, **probing({name: partial(silos, *one) for name, one in SETTINGS.items()})}, blocks)
