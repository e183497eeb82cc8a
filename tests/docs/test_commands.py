"""Every command that a guide shows is one that is accepted: its verb and its options exist, nothing is missing."""

import re
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import pytest
from dvc.cli.parser import get_main_parser
from typer.main import get_command

from tests.docs.guides import PAGES, ROOT, mentioned, typed
from uml_pipeline.cli import app

ROOT_COMMAND: Any = get_command(app)


def verb(words: list[str]) -> tuple[Any, list[str]]:
    """The command (in a group, the innermost) and what is left for it."""
    found = ROOT_COMMAND
    while words and words[0] in getattr(found, "commands", {}):
        found, words = found.commands[words[0]], words[1:]
    assert found is not ROOT_COMMAND or words[0].startswith("-"), f"no verb: {words}"
    return found, words


def knows(command: Any, words: list[str]) -> bool:
    """Whether all options among the words are the command's."""
    known = {option for param in command.params for option in (*param.opts, *param.secondary_opts)} | {"--help"}
    return {word.partition("=")[0] for word in words if word.startswith("-")} <= known


def uml(words: list[str]) -> None:
    """Parses, and runs nothing."""
    found, rest = verb(words)
    if found is ROOT_COMMAND:
        assert knows(found, rest)  # its options act when they are parsed
    else:
        found.make_context(found.name, rest)


def dvc(words: list[str]) -> None:
    get_main_parser().parse_args(words)


def make(words: list[str]) -> None:
    targets = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.M)
    assert targets
    assert {word for word in words if "=" not in word} <= {*targets[1].split()}


def python(words: list[str]) -> None:
    assert find_spec(words[1]) if words[0] == "-m" else (ROOT / words[0]).is_file()


CHECKS: dict[str, Callable[[list[str]], None]] = {"uml": uml, "dvc": dvc, "make": make, "python": python}


@pytest.mark.parametrize("page", PAGES)
def test_a_command_in_a_block_is_accepted(page: str) -> None:
    for program, *words in typed(page):
        CHECKS[program](words)


@pytest.mark.parametrize("page", PAGES)
def test_a_command_in_the_text_has_a_known_verb_and_known_options(page: str) -> None:
    for program, *words in mentioned(page):
        if program == "uml":
            assert knows(*verb(words)), words


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("init --targe photos", "No such option"),
        ("predict", "Missing parameter: model"),
        ("siloo photos", "no verb"),
        ("predict artifacts/model a.jpg --top 0", "greater than or equal to 1"),
    ],
)
def test_a_wrong_command_is_noticed(line: str, told: str) -> None:
    with pytest.raises(Exception, match=told):
        uml(line.split())


def test_commands_are_found_at_all() -> None:
    shown = [words for page in PAGES for words in typed(page)]
    assert ["uml", "init", "--target", "pictures", "--silo", "notes.csv"] in shown
    assert ["uml", "predict", "OUTPUT", "FILE..."] in shown
    assert {words[0] for words in shown} == CHECKS.keys()
    assert ["uml", "silo", "NAME", "--docs"] in list(mentioned("docs/own-data.md"))
