"""Write the demo study's raw data: what a user would bring along herself."""

import csv
import random
import shutil
from pathlib import Path

from uml_pipeline.demo.emoji import EmojiSets, load, render
from uml_pipeline.demo.sources import ARTISTS
from uml_pipeline.progress import progress

SCRAMBLE_SEED = 2026


def write(study: Path) -> None:
    """Fetch the pinned packages and write the novel classes into `study`/data.

    `drawings/` holds <class>/<artist>.png and a metadata.csv that names each drawing's artist; `descriptions.csv` the
    sentences; `scrambled.csv` the same sentences with the classes permuted by a fixed seed.

    Raises:
        UserError: a package cannot be fetched or is not the pinned one.
    """
    data = study / "data"
    sets = load(data / "packages")
    _write_drawings(sets, data / "drawings")
    names = [emoji.name for emoji in sets.novel]
    _write_texts(sets, names, data / "descriptions.csv")
    random.Random(SCRAMBLE_SEED).shuffle(names)
    _write_texts(sets, names, data / "scrambled.csv")


def _write_drawings(sets: EmojiSets, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    rows = []
    with progress("drawing", len(sets.novel)) as advance:
        for emoji in sets.novel:
            (folder / emoji.name).mkdir(parents=True)
            for artist in ARTISTS:
                name = f"{emoji.name}/{artist}.png"
                (folder / name).write_bytes(render(sets.svg[artist, emoji.name]))
                rows.append((name, artist))
            advance(1)
    _write_csv(folder / "metadata.csv", ("file_name", "artist"), rows)


def _write_texts(sets: EmojiSets, labels: list[str], path: Path) -> None:
    """One row a sentence; `labels` says under which class the sentences of each novel class go."""
    rows = [(text, label) for emoji, label in zip(sets.novel, labels, strict=True) for text in emoji.sentences]
    _write_csv(path, ("text", "label"), rows)


def _write_csv(path: Path, header: tuple[str, ...], rows: list[tuple[str, str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
