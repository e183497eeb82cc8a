"""Which arms a study compares, and their grids.

Grids and BUDGET were settled on tinyimagenet40 (docs/results.md): no other set's test samples had a say in them.
"""

from dataclasses import dataclass
from itertools import product

from uml_pipeline.learn.joint import Run
from uml_pipeline.trunk import closed
from uml_pipeline.trunk.arms import Arm, Kind, Setting, Solved, Trained

_CLOSED = tuple(Setting(prior=prior, noise=noise) for prior, noise in product((1.0, 0.3), (1.0, 0.5)))
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


def arms(found: Lineup) -> list[Arm]:
    """All arms of a study.

    A projection before the shared head is there where spaces differ (UML, sec. 1.1). Only where they do not is there a
    zero-shot arm: behind a projection fitted to the target's class means nothing is without target samples.
    """
    projected = not found.aligned
    zero_shot = [_zero_shot(found.sharing)] if found.sharing and found.aligned else []
    bridged = _with_bridges(found.bridges, projected) if found.bridges else []
    convex = [_convex(found.sharing, "uml_convex", "Convex UML", "uml")] if found.sharing else []
    everything = (*found.speaking, *found.bridges)
    joint = [*_trained(everything, projected), *convex, *_closed(everything)] if found.speaking else []
    controls = [_convex((silo,), f"uml_{silo}", f"Convex UML, {silo} forced in", "control") for silo in found.forced]
    matched = [_projected()] if found.speaking and projected else []
    return [*_target_alone(), *matched, *bridged, *zero_shot, *joint, *controls]


def _grid(projected: bool = False, *, joint: bool = False) -> tuple[Setting, ...]:
    """Settings of gradient arms: alpha where there is a joint loss, else the logit scale, and the learning rate."""
    rates = (1e-3, 3e-3) if projected else (3e-3, 1e-2)
    if joint:
        return tuple(Setting(10.0, rate, alpha) for rate, alpha in product(rates, (0.3, 1.0)))
    return tuple(Setting(scale, rate) for scale, rate in product((10.0, 20.0), rates))


def _target_alone() -> list[Arm]:
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
        Trained(
            name="unimodal",
            label="linear probe",
            kind="image-only",
            about="The paper's baseline: random start, target samples alone.",
            run=Run(batch=64, projection=False),
            settings=_grid(),
        ),
        Trained(
            name="unimodal_mean",
            label="linear probe from class means",
            kind="image-only",
            about="The same probe, started at the class means.",
            run=Run(batch=64, projection=False, init="means"),
            settings=_grid(),
        ),
    ]


def _projected() -> Arm:
    return Trained(
        name="unimodal_projected",
        label="linear probe with projection",
        kind="image-only",
        about="UML without its auxiliary loss: the same projection and head, target samples alone.",
        run=Run(batch=64),
        settings=_grid(projected=True),
    )


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


def _trained(silos: tuple[str, ...], projected: bool) -> list[Arm]:
    def arm(name: str, label: str, about: str, init: str, joint: bool = True) -> Arm:
        run, settings = Run(batch=64, projection=projected, init=init), _grid(projected, joint=joint)
        return Trained(name=name, label=label, kind="uml", about=about, run=run, settings=settings, silos=silos)

    start = "closed, projected" if projected else "closed"
    return [
        arm("uml", "UML", "The paper's form: random start, joint loss.", "random"),
        arm("uml_init", "UML (init)", "The paper's UML(init): its head starts at the silos' class means.", "text"),
        arm(
            "uml_init_alone",
            "UML (init), no joint loss",
            "What the start is worth without the joint loss.",
            "text",
            joint=False,
        ),
        arm("uml_start", "UML from the closed form", "Starts from the closed form, joint loss.", start),
    ]


def _with_bridges(bridges: tuple[str, ...], projected: bool) -> list[Arm]:
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
        Trained(
            name="bridge_probe",
            label="linear probe, with the bridge",
            kind="bridge",
            about="UML's joint loss with the bridge alone: no other modality.",
            run=Run(batch=64, projection=projected),
            settings=_grid(projected, joint=True),
            silos=bridges,
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
