"""Is the relevance verdict calibrated, powerful, and right about the gain? On the demo's own data.

    python -m benchmarks.relevance [--draws 200] [--figure FILE]   # after `uml run`; figures: docs/relevance.md

Three parts, then one line of JSON:
- false_helps: share of silos without meaning that are said to help. Half are the demo's sentences under permuted
  classes, half other data sets' sentences (UML_DATA_DIR) under the demo's class names.
- power: share of silos with meaning that are said to help: sentences left out, wrong labels, at the demo's size.
- rank_correlation: of the predicted gain with what convex UML then gains on test samples, over silo variants.
"""

import argparse
import json
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from scipy.stats import spearmanr

from uml_pipeline.features import create_encoder
from uml_pipeline.learn.splits import Episode, episodes, held_out
from uml_pipeline.learn.workers import each
from uml_pipeline.relevance.config import RelevanceConfig
from uml_pipeline.relevance.geometry import Agreement
from uml_pipeline.relevance.marginal import Marginal, Marginals, adjusted
from uml_pipeline.relevance.scene import Side
from uml_pipeline.relevance.verdict import judge
from uml_pipeline.report.canvas import INK, canvas
from uml_pipeline.study import Study
from uml_pipeline.trunk import lineup
from uml_pipeline.trunk.arms import Solved
from uml_pipeline.trunk.problem import build
from uml_pipeline.trunk.silos import Silo

