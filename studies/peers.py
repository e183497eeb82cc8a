"""Simple peers by scikit-learn and by their authors' protocols, on the same features, draws and splits as our arms.

Each sees raw features and normalises them its own way, tries its settings, chooses one on the validation samples, and
reads the test samples once. Nothing of this project's learner is used.
"""

import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge

from uml_pipeline.learn.geometry import unit
from uml_pipeline.learn.splits import Episode
from uml_pipeline.trunk.compare import Inputs

Array = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Draw:
    """One episode: raw features and classes of three sides, and what the auxiliary silos say of the classes."""

    x: Sequence[Array]  # train, val, test: [n, d]
    y: Sequence[Labels]  # the same: [n]
    classes: int
    beyond: tuple[Array, Labels]  # a bridge's samples, numbered on from the target's classes
    said: (
        Array  # [target's and bridge's class, d_text]: unit class means around their middle; zero where nothing is said
    )
    aligned: bool  # whether `said` lies in the space of x

    @cached_property
    def centred(self) -> list[Array]:
        """Unit vectors from the middle of the labelled ones, and the bridge's last."""
        middle = unit(self.x[0]).mean(0)
        return [unit(unit(x) - middle) for x in (*self.x, self.beyond[0])]

    @cached_property
    def means(self) -> Array:
        """[class, d], of the centred training samples."""
        return unit(np.stack([self.centred[0][self.y[0] == one].mean(0) for one in range(self.classes)]))

    @cached_property
    def logistic(self) -> list["Scores"]:
        """Of scikit-learn's logistic regression on unit vectors, for each C."""
        return list(_logistic([unit(x) for x in self.x], self, np.logspace(0, 3, 4)))

    @cached_property
    def ridge(self) -> list["Scores"]:
        """Cosine of what a ridge regression foretells with what is said of each class, for each strength."""
        x, y = np.vstack([self.centred[0], self.centred[3]]), np.concatenate([self.y[0], self.beyond[1]])
        known = np.abs(self.said[y]).sum(1) > 0
        own, found = unit(self.said[: self.classes]), []
        for strength in np.logspace(-2, 2, 5):
            fitted = Ridge(alpha=strength, fit_intercept=False).fit(x[known], self.said[y[known]])
            found.append([unit(fitted.predict(side)) @ own.T for side in self.centred[1:3]])
        return found


Scores = Sequence[Array]
"""Of validation and test samples: [n, class] each."""


@dataclass(frozen=True)
class Peer:
    """A way to score samples, with its settings; `reads` says what it needs beside the target."""

    name: str
    label: str
    tried: Callable[[Draw], Iterable[Scores]]
    reads: str = ""  # "", "said" or "aligned"


def draw_of(inputs: Inputs, episode: Episode) -> Draw:
    """What the peers see of an episode."""
    target, sides = inputs.target, (episode.train, episode.val, episode.test)
    bridges = [silo for silo in inputs.auxiliary if silo.bridges(target)]
    spoken = [silo for silo in inputs.auxiliary if not silo.bridges(target)]
    others = sorted({name for silo in bridges for name in silo.manifest["label"].dropna()} - set(inputs.classes))
    names = [*inputs.classes, *others]
    y = target.index(inputs.classes)
    beyond = [(silo.x, silo.index(names)) for silo in bridges]
    x = np.concatenate([np.zeros((0, target.x.shape[1])), *(x[own >= 0] for x, own in beyond)])
    known = np.concatenate([np.zeros(0, np.int64), *(own[own >= 0] for _, own in beyond)])
    said = [_means(silo.x, silo.index(names), len(names)) for silo in spoken]
    return Draw(
        [target.x[rows].astype(np.float64) for rows in sides],
        [y[rows] for rows in sides],
        len(inputs.classes),
        (x, known),
        np.hstack(said) if said else np.zeros((len(names), 0)),
        len(spoken) == 1 and spoken[0].space == target.space,
    )


def _means(x: Array, y: Labels, classes: int) -> Array:
    """[class, d]: unit means of unit vectors, seen from their middle; zero where there is no sample."""
    found, x = np.zeros((classes, x.shape[1])), unit(x.astype(np.float64))
    there = np.unique(y[y >= 0])
    means = np.stack([x[y == one].mean(0) for one in there])
    found[there] = unit(means - means.mean(0))
    return found


def chosen(peer: Peer, draw: Draw) -> Array:
    """Test scores at the setting of the least log-loss on the validation samples: the rule of our arms, too."""
    return _best(peer.tried(draw), draw.y[1])[1]


def _best(tried: Iterable[Scores], y: Labels) -> Scores:
    """Every setting is judged at the temperature that suits it best: scores of one peer may be of any size."""

    def loss(scores: Scores) -> float:
        sharp = _SHARP[:, None, None] * (scores[0] / max(np.abs(scores[0]).max(), 1e-12))
        return float(-log_softmax(sharp, axis=2)[:, np.arange(len(y)), y].mean(1).min())

    return min(tried, key=loss)


_SHARP = np.logspace(-1, 2.5, 15)


def class_mean(draw: Draw) -> Iterable[Scores]:
    """Cosine with the class mean."""
    yield [x @ draw.means.T for x in draw.centred[1:3]]


def logistic(draw: Draw) -> Iterable[Scores]:
    """scikit-learn's, on unit vectors."""
    yield from draw.logistic


