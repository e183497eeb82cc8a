"""Which settings to recommend: those that win on all studies but one are judged on that one.

The only study that reads test samples for every setting: to choose defaults is its purpose, and the study on which a
choice is judged had no say in it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studies import caltech, emoji, tables, text_target, trimodal
from studies.measure import CANDIDATE, Params, inputs_hash, prepared
from studies.place import Place
from studies.plan import Plan, Record, Results
from uml_pipeline.learn.geometry import centre_of, standardise, unit
from uml_pipeline.learn.logistic import fit as fit_logistic
from uml_pipeline.learn.samples import Samples
from uml_pipeline.learn.workers import each
from uml_pipeline.report import words
from uml_pipeline.trunk.arms import Arm, Fit, Setting, Solved, Trained, train
from uml_pipeline.trunk.compare import Inputs, draw, gather, line_up, pose
from uml_pipeline.trunk.grid import Grid
from uml_pipeline.trunk.lineup import arms
from uml_pipeline.trunk.probe import hits

SHOTS, MOST = [1, 4], 3
WIDE = Grid(alphas=[0.1, 0.3, 1.0], shots=["all", "average", 5], scales=[10.0], rates=[0.003])
SCALES = (3.0, 10.0)
GRIDS = {"library": Grid(), "candidate": Grid(start_scale=CANDIDATE)}
"""The library's own, and with the one change that three draws spoke for."""
ARMS = ("uml", "uml_init", "uml_start", "uml_closed", "uml_refined", "uml_convex")
KEYS = ("alpha", "auxiliary_shots", "scale", "prior", "noise", "strength")
"""What settings differ in."""


def _photos(name: str, **more: Any) -> Callable[[Place, int], Params]:
    return partial(caltech.params, caltech.Setting(name, **more))


STUDIES: dict[str, Callable[[Place, int], Params]] = {
    "photos": _photos("no bridge"),
    "photos and a bridge": _photos("bridge", lent=caltech.LENT, tiny=40, target=caltech.OWN),
    "animals' sounds": partial(trimodal.params, "animals_trimodal", ("audio", "image", "text")),
    "animals' photos": partial(trimodal.params, "animals_trimodal", ("image", "audio", "text")),
    "texts and a bridge": partial(text_target.params, text_target.Setting(bridge=True, named=False)),
    "emoji": partial(emoji.params, "descriptions"),
}


def _measured(params: Callable[[Place, int], Params], place: Place, seeds: int) -> Record:
    """Test accuracy of every setting of every arm, mean over the draws."""
    made = params(place, min(seeds, MOST))
    study = prepared({**made, "trunk": made["trunk"] | {"shots": SHOTS}}, place)
    inputs = gather(study)
    narrow = _narrow(inputs)
    inputs = replace(inputs, lineup=_wider(inputs))
    found: dict[str, list[NDArray[np.float64]]] = {}
    ready: dict[str, dict[str, list[float]]] = {}
    for shots in SHOTS:
        drawn = [one for one in draw(study, inputs) if one.shots == shots and one.seed < MOST]
        problems = list(each(partial(pose, inputs), drawn))
        trained = train([arm for arm in inputs.lineup if isinstance(arm, Trained)], problems)
        x, y = inputs.target.x, inputs.target.index(inputs.classes)
        for arm in inputs.lineup:
            tests, vals = [], []
            for episode, problem, fits in zip(drawn, problems, trained, strict=True):
                tried = arm.solve(problem) if isinstance(arm, Solved) else fits[arm.name]
                test = problem.look_at(x[episode.test], y[episode.test])
                tests.append([_accuracy(fit, test) for fit in tried])
                vals.append([fit.loss for fit in tried])
            found.setdefault(arm.name, []).append(np.mean(tests, axis=0))
            for grid, chosen in {"wide": [True] * len(arm.settings), **narrow(arm)}.items():
                own = ready.setdefault(arm.name, {}).setdefault(grid, [])
                own.append(_picked(np.array(tests)[:, chosen], np.array(vals)[:, chosen]))
    return {
        "inputs": inputs_hash(study),
        "arms": {
            arm.name: {
                "label": arm.label,
                "settings": [_told(setting) for setting in arm.settings],
                "accuracy": np.array(found[arm.name]).tolist(),  # [shots, setting]
                "picked": ready[arm.name],  # by validation, out of each grid: [shots]
            }
            for arm in inputs.lineup
        },
        "normalised": _normalised(inputs, [one for one in draw(study, inputs) if one.seed < MOST]),
    }


def _wider(inputs: Inputs) -> list[Arm]:
    """UML's arms with grids that are wider than the library's."""
    found = arms(line_up(inputs.target, inputs.auxiliary, inputs.classes), WIDE)
    return [_opened(arm) for arm in found if arm.name in ARMS]


def _narrow(inputs: Inputs) -> Callable[[Arm], dict[str, list[bool]]]:
    """Which of an arm's many settings the library itself would try, whatever the learning rate."""
    found = line_up(inputs.target, inputs.auxiliary, inputs.classes)
    own = {
        grid: {arm.name: [_told(setting) for setting in arm.settings] for arm in arms(found, made)}
        for grid, made in GRIDS.items()
    }
    return lambda arm: {grid: [_told(one) in made[arm.name] for one in arm.settings] for grid, made in own.items()}


