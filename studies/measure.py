"""One setting of a study, run through the pipeline up to the trunk, and the peers on the same draws: a JSON record."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from studies import peers
from studies.place import Place
from uml_pipeline.learn.splits import Episode
from uml_pipeline.learn.statistics import paired_gain
from uml_pipeline.learn.workers import each
from uml_pipeline.pipeline import Step, call
from uml_pipeline.progress import progress
from uml_pipeline.relevance import read_verdicts
from uml_pipeline.report.understanding.exchange import exchange
from uml_pipeline.report.understanding.reasons import CannotSay
from uml_pipeline.study import Study
from uml_pipeline.trunk.compare import Inputs, draw, gather
from uml_pipeline.workspace import FINGERPRINT, Workspace, fingerprint_of, read_json

Params = dict[str, Any]
Record = dict[str, Any]
Hits = Mapping[tuple[str, int], NDArray[np.int64]]  # by method and shots: [draw, class], test samples recognised
OURS = "uml_refined"
"""The arm whose gains are told, named before any of this was run. Beside it, the paper's own."""
COMPARED = (OURS, "uml_init", "uml", "uml_start")
CANDIDATE = 3.0
"""Logit scale of `uml_start` here: what studies/defaults had chosen; these runs spoke against it."""


def probed(params: Params, place: Place) -> Record:
    """Mode probe with all arms and all peers."""
    trunk = params["trunk"] | {"grid": {"start_scale": CANDIDATE} | params["trunk"].get("grid", {})}
    study = prepared({**params, "trunk": trunk}, place)
    call(study, Step("trunk"))
    artifact = Workspace(study.folder).reading("trunk")
    metrics, inputs = read_json(artifact / "metrics.json"), gather(study)
    drawn = draw(study, inputs)
    found, counts = _hits(pd.read_parquet(artifact / "classes.parquet"), inputs.classes)
    arms = {name: {key: arm[key] for key in ("label", "kind")} for name, arm in metrics["arms"].items()}
    beside, names = _peers(inputs, drawn)
    found = {**found, **beside}
    arms |= {name: {"label": label, "kind": "peer"} for name, label in names.items()}
    return {
        "inputs": inputs_hash(study),
        "verdicts": verdicts(study),
        "arms": arms,
        "runs": [_run(key, right, counts[key[1]]) for key, right in found.items()],
        "gains": _gains(found, counts, arms),
        "picked": _picked(pd.read_parquet(artifact / "runs.parquet"), found, counts, arms),
        "exchange": _exchange(study),
        "ships": metrics["ships"],
    }


def probing(made: Mapping[str, Callable[[Place, int], Params]]) -> dict[str, Callable[[Place, int], Record]]:
    """Settings of a plan from what makes their studies."""
    return {name: partial(_measured, one) for name, one in made.items()}


def _measured(make: Callable[[Place, int], Params], place: Place, seeds: int) -> Record:
    return probed(make(place, seeds), place)


def prepared(params: Params, place: Place) -> Study:
    """The study, up to the trunk's door. Silos are used whatever their verdict: here they are judged."""
    written = yaml.safe_dump({**params, "relevance": {"policy": "warn"}}, sort_keys=False)
    (place.folder / "params.yaml").write_text(written, encoding="utf-8")
    study = Study(place.folder)
    for stage in ("silo", "features"):
        for name in study.params.silos:
            call(study, Step(stage, name))
    call(study, Step("relevance"))
    return study


def inputs_hash(study: Study) -> str:
    """Of all samples and features: twelve digits."""
    space = Workspace(study.folder)
    seals = [
        read_json(space.reading(stage, name) / FINGERPRINT)
        for stage in ("silo", "features")
        for name in study.params.silos
    ]
    return fingerprint_of(seals)[:12]


def verdicts(study: Study) -> dict[str, str]:
    """What the relevance test says of each auxiliary silo."""
    return {
        name: one["verdict"] + (f", p = {one['p_value']:.3f}" if one["p_value"] is not None else "")
        for name, one in read_verdicts(study).items()
    }


def _hits(table: pd.DataFrame, classes: list[str]) -> tuple[Hits, dict[int, NDArray[np.int64]]]:
    """Of every method and number of shots, and how many test samples there are: [draw, class]."""
    found, counts = {}, {}
    for (method, shots), own in table.groupby(["method", "shots"], observed=True):
        wide = {
            value: own.pivot(index="seed", columns="label", values=value).reindex(columns=classes).fillna(0)
            for value in ("correct", "samples")
        }
        found[str(method), int(shots)] = wide["correct"].to_numpy(np.int64)
        counts[int(shots)] = wide["samples"].to_numpy(np.int64)
    return found, counts


