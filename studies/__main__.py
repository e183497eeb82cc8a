"""What UML gives on real data, against its peers: `make studies`, or some of them by name.

    UML_DATA_DIR=... python -m studies [photos trimodal ...] [--seeds 5] [--only SETTING] [--folder .uml/studies]

Each setting's record is kept in the folder, so that a second start goes on where the first one stopped. At the end
results.json, the blocks of README.md and the figures of every study's folder are written anew.
"""

import argparse
import time
from importlib import import_module
from pathlib import Path

from rich.console import Console

from studies import page
from studies.place import Place
from studies.plan import Plan
from uml_pipeline.workspace import read_json, write_json

ROOT = Path(__file__).parent
NAMES = ("photos", "emoji", "trimodal", "text_target", "gaps", "synthetic", "sequences", "finetune", "defaults")


def main() -> None:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="study", choices=[*NAMES, []], help=", ".join(NAMES))
    parser.add_argument("--seeds", type=int, default=5, help="draws of labelled samples")
    parser.add_argument("--only", default="", help="settings whose name has this in it")
    parser.add_argument("--folder", type=Path, default=Path(".uml/studies"))
    options = parser.parse_args()
    place, console = Place.at(options.folder), Console(stderr=True)
    for name in options.names or NAMES:
        plan: Plan = import_module(f"studies.{name}").PLAN
        for setting in plan.settings:
            if options.only in setting and (options.only or setting not in plan.long):
                run(plan, name, setting, place, options.seeds, console)
        publish(plan, name, place)


def run(plan: Plan, name: str, setting: str, place: Place, seeds: int, console: Console) -> None:
    """One setting, if its record is not there."""
    path = _kept(place, name, setting)
    if path.exists() and read_json(path)["made"]["seeds"] == seeds:
        return
    console.print(f"{name}: {setting}")
    began = time.perf_counter()
    record = plan.settings[setting](place, seeds)
    made = {"seeds": seeds, "seconds": time.perf_counter() - began, "inputs": record.pop("inputs")}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, {"made": made, **record})
    console.print(f"{name}: {setting}: {made['seconds']:.0f} s")


def publish(plan: Plan, name: str, place: Place) -> None:
    """Results, page and figures, once every setting has a record."""
    kept = {one: _kept(place, name, one) for one in plan.settings}
    results = {one: read_json(path) for one, path in kept.items() if path.exists()}
    if asked := {one: record for one, record in results.items() if one in plan.long}:
        print("\n\n".join(plan.blocks(asked).values()))
    results = {one: record for one, record in results.items() if one not in plan.long}
    if len(results) < len(plan.settings) - len(plan.long):
        return
    folder = ROOT / name
    page.write(folder, results)
    results = page.read(folder)
    blocks = plan.blocks(results)
    text = (folder / page.PAGE).read_text(encoding="utf-8")
    (folder / page.PAGE).write_text(page.filled(text, blocks), encoding="utf-8")
    for file, draw in plan.figures.items():
        (folder / file).write_text(draw(results), encoding="utf-8")
    print("\n\n".join(blocks.values()))


def _kept(place: Place, name: str, setting: str) -> Path:
    return place.folder / "records" / name / f"{setting}.json"


if __name__ == "__main__":
    main()