def clip_probe(draw: Draw) -> Iterable[Scores]:
    """The linear probe of CLIP (Radford et al., 2021, app. A.3): L-BFGS on raw features, C over twelve decades in
    steps of a hundred; their finer search around the best is left out.
    """
    yield from _logistic(draw.x, draw, np.logspace(-6, 6, 7))


def dinov2_probe(draw: Draw) -> Iterable[Scores]:
    """DINOv2's (Oquab et al., 2023, app. B.3): SGD with momentum, a cosine, thirteen rates. Here all samples make a
    batch, 200 times, and heads begin at zero, so that they stay in the samples' span.
    """
    import torch

    (train, *sides), y = _in_span(draw.x), torch.tensor(draw.y[0])
    x, sides = torch.tensor(train).float(), [torch.tensor(one).float() for one in sides]
    rates = (torch.tensor([1.0, 2, 5]) * 10.0 ** torch.arange(-5, 0)[:, None]).flatten()[:13, None, None]
    own = torch.nn.functional.one_hot(y, draw.classes).float().T  # [class, sample]
    weights = torch.zeros(len(rates), draw.classes, x.shape[1])
    speed = torch.zeros_like(weights)
    for step in range(_STEPS):
        speed = 0.9 * speed + ((weights @ x.T).softmax(1) - own) @ x / len(x)
        weights = weights - rates * (1 + np.cos(np.pi * step / _STEPS)) / 2 * speed
    for weight in weights:
        yield [(side @ weight.T).double().numpy() for side in sides]


_STEPS = 200


def ridge(draw: Draw) -> Iterable[Scores]:
    """Ridge from features to what the silos say of the class, then cosine: as in zero-shot learning."""
    yield from draw.ridge


def both(draw: Draw) -> Iterable[Scores]:
    """Log-probabilities of logistic regression, and the best ridge score added at several weights (0 among them)."""
    plain, told = _best(draw.logistic, draw.y[1]), _best(draw.ridge, draw.y[1])
    for weight in (0, 1, 2, 5, 10, 20):
        yield [log_softmax(a, axis=1) + weight * b for a, b in zip(plain, told, strict=True)]


def mean_and_ridge(draw: Draw) -> Iterable[Scores]:
    """Cosine with the class mean, and the best ridge score added."""
    plain, told = next(iter(class_mean(draw))), _best(draw.ridge, draw.y[1])
    for weight in (0, 0.1, 0.25, 0.5, 1, 2):
        yield [10 * (a + weight * b) for a, b in zip(plain, told, strict=True)]


def prototypes(draw: Draw) -> Iterable[Scores]:
    """The silos' class means as a head: zero-shot."""
    yield [x @ draw.said[: draw.classes].T for x in draw.centred[1:3]]


def tip_adapter(draw: Draw) -> Iterable[Scores]:
    """Tip-Adapter without training (Zhang et al., 2022, eq. 5): zero-shot, and a cache of the labelled samples."""
    train, *sides = draw.centred[:3]
    one_hot = np.eye(draw.classes)[draw.y[0]]
    zero = [100 * x @ draw.said[: draw.classes].T for x in sides]
    for sharp in (1, 3, 5.5, 10):
        cache = [np.exp(-sharp * (1 - x @ train.T)) @ one_hot for x in sides]
        for weight in (0, 1, 3, 10, 30, 100):
            yield [a + weight * b for a, b in zip(zero, cache, strict=True)]


PEERS = [
    Peer("peer_mean", "nearest class mean", class_mean),
    Peer("peer_logreg", "logistic regression, scikit-learn", logistic),
    Peer("peer_clip", "linear probe as for CLIP", clip_probe),
    Peer("peer_dinov2", "linear probe as for DINOv2", dinov2_probe),
    Peer("peer_ridge", "ridge to the silos' space", ridge, "said"),
    Peer("peer_mean_ridge", "class mean + ridge to the silos' space", mean_and_ridge, "said"),
    Peer("peer_logreg_ridge", "logistic regression + ridge to the silos' space", both, "said"),
    Peer("peer_zero_shot", "the silos' prototypes", prototypes, "aligned"),
    Peer("peer_tip", "Tip-Adapter's cache", tip_adapter, "aligned"),
]


def usable(draw: Draw) -> list[Peer]:
    """Those whose needs the study meets."""
    there = {"": True, "said": draw.said.size > 0, "aligned": draw.aligned}
    return [peer for peer in PEERS if there[peer.reads]]


def _logistic(x: Sequence[Array], draw: Draw, strengths: Array) -> Iterable[Scores]:
    train, *sides = _in_span(x)
    fitted = LogisticRegression(
        tol=1e-3, max_iter=300, warm_start=True
    )  # each C starts at the solution of the one before
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the weakest ridges are there to be tried, and lose
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)  # one a class is the point
        for strength in strengths:
            fitted.set_params(C=strength).fit(train, draw.y[0])
            yield [_scores(fitted, side, draw.classes) for side in sides]


def _in_span(x: Sequence[Array]) -> list[Array]:
    """Coordinates in the span of the training samples, which holds the solution: exact, and fast where they are few."""
    turn = np.linalg.svd(x[0], full_matrices=False)[2].T
    return [one @ turn for one in x]


def _scores(fitted: LogisticRegression, x: Array, classes: int) -> Array:
    """[n, class]; of two classes scikit-learn gives one column."""
    found = fitted.decision_function(x)
    return np.stack([-found / 2, found / 2], axis=1) if classes == 2 else found
