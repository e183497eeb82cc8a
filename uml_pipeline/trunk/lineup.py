"""Which arms a study compares."""

from dataclasses import dataclass
from itertools import product

from uml_pipeline.learn.joint import Budget
from uml_pipeline.trunk import closed
from uml_pipeline.trunk.arms import Arm, Kind, Setting, Solved, Trained
from uml_pipeline.trunk.grid import Grid

_CLOSED = tuple(Setting(prior=prior, noise=noise) for prior, noise in product((1.0, 0.3), (1.0, 0.5)))
_RIDGE = tuple(Setting(strength=c) for c in (0.01, 0.1, 1.0, 10.0))
_BOTH = tuple(Setting(prior=1.0, alpha=alpha, strength=c) for alpha, c in product((0.3, 1.0), (0.1, 1.0)))
_CONVEX = tuple(Setting(scale=1.0, strength=c) for c in (3.0, 10.0, 30.0, 100.0))


@dataclass(frozen=True)
class Lineup:
    """The auxiliary silos by what they are to the target."""

    sharing: tuple[str, ...] = ()  # share classes with it
    beside: tuple[str, ...] = ()  # share classes with a bridge alone
    bridges: tuple[str, ...] = ()  # its own modality and encoder
    forced: tuple[str, ...] = ()  # with an arm of their own, as controls
    aligned: bool = True  # all sharing and beside lie in its feature space

    @property
    def speaking(self) -> tuple[str, ...]:
        """Silos of other modalities or encoders."""
        return (*self.sharing, *self.beside)


def arms(found: Lineup, grid: Grid = Grid()) -> list[Arm]:
    """All arms of a study; those by gradient search `grid`.

    A projection before the shared head is there where spaces differ (UML, sec. 1.1). Only where they do not is there a
    zero-shot arm: behind a projection fitted to the target's class means nothing is without target samples.
    """
    gradient = _Gradient(grid, projected=not found.aligned)
    zero_shot = [_zero_shot(found.sharing)] if found.sharing and found.aligned else []
    bridged = _with_bridges(found.bridges, gradient) if found.bridges else []
    convex = [_convex(found.sharing, "uml_convex", "Convex UML", "uml")] if found.sharing else []
    everything = (*found.speaking, *found.bridges)
    mapped = _mapped(everything) if found.sharing else []
    joint = [*_trained(everything, gradient), *convex, *_closed(everything), *mapped] if found.speaking else []
    controls = [_convex((silo,), f"uml_{silo}", f"Convex UML, {silo} forced in", "control") for silo in found.forced]
    matched = [_matched(gradient)] if found.speaking and gradient.projected else []
    return [*_target_alone(gradient), *matched, *bridged, *zero_shot, *joint, *controls]


@dataclass(frozen=True)
class _Gradient:
    """What gradient arms have in common."""

    grid: Grid
    projected: bool  # arms that read another silo

    def arm(
        self,
        name: str,
        label: str,
        kind: Kind,
        about: str,
        *,
        silos: tuple[str, ...] = (),
        projection: bool | None = None,
        init: str = "random",
        joint: bool = False,
    ) -> Trained:
        """`projection` before the head: by default as the others; `joint`: whether there is a joint loss."""
        behind = self.projected if projection is None else projection
        return Trained(
            name=name,
            label=label,
            kind=kind,
            about=about,
            silos=silos,
            settings=self._settings(behind, joint=joint, near=init.startswith("closed")),
            budget=self._budget(),
            projection=behind,
            init=init,
        )

    def _budget(self) -> Budget:
        grid = self.grid
        return Budget(grid.steps, grid.look_every, grid.patience, grid.warm_up, by="loss")

    def _settings(self, projection: bool, *, joint: bool, near: bool) -> tuple[Setting, ...]:
        grid = self.grid
        rates = grid.rates or ([1e-3, 3e-3] if projection else [3e-3, 1e-2])
        steps = product(rates, grid.decays, grid.batches, grid.learn_scales)
        if not joint:
            return tuple(Setting(scale, *step) for scale, step in product(grid.scales, steps))
        beside = product(grid.alphas, map(str, grid.shots), grid.ratios)
        scale = grid.start_scale if near else grid.scales[0]
        return tuple(Setting(scale, *step, *aside) for step, aside in product(steps, beside))


