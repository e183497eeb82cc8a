"""What the emoji are: the classes that all artists draw, base or novel, their sentences and their drawings."""

import random
import re
from dataclasses import dataclass
from pathlib import Path

from uml_pipeline.demo.sources import ARTISTS, NAMES, read

BASE_CLASSES = 700  # the built-in encoder trains on these; the demo runs on the others
SPLIT_SEED = 2026
SIDE = 64  # pixels


@dataclass(frozen=True)
class Emoji:
    """One class: its slug (as the artists name it), English label and keywords."""

    name: str
    label: str
    keywords: tuple[str, ...]

    @property
    def sentences(self) -> list[str]:
        """Several short texts about the class, the label alone first, then one for each keyword."""
        words = [word for word in self.keywords if word != self.label]
        return [self.label, f"a drawing of {self.label}", *(f"{self.label}, {word}" for word in words[:6])]


@dataclass(frozen=True)
class EmojiSets:
    """All classes that every artist draws, and the SVG source of each drawing by (artist, class name)."""

    base: list[Emoji]
    novel: list[Emoji]
    svg: dict[tuple[str, str], str]


def load(cache: Path) -> EmojiSets:
    """Read the pinned packages and split their common classes into base and novel, by a fixed seed."""
    sets = {artist: read(package, cache) for artist, package in ARTISTS.items()}
    described = {_slug(entry["label"]): entry for entry in read(NAMES, cache)}
    drawn = [{name for name, icon in icons["icons"].items() if not icon.get("hidden")} for icons in sets.values()]
    names = sorted(set.intersection(*drawn) & set(described))
    emoji = [Emoji(name, described[name]["label"], tuple(described[name].get("tags", ()))) for name in names]
    svg = {(artist, name): _svg(icons, name) for artist, icons in sets.items() for name in names}
    random.Random(SPLIT_SEED).shuffle(emoji)
    by_name = lambda one: one.name  # noqa: E731
    return EmojiSets(sorted(emoji[:BASE_CLASSES], key=by_name), sorted(emoji[BASE_CLASSES:], key=by_name), svg)


def render(svg: str) -> bytes:
    """PNG bytes of one drawing, SIDE x SIDE pixels on white."""
    import resvg_py

    return resvg_py.svg_to_bytes(svg_string=svg, width=SIDE, height=SIDE, background="#ffffff", skip_system_fonts=True)


def _slug(label: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", label.lower().replace("’", "").replace("'", "")).strip("-")


def _svg(icons: dict, name: str) -> str:
    icon = icons["icons"][name]
    width, height = (icon.get(side, icons.get(side, 16)) for side in ("width", "height"))
    side = max(width, height)  # a few icons are not square: centre them on a square canvas
    left, top = icon.get("left", 0) - (side - width) / 2, icon.get("top", 0) - (side - height) / 2
    box = f"{left} {top} {side} {side}"
    spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f'<svg {spaces} viewBox="{box}">{icon["body"]}</svg>'