def _peers(inputs: Inputs, drawn: Sequence[Episode]) -> tuple[Hits, dict[str, str]]:
    """Hits of every peer, episodes in their order, and the peers' labels."""
    rows: dict[tuple[str, int], list[NDArray[np.int64]]] = {}
    labels: dict[str, str] = {}

    def scored(episode: Episode) -> tuple[int, dict[str, NDArray[np.int64]]]:
        own = peers.draw_of(inputs, episode)
        usable = peers.usable(own)
        labels.update({peer.name: peer.label for peer in usable})
        y = own.y[2]
        right = {peer.name: y[peers.chosen(peer, own).argmax(1) == y] for peer in usable}
        return episode.shots, {name: np.bincount(one, minlength=own.classes) for name, one in right.items()}

    with threadpool_limits(1), progress("peers", len(drawn)) as advance:  # a core a draw: `each` has one for each core
        for shots, hits in each(scored, drawn):
            for name, one in hits.items():
                rows.setdefault((name, shots), []).append(one)
            advance(1)
    return {key: np.stack(one) for key, one in rows.items()}, labels


def _run(key: tuple[str, int], right: NDArray[np.int64], counts: NDArray[np.int64]) -> Record:
    percent = 100 * right.sum(1) / counts.sum(1)
    return {"method": key[0], "shots": key[1], "mean": percent.mean(), "std": percent.std(ddof=1), "draws": len(right)}


def _gains(found: Hits, counts: Mapping[int, NDArray[np.int64]], arms: Mapping[str, Record]) -> list[Record]:
    """Of the compared arms over the strongest rival of each sort, taken by test accuracy, which favours the rival."""
    rivals = {
        "alone": [name for name, arm in arms.items() if arm["kind"] in ("image-only", "bridge") or _plain(name)],
        "peers": [name for name, arm in arms.items() if arm["kind"] == "peer"],
        "matched": ["unimodal_projected" if "unimodal_projected" in arms else "unimodal"],
    }
    rows = []
    for (method, shots), right in found.items():
        if method in COMPARED:
            for sort, names in rivals.items():
                against = max(names, key=lambda name: found[name, shots].sum())
                gain = paired_gain(right, found[against, shots], counts[shots])
                rows.append({"method": method, "over": sort, "against": against, "shots": shots, **vars(gain)})
    return rows


def _picked(table: pd.DataFrame, found: Hits, counts: Mapping[int, NDArray[np.int64]], arms: Record) -> list[Record]:
    """At each number of shots, the arm with silos that has the lowest mean log-loss on the validation samples: what the
    pipeline would choose there, and what the choice is worth on the test samples, over the one chosen likewise from
    those without silos, and over the strongest peer, taken by test accuracy, which favours it.
    """
    losses = table[table["chosen"]].groupby(["method", "shots"])["loss"].mean()
    rows = []
    for shots in sorted(counts):

        def best(*kinds: str, shots: int = shots) -> str:
            return min((name for name, arm in arms.items() if arm["kind"] in kinds), key=lambda one: losses[one, shots])

        ours = best("uml")
        rivals = {
            "alone": best("image-only", "bridge"),
            "peers": max(
                (name for name, arm in arms.items() if arm["kind"] == "peer"), key=lambda one: found[one, shots].sum()
            ),
        }
        for over, against in rivals.items():
            gain = paired_gain(found[ours, shots], found[against, shots], counts[shots])
            rows.append({"shots": shots, "method": ours, "over": over, "against": against, **vars(gain)})
    return rows


def _exchange(study: Study) -> Record:
    """Target samples that the auxiliary ones are worth, as the report has it; why not, where it cannot say."""
    try:
        found = exchange(study)
    except CannotSay as why:
        return {"cannot_say": str(why)}
    kept = ("one_target_sample", "all_auxiliary", "beyond_noise", "cannot_say")
    return {name: {key: one[key] for key in kept if key in one} for name, one in found.items()}


def _plain(name: str) -> bool:
    """Whether a peer reads the target alone."""
    return any(peer.name == name and not peer.reads for peer in peers.PEERS)