CONFIG = RelevanceConfig()
CLASSES = (20, 40, 80, 160)
SHARES, WRONG = (1.0, 0.5, 0.25, 0.1), (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
EPISODES = 20  # behind a realised gain
OTHERS = ("caltech50", "tinyimagenet40", "esc10", "animals_trimodal")


def main() -> None:
    """Print the three parts, then one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=200, help="silos without meaning; half as many with")
    parser.add_argument("--figure", type=Path, help="an SVG of predicted against realised gain")
    options = parser.parse_args()
    console, study, start = Console(width=120), Study(), time.monotonic()
    target, texts = Side.read(study, study.target).off("test"), Side.read(study, "descriptions")
    false = [judged(target, silo)[0] for silo in meaningless(texts, study, options.draws)]
    console.print("without meaning", pd.Series(false).value_counts().to_dict(), f"{time.monotonic() - start:.0f} s")
    found = [
        (share, wrong, judged(target, spoilt(texts, share, wrong, seed))[0])
        for seed, share, wrong in relevant(options.draws // 2)
    ]
    console.print(powers(found))
    console.print(by_classes(target, texts, max(1, options.draws // 10)))
    pairs = list(realised(study, target, texts))
    console.print(gains(pairs))
    if options.figure:
        options.figure.write_text(figure(pairs), encoding="utf-8")
    rank = spearmanr([one["predicted"] for one in pairs], [one["realised"] for one in pairs]).statistic
    print(
        json.dumps(
            {
                "false_helps": float(np.mean([word == "helps" for word in false])),
                "power": float(np.mean([word == "helps" for *_, word in found])),
                "rank_correlation": float(rank),
                "draws": [len(false), len(found), len(pairs)],
                "seconds": round(time.monotonic() - start),
                "variants": pairs,
            }
        )
    )


def judged(target: Side, silo: Side) -> tuple[str, Marginal]:
    """The verdict's word on one silo, as the stage finds it, and what it rests on."""
    marginal = Marginals(target, [silo], CONFIG.shots, CONFIG.alpha).of(silo.name)
    p_value = adjusted({silo.name: marginal})[silo.name]
    return judge(silo.name, Agreement([], None), marginal, p_value, CONFIG)["verdict"], marginal


def meaningless(texts: Side, study: Study, draws: int) -> Iterator[Side]:
    """Silos that say nothing of the target's classes."""
    labels, x = _sentences_of_others(study)
    names = sorted(texts.labels.unique())
    for seed in range(draws):
        draw = np.random.default_rng([seed, 1])
        if seed % 2:
            kept = draw.choice(np.unique(labels), draw.integers(20, len(np.unique(labels))), replace=False)
            rows = np.isin(labels, kept)
            names_of = dict(zip(kept, draw.choice(names, len(kept), replace=False), strict=True))
            yield replace(texts, rows=pd.DataFrame({"label": pd.Series(labels[rows]).map(names_of)}), x=x[rows])
        else:
            other = dict(zip(names, draw.permutation(names), strict=True))
            some = spoilt(texts, float(draw.choice(SHARES)), 0.0, seed)
            yield _renamed(some, some.labels.map(other))


def _sentences_of_others(study: Study) -> tuple[np.ndarray, np.ndarray]:
    """Classes [n] and features [n, d] of other data sets' sentences, by the same encoder."""
    data = Path(os.environ["UML_DATA_DIR"]) / "datasets"
    told = pd.concat([pd.read_csv(data / name / "text_silo/manifest.csv").assign(of=name) for name in OTHERS])
    encoder = create_encoder(study.silo("descriptions"), study.folder)
    return (told["of"] + " " + told["label"]).to_numpy(), encoder.encode(told["text"].tolist())


def relevant(draws: int) -> Iterator[tuple[int, float, float]]:
    """Seeds, shares of the sentences, and shares of wrong labels, up to half of them."""
    for seed in range(draws):
        draw = np.random.default_rng([seed, 2])
        yield seed, float(draw.choice(SHARES)), float(draw.choice(WRONG[:3]))


def spoilt(texts: Side, share: float, wrong: float, seed: int) -> Side:
    """Some of the sentences, at least one a class, some of them under another class."""
    draw = np.random.default_rng([seed, 3])
    order = draw.permutation(len(texts.labels))
    place = pd.Series(order).groupby(texts.labels.to_numpy()[order]).cumcount()
    size = texts.labels.map(texts.labels.value_counts()).to_numpy()[order]
    rows = np.sort(order[(place.to_numpy() < np.maximum(1, np.round(share * size)))])
    some = texts.where(pd.Series(np.isin(np.arange(len(texts.x)), rows)))
    labels = some.labels.copy()
    changed = draw.random(len(rows)) < wrong
    labels[changed] = draw.choice(np.unique(labels), changed.sum())
    return _renamed(some, labels)


def by_classes(target: Side, texts: Side, draws: int) -> Table:
    """How often silos with meaning are said to help where the target has fewer classes."""
    table = Table("classes", "all sentences", "one a class", title="says that it helps")
    names = np.unique(target.labels)
    for count in CLASSES:
        cells = []
        for share in (1.0, SHARES[-1]):
            words = []
            for seed in range(draws):
                kept = np.random.default_rng([seed, 5]).choice(names, count, replace=False)
                few, said = (one.where(one.labels.isin(kept)) for one in (target, texts))
                words.append(judged(few, spoilt(said, share, 0.0, seed))[0])
            cells.append(f"{sum(word == 'helps' for word in words)} of {draws}")
        table.add_row(str(count), *cells)
    return table


def _renamed(silo: Side, labels: pd.Series) -> Side:
    return replace(silo, rows=silo.rows.assign(label=labels))


def powers(found: list[tuple[float, float, str]]) -> Table:
    """How often silos with meaning are said to help."""
    table = Table("sentences kept", *(f"{wrong:.0%} wrong" for wrong in WRONG[:3]), title="says that it helps")
    for share in SHARES:
        cells = [[word == "helps" for s, w, word in found if (s, w) == (share, wrong)] for wrong in WRONG[:3]]
        table.add_row(f"{share:.0%}", *(f"{sum(cell)} of {len(cell)}" for cell in cells))
    return table


def realised(study: Study, target: Side, texts: Side) -> Iterator[dict[str, float]]:
    """For variants of the silo: the predicted gain, and that of convex UML on the held-out artist's drawings."""
    whole = Silo.read(study, study.target)
    classes = sorted(whole.manifest["label"].dropna().unique())
    held = held_out(whole.manifest)
    drawn = [one for one in episodes(whole.manifest, CONFIG.shots, 10 * EPISODES) if np.isin(one.test, held).all()]
    drawn = drawn[:EPISODES]
    without = list(each(lambda one: _accuracy("logreg", whole, [], classes, one), drawn))
    variants = [(1.0, share, wrong) for share in SHARES for wrong in WRONG]
    variants += [(part, 1.0, wrong) for part in (0.75, 0.5, 0.25) for wrong in (0.0, 0.5)]
    for seed, (part, share, wrong) in enumerate(variants):
        draw, silo = np.random.default_rng([seed, 4]), spoilt(texts, share, wrong, seed)
        silo = silo.where(silo.labels.isin(draw.choice(classes, round(part * len(classes)), replace=False)))
        word, marginal = judged(target, silo)
        assert marginal.alone is not None
        said = Silo(silo.name, silo.rows, silo.x, silo.space, silo.modality)
        with_it = each(partial(_accuracy, "uml_convex", whole, [said], classes), drawn)
        yield {
            "classes": part,
            "kept": share,
            "wrong": wrong,
            "verdict": word,
            "predicted": float(marginal.alone.gain.mean),
            "realised": float(np.mean([one - other for one, other in zip(with_it, without, strict=True)])),
        }


def _accuracy(name: str, target: Silo, silos: list[Silo], classes: list[str], episode: Episode) -> float:
    """Of one arm on an episode's test samples, its setting chosen on validation samples, in percent."""
    found = lineup.arms(lineup.Lineup(sharing=tuple(silo.name for silo in silos)))
    [arm] = [one for one in found if isinstance(one, Solved) and one.name == name]
    problem = build(target, silos, classes, episode.train, episode.val, episode.seed)
    test = problem.look_at(target.x[episode.test], target.index(classes)[episode.test])
    best = min(arm.solve(problem), key=lambda fit: fit.loss)
    return 100 * float(((test.x @ best.head.T).argmax(1) == test.y).float().mean())


def gains(pairs: list[dict[str, float]]) -> Table:
    """Predicted beside realised."""
    table = Table("classes", "sentences kept", "wrong", "verdict", "predicted", "realised")
    for one in pairs:
        table.add_row(
            *(f"{one[key]:.0%}" for key in ("classes", "kept", "wrong")),
            str(one["verdict"]),
            *(f"{one[key]:+.2f}" for key in ("predicted", "realised")),
        )
    return table


def figure(pairs: list[dict[str, Any]]) -> str:
    """Predicted against realised gain as SVG, wrong labels by colour."""
    with canvas("relevance", 4.6, 3.4) as (drawn, text):
        axes = drawn.add_axes((0.13, 0.15, 0.84, 0.8))
        wrong = [one["wrong"] for one in pairs]
        x, y = ([one[key] for one in pairs] for key in ("predicted", "realised"))
        points = axes.scatter(x, y, c=wrong, cmap="viridis", s=28)
        drawn.colorbar(points, ax=axes, label="share of wrong labels")
        axes.axhline(0, color=INK, linewidth=0.6)
        axes.axvline(0, color=INK, linewidth=0.6)
        axes.set_xlabel("predicted gain, points")
        axes.set_ylabel("realised gain, points")
    return text.getvalue()


if __name__ == "__main__":
    main()
