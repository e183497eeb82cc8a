"""The comparison: all arms of a study on all its episodes."""

from dataclasses import dataclass

from rich.progress import track

from uml_pipeline.errors import UserError
from uml_pipeline.learn.splits import Episode, episodes, is_clean
from uml_pipeline.learn.workers import each
from uml_pipeline.relevance import read_verdicts
from uml_pipeline.study import Study
from uml_pipeline.trunk.arms import Arm, arms
from uml_pipeline.trunk.probe import Result, solve
from uml_pipeline.trunk.problem import Problem, Silo, build
from uml_pipeline.trunk.ship import Decision, decide


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
    verdicts, forced = read_verdicts(study), study.params.trunk.forced
    refused = [name for name, verdict in verdicts.items() if verdict["verdict"] == "irrelevant"]
    if refused and study.params.relevance.policy == "block":
        raise UserError(
            f"irrelevant silos block training: {', '.join(refused)}",
            where="params.yaml, relevance.policy",
            fix="take them out of `silos`, or set the policy to `exclude` or `warn`",
        )
    # a forced silo is a control: it has an arm of its own and stays out of the others
    used = [name for name, verdict in verdicts.items() if verdict["used"] and name not in forced]
    target = Silo.read(study, study.target)
    classes = sorted(target.manifest["label"].dropna().unique())
    if len(classes) < 2:
        raise UserError(f"the target {target.name!r} has {len(classes)} labelled classes", fix="label at least two")
    auxiliary = [Silo.read(study, name) for name in [*used, *forced]]
    for silo in auxiliary:
        if (silo.index(classes) < 0).all():
            raise UserError(
                f"no class of {silo.name!r} is one of the target's",
                where="params.yaml, silos",
                fix=f"name classes alike in both, or take {silo.name!r} out",
            )
    aligned = all(silo.space == target.space for silo in auxiliary if silo.name in used)
    return Inputs(target, auxiliary, classes, arms(used, forced, aligned=aligned))


def draw(study: Study, inputs: Inputs) -> list[Episode]:
    """All episodes, fewest shots first.

    Raises:
        UserError: so few seeds that nothing could be judged off the test split.
    """
    config, manifest = study.params.trunk, inputs.target.manifest
    drawn = [one for shots in sorted(set(config.shots)) for one in episodes(manifest, shots, config.seeds)]
    if not any(is_clean(one, manifest) for one in drawn if one.shots == max(config.shots)):
        groups = manifest["group"].nunique()
        raise UserError(
            f"{config.seeds} seeds are too few: no split tests on the held-out group alone",
            where="params.yaml, trunk.seeds",
            fix=f"use at least {groups}, better {4 * groups}: the {groups} groups take turns",
        )
    return drawn


def pose(inputs: Inputs, episode: Episode) -> Problem:
    """The episode as a problem for all arms."""
    return build(inputs.target, inputs.auxiliary, inputs.classes, episode.train, episode.val, episode.seed)


def compare(inputs: Inputs, drawn: list[Episode]) -> list[Result]:
    """Every arm on every episode."""
    x, y = inputs.target.x, inputs.target.index(inputs.classes)

    def one(episode: Episode) -> list[Result]:
        problem = pose(inputs, episode)
        test = problem.look_at(x[episode.test], y[episode.test])
        return [solve(arm, problem, episode, test) for arm in inputs.lineup]

    done = track(each(one, drawn), "training", total=len(drawn), transient=True)
    return [result for results in done for result in results]


def choose(inputs: Inputs, drawn: list[Episode], results: list[Result]) -> Decision:
    """What ships: from the episodes with the most shots that keep off the manifest's test split."""
    most = max(episode.shots for episode in drawn)
    clean = [one for one in drawn if one.shots == most and is_clean(one, inputs.target.manifest)]
    problems = {one.seed: pose(inputs, one) for one in clean}
    return decide([one for one in results if one.episode in clean], problems)