def _target_alone(gradient: _Gradient) -> list[Arm]:
    return [
        Solved(
            name="class_mean",
            label="nearest class mean",
            kind="image-only",
            about="Each class is the mean of its samples; nothing is trained.",
            head=closed.means,
            settings=(Setting(),),
        ),
        Solved(
            name="logreg",
            label="logistic regression",
            kind="image-only",
            about="Convex, no intercept, C tuned on the validation samples.",
            head=closed.logistic,
            settings=_CONVEX,
        ),
        gradient.arm(
            "unimodal",
            "linear probe",
            "image-only",
            "The paper's baseline: random start, target samples alone.",
            projection=False,
        ),
        gradient.arm(
            "unimodal_mean",
            "linear probe from class means",
            "image-only",
            "The same probe, started at the class means.",
            projection=False,
            init="means",
        ),
    ]


def _matched(gradient: _Gradient) -> Arm:
    about = "UML without its joint loss: the same projection and head, target samples alone."
    return gradient.arm("unimodal_projected", "linear probe with projection", "image-only", about)


def _zero_shot(silos: tuple[str, ...]) -> Arm:
    return Solved(
        name="zero_shot",
        label="zero-shot from the auxiliary silos",
        kind="text-only",
        about="Class means of the auxiliary silos alone; no target sample.",
        head=closed.prototypes,
        settings=(Setting(),),
        silos=silos,
    )


def _trained(silos: tuple[str, ...], gradient: _Gradient) -> list[Arm]:
    def arm(name: str, label: str, about: str, init: str, *, joint: bool = True) -> Arm:
        return gradient.arm(name, label, "uml", about, silos=silos, init=init, joint=joint)

    start = "closed, projected" if gradient.projected else "closed"
    return [
        arm("uml", "UML", "The paper's form: random start, joint loss.", "random"),
        arm("uml_init", "UML (init)", "The paper's UML(init): its head starts at the silos' class means.", "text"),
        arm("uml_init_alone", "UML (init), no joint loss", "What that start is worth by itself.", "text", joint=False),
        arm("uml_start", "UML from the closed form", "Starts from the closed form, joint loss.", start),
    ]


def _with_bridges(bridges: tuple[str, ...], gradient: _Gradient) -> list[Arm]:
    """What the target's own modality alone can have from a bridge: the control for what other modalities add."""
    return [
        Solved(
            name="bridge_mean",
            label="class mean, with the bridge",
            kind="bridge",
            about="Class means where the bridge's samples scatter alike in all directions, shrunk as likelihood says.",
            head=closed.posterior,
            settings=_CLOSED,
            silos=bridges,
        ),
        Solved(
            name="bridge_logreg",
            label="logistic regression, with the bridge",
            kind="bridge",
            about="The same coordinates, C tuned on the validation samples.",
            head=closed.bridged_logistic,
            settings=_CONVEX,
            silos=bridges,
        ),
        gradient.arm(
            "bridge_probe",
            "linear probe, with the bridge",
            "bridge",
            "UML's joint loss with the bridge alone: no other modality.",
            silos=bridges,
            joint=True,
        ),
    ]


def _closed(silos: tuple[str, ...]) -> list[Arm]:
    return [
        Solved(
            name="uml_closed",
            label="UML in closed form",
            kind="uml",
            about="Class means as a Gaussian process over classes, fed by all silos; strengths by marginal likelihood.",
            head=closed.posterior,
            settings=_CLOSED,
            silos=silos,
        ),
        Solved(
            name="uml_refined",
            label="UML in closed form, refined",
            kind="uml",
            about="Logistic regression that starts from the closed form and is pulled back to it.",
            head=closed.refined,
            settings=tuple(Setting(scale, prior=1.0, strength=c) for scale, c in product((5.0, 10.0), (10.0, 30.0))),
            silos=silos,
        ),
    ]


def _mapped(silos: tuple[str, ...]) -> list[Arm]:
    """Arms by a ridge regression from samples to class means of other modalities: silos share that map alone."""
    return [
        Solved(
            name="uml_ridge",
            label="ridge to the silos' space",
            kind="uml",
            about="As in zero-shot learning: samples are mapped to what the silos say of their classes.",
            head=closed.mapped,
            settings=_RIDGE,
            silos=silos,
        ),
        Solved(
            name="uml_closed_ridge",
            label="UML in closed form, with the ridge",
            kind="uml",
            about="The sum of both heads.",
            head=closed.posterior_and_map,
            settings=_BOTH,
            silos=silos,
        ),
    ]


def _convex(silos: tuple[str, ...], name: str, label: str, kind: Kind) -> Arm:
    return Solved(
        name=name,
        label=label,
        kind=kind,
        about="UML's joint loss with a ridge, solved to its optimum: logistic regression that shares its head.",
        head=closed.joint_logistic,
        settings=tuple(Setting(1.0, alpha=alpha, strength=c) for alpha, c in product((0.1, 0.3), (10.0, 30.0))),
        silos=silos,
    )