def _opened(arm: Arm) -> Arm:
    if isinstance(arm, Trained):
        wide = [replace(one, scale=scale) for one, scale in product(arm.settings, SCALES)]
    elif arm.name == "uml_closed":
        wide = [
            Setting(prior=prior, noise=noise) for prior, noise in product((0.1, 0.3, 1.0, 3.0), (0.3, 0.5, 1.0, 2.0))
        ]
    elif arm.name == "uml_refined":
        wide = [
            Setting(scale, prior=prior, strength=c)
            for scale, prior, c in product((2.0, 5.0, 10.0, 20.0), (0.3, 1.0), (3.0, 10.0, 30.0))
        ]
    else:
        wide = [
            Setting(1.0, alpha=alpha, strength=c)
            for alpha, c in product((0.03, 0.1, 0.3, 1.0), (3.0, 10.0, 30.0, 100.0))
        ]
    return replace(arm, settings=tuple(wide))


def _accuracy(fit: Fit, test: Samples) -> float:
    right, counts = hits(fit.head, test)
    return 100 * float(right.sum() / counts.sum())


def _picked(tests: NDArray[np.float64], losses: NDArray[np.float64]) -> float:
    """Mean test accuracy where each draw's validation samples pick a setting: [draw, setting] twice."""
    return float(tests[np.arange(len(tests)), losses.argmin(1)].mean())


def _told(setting: Setting) -> dict[str, Any]:
    return {key: getattr(setting, key) for key in KEYS if getattr(setting, key) != getattr(Setting(), key)}


def _normalised(inputs: Inputs, drawn: Sequence[Any]) -> dict[str, list[float]]:
    """Test accuracy of logistic regression on the target alone by what is done to features before, by shots."""
    x, y = inputs.target.x, inputs.target.index(inputs.classes)

    def ways(train: NDArray[np.int64]) -> dict[str, NDArray[np.float32]]:
        spread = x[train].std(0) + 1e-6
        own = {"raw": x, "unit": unit(x), "centred, unit": standardise(x, centre_of(x[train]))}
        return own | {"z-scores": (x - x[train].mean(0)) / spread / np.sqrt(x.shape[1])}

    rows: dict[str, dict[int, list[float]]] = {}
    for episode in drawn:
        for name, z in ways(episode.train).items():
            rows.setdefault(name, {}).setdefault(episode.shots, []).append(
                _logistic(z, y, episode, len(inputs.classes))
            )
    return {name: [float(np.mean(own[shots])) for shots in SHOTS] for name, own in rows.items()}


def _logistic(z: NDArray[np.float32], y: NDArray[np.int64], episode: Any, classes: int) -> float:
    import torch

    sides = [
        Samples(torch.from_numpy(z[rows]).float(), torch.from_numpy(y[rows]))
        for rows in (episode.train, episode.val, episode.test)
    ]
    heads = [fit_logistic(sides[0], classes, c) for c in (1.0, 10.0, 100.0, 1000.0)]
    right = [int(hits(head, sides[1])[0].sum()) for head in heads]
    correct, counts = hits(heads[int(np.argmax(right))], sides[2])
    return 100 * float(correct.sum() / counts.sum())


def chosen_without(results: Results, arm: str, left_out: str = "") -> int:
    """Number of the setting that does best on average over the other studies and shots, each around its own mean."""
    others = [
        np.array(one["arms"][arm]["accuracy"])
        for name, one in results.items()
        if name != left_out and arm in one["arms"]
    ]
    return int(np.mean([(own - own.mean(1, keepdims=True)).mean(0) for own in others], axis=0).argmax())


def blocks(results: Results) -> dict[str, str]:
    """Tables of the page."""
    return {
        "defaults": _defaults(results),
        "studies": _by_study(results),
        "normalised": _by_normalisation(results),
        "foot": tables.foot(results),
    }


def _defaults(results: Results) -> str:
    rows = []
    for arm in ARMS:
        there = {name: one["arms"][arm] for name, one in results.items() if arm in one["arms"]}
        first = next(iter(there.values()))
        best = first["settings"][chosen_without(results, arm)]
        cells = [_over({name: _fixed(results, arm, name) for name in there}, there)]
        for grid in ("wide", "candidate"):
            cells.append(_over({name: np.array(one["picked"][grid]) for name, one in there.items()}, there))
        rows.append([first["label"], ", ".join(f"{key} {value}" for key, value in best.items()), *cells])
    return tables.table(
        ["arm", "wins over all", "what won on the others", "all settings, validation picks", "candidate"], rows
    )


def _fixed(results: Results, arm: str, name: str) -> NDArray[np.float64]:
    """Accuracy on a study of the setting that the others chose: [shots]."""
    return np.array(results[name]["arms"][arm]["accuracy"])[:, chosen_without(results, arm, name)]


def _over(found: Mapping[str, NDArray[np.float64]], there: Mapping[str, Any]) -> str:
    """Mean gain over the library's grid, each study counting once, and its standard error."""
    gains = np.array([(own - there[name]["picked"]["library"]).mean() for name, own in found.items()])
    return f"{words.points(float(gains.mean()))} ± {gains.std(ddof=1) / np.sqrt(len(gains)):.1f}"


def _by_study(results: Results) -> str:
    """At each number of shots: the setting that the other studies chose, over the library's grid."""
    rows = []
    for arm in ARMS:
        cells = []
        for name, one in results.items():
            own = one["arms"].get(arm)
            cells.append(
                " / ".join(map(words.points, _fixed(results, arm, name) - own["picked"]["library"])) if own else ""
            )
        rows.append([next(one["arms"][arm]["label"] for one in results.values() if arm in one["arms"]), *cells])
    return tables.table(["arm", *results], rows)


def _by_normalisation(results: Results) -> str:
    ways = next(iter(results.values()))["normalised"]
    rows = [
        [way, *(" / ".join(f"{v:.1f}" for v in one["normalised"][way]) for one in results.values())] for way in ways
    ]
    return tables.table(["features", *results], rows)


PLAN = Plan({name: partial(_measured, params) for name, params in STUDIES.items()}, blocks)
