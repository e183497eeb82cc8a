"""What the guides show: their code blocks, and the commands in them."""

import re
import shlex
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in [ROOT / "README.md", ROOT / "studies" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
}
_COMMAND = re.compile(r"(?:\$ )?(?:[A-Z_]+=\S+ )*((?:uml|dvc|make|python) .*)")
_OTHERS = {"python", "yaml", "toml"}


def blocks(page: str, language: str) -> list[str]:
    """A page's code blocks of one language."""
    return [token.content for token in _tokens(page) if token.type == "fence" and token.info == language]


def typed(page: str) -> Iterator[list[str]]:
    """The words of each command in a page's code blocks: what a reader copies."""
    for token in _tokens(page):
        if token.type == "fence" and token.info not in _OTHERS:
            for line in token.content.splitlines():
                yield from map(_words, filter(None, map(_COMMAND.fullmatch, line.split(" && "))))


def mentioned(page: str) -> Iterator[list[str]]:
    """The words of each command within a page's text, which may lack arguments."""
    for token in _tokens(page):
        spans = [child.content for child in token.children or [] if child.type == "code_inline"]
        yield from map(_words, filter(None, map(_COMMAND.fullmatch, spans)))


def links(page: str) -> Iterator[str]:
    """Where the page's links and pictures lead."""
    for token in _tokens(page):
        for child in token.children or []:
            if target := child.attrGet("href") or child.attrGet("src"):
                yield str(target)


def _tokens(page: str) -> list[Token]:
    return MarkdownIt().enable("table").parse(PAGES[page])


def _words(found: re.Match[str]) -> list[str]:
    """As a shell splits them, up to a pipe; another command's output is one word, and what is optional is there."""
    line = re.sub(r"\$\(.*?\)", "OUTPUT", found[1])
    words = shlex.split(re.sub(r"\[(-[^]]*)\]", r"\1", line), comments=True)
    return list(takewhile(lambda word: word not in {"|", ">", ";", "&"}, words))
