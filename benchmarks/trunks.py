"""Studies of which a benchmark wants the trunk's figures: run one, and show it as a table."""

from pathlib import Path
from typing import Any

import yaml
from rich.table import Table

from uml_pipeline.pipeline import Step, call
from uml_pipeline.study import Study
from uml_pipeline.workspace import read_json

ENCODER = "timm/mobilenetv2_100?pad_type=same&mean=0.5&std=0.5"
WEIGHTS = "weights/vision_mobilenetv2_100_tf2_ptq.safetensors"
CHOSEN = "uml_refined"  # the arm whose gain is reported, named before anything was run
Figures = dict[str, Any]  # the trunk's metrics


def run(folder: Path, params: dict[str, Any]) -> tuple[Figures, dict[str, str]]:
    """Metrics of the trunk, and the verdict on each auxiliary silo.

    All of them are used, whatever their verdict: here the arms themselves are judged.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = yaml.safe_dump({**params, "relevance": {"policy": "warn"}}, sort_keys=False)
    (folder / "params.yaml").write_text(written, encoding="utf-8")
    study = Study(folder)
    steps = [Step(stage, name) for stage in ("silo", "features") for name in study.params.silos]
    for step in [*steps, Step("relevance"), Step("trunk")]:
        call(study, step)
    found = {name: read_json(folder / "artifacts/relevance" / f"{name}.json") for name in study.auxiliary}
    said = {
        name: one["verdict"] + (f", p = {one['p_value']:.3f}" if one["p_value"] is not None else "")
        for name, one in found.items()
    }
    return read_json(folder / "artifacts/trunk/metrics.json"), said


def table(title: str, metrics: Figures, verdicts: dict[str, str]) -> Table:
    """All arms by shots, the gain of the chosen one, and what ships."""
    shots = sorted({run["shots"] for run in metrics["runs"]})
    said = "; ".join(f"{name}: {verdict}" for name, verdict in verdicts.items())
    shown = Table("arm", *(f"{one} shots" for one in shots), title=f"{title} ({said})", title_justify="left")
    cells = {(run["method"], run["shots"]): f"{run['mean']:.1f} ± {run['std']:.1f}" for run in metrics["runs"]}
    for method, arm in metrics["arms"].items():
        shown.add_row(arm["label"], *(cells.get((method, one), "") for one in shots))
    gains = {gain["shots"]: gain for gain in chosen(metrics)}
    if gains:
        texts = ["{mean:+.1f} ({low:+.1f} to {high:+.1f}) over {against}".format(**gains[one]) for one in shots]
        shown.add_row(f"gain of {CHOSEN}", *texts)
    shown.caption = f"ships {metrics['ships']['method']}: {metrics['ships']['reason']}"
    return shown


def chosen(metrics: Figures) -> list[dict[str, Any]]:
    """Gains of the chosen arm, fewest shots first."""
    return [gain for gain in metrics["gains"] if gain["method"] == CHOSEN]
