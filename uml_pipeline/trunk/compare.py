"""The comparison: all arms of a study on all its episodes."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from uml_pipeline.errors import UserError
from uml_pipeline.learn.splits import Episode, is_clean
from uml_pipeline.learn.workers import each
from uml_pipeline.progress import progress
from uml_pipeline.study import Study
from uml_pipeline.trunk.admission import admitted, classes_of, drawn_episodes
from uml_pipeline.trunk.arms import Arm, Fit, Solved, Trained, train
from uml_pipeline.trunk.decision import Decision
from uml_pipeline.trunk.lineup import Lineup, arms
from uml_pipeline.trunk.probe import Result, judge
from uml_pipeline.trunk.problem import Problem, build
from uml_pipeline.trunk.ship import Recipe, decide
from uml_pipeline.trunk.silos import Silo

AT_ONCE = 6  # episodes


@dataclass(frozen=True)
class Inputs:
    """Everything in memory that training reads."""

    target: Silo
    auxiliary: list[Silo]
    classes: list[str]
    lineup: list[Arm]


def gather(study: Study) -> Inputs:
    """Read the target, the silos that the verdicts admit, and those forced in.

    Raises:
        UserError: an upstream artifact is missing, the policy blocks a silo, or the target has fewer than two classes.
    """
    used, forced = admitted(study), study.params.trunk.forced
    target = Silo.read(study, study.target)
    classes = classes_of(target.name, target.manifest)
    auxiliary = [Silo.read(study, name) for name in [*used, *forced]]
    found = line_up(target, [silo for silo in auxiliary if silo.name in used], classes)
    for silo in auxiliary[len(used) :]:
        _require_shared(silo, classes)
    return Inputs(target, auxiliary, classes, arms(replace(found, forced=tuple(forced)), study.params.trunk.grid))


def line_up(target: Silo, used: list[Silo], classes: list[str]) -> Lineup:
    """Who is a bridge, who shares classes with the target, and who with a bridge alone.

    Raises:
        UserError: a silo is none of these: nothing couples it to the target.
    """
    bridges = [silo for silo in used if silo.bridges(target)]
    spoken = [silo for silo in used if not silo.bridges(target)]
    beyond = sorted({label for silo in bridges for label in silo.manifest["label"].dropna()})
    sharing = [silo for silo in spoken if (silo.index(classes) >= 0).any()]
    beside = [silo for silo in spoken if not (silo.index(classes) >= 0).any()]
    for silo in beside:
        _require_shared(silo, beyond)
    aligned = all(silo.space == target.space for silo in spoken)
    return Lineup(_names(sharing), _names(beside), _names(bridges), aligned=aligned)


def _names(silos: list[Silo]) -> tuple[str, ...]:
    return tuple(silo.name for silo in silos)


def _require_shared(silo: Silo, classes: list[str]) -> None:
    if (silo.index(classes) < 0).all():
        raise UserError(
            f"no class of {silo.name!r} is one of the target's",
            where="params.yaml, silos",
            fix=f"name classes alike in both, or take {silo.name!r} out",
        )


def draw(study: Study, inputs: Inputs) -> list[Episode]:
    """All episodes, fewest shots first.

    Raises:
        UserError: so few seeds that nothing could be judged off the test split.
    """
    return drawn_episodes(study, inputs.target.manifest, better=4)


def pose(inputs: Inputs, episode: Episode) -> Problem:
    """The episode as a problem for all arms."""
    return build(inputs.target, inputs.auxiliary, inputs.classes, episode.train, episode.val, episode.seed)


def compare(inputs: Inputs, drawn: list[Episode]) -> list[Result]:
    """Every arm on every episode, some episodes at a time: their problems stay in memory meanwhile."""
    found: list[Result] = []
    with progress("training", len(drawn)) as advance:
        for first in range(0, len(drawn), AT_ONCE):
            some = drawn[first : first + AT_ONCE]
            for results in _compare(inputs, some):
                found += results
                advance(1)
    return found


def _compare(inputs: Inputs, drawn: list[Episode]) -> Iterator[list[Result]]:
    x, y = inputs.target.x, inputs.target.index(inputs.classes)
    problems = list(each(partial(pose, inputs), drawn))
    trained = train([arm for arm in inputs.lineup if isinstance(arm, Trained)], problems)

    def finish(one: tuple[Episode, Problem, dict[str, list[Fit]]]) -> list[Result]:
        episode, problem, ready = one
        test = problem.look_at(x[episode.test], y[episode.test])
        fits = [arm.solve(problem) if isinstance(arm, Solved) else ready[arm.name] for arm in inputs.lineup]
        return [judge(*both, problem, episode, test) for both in zip(inputs.lineup, fits, strict=True)]

    return each(finish, zip(drawn, problems, trained, strict=True))


def choose(inputs: Inputs, drawn: list[Episode], results: list[Result]) -> Decision[Recipe]:
    """What ships: from the episodes with the most shots that keep off the manifest's test split."""
    most = max(episode.shots for episode in drawn)
    clean = [one for one in drawn if one.shots == most and is_clean(one, inputs.target.manifest)]
    problems = {one.seed: pose(inputs, one) for one in clean}
    return decide([one for one in results if one.episode in clean], problems)
