"""Headless Chromium, as Debian packages it, and a page of the report in it."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.report.conftest import trunk_metrics, write_study
from tests.report.understood import understood, written_page


@pytest.fixture(scope="module")  # while it is open an event loop runs, beside which Dagster runs no job
def chromium() -> Iterator[Browser]:
    """Skips where no browser is installed, unless UML_BROWSER=required, as .ci/run has it."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        missing = "no Chromium is installed: apt-get install chromium"
        pytest.fail(missing) if os.environ.get("UML_BROWSER") == "required" else pytest.skip(missing)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """`page_file(label)` is a page whose classes and arms have that name."""

    def build(label: str = "alembic") -> Path:
        folder = tmp_path_factory.mktemp("page")
        metrics = trunk_metrics()
        metrics["arms"]["uml_init"]["label"] = label
        path = folder / "index.html"
        path.write_text(written_page(write_study(folder / "study", metrics, label=label), understood(label)))
        return path

    return build


@pytest.fixture(scope="session")
def report(page_file: Callable[[str], Path]) -> Path:
    return page_file("UML, text start")


class Visit:
    """An open page, and what it said and asked for."""

    def __init__(self, page: Page) -> None:
        self.page, self.said, self.asked = page, list[str](), list[str]()
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("dialog", lambda dialog: self.said.append(dialog.message))
        page.on("request", lambda request: self.asked.append(request.url))


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Callable[..., Visit]]:
    """`visit(path, …)` opens a page in a context with these options."""
    contexts = []

    def open_(path: Path, **options) -> Visit:
        context = chromium.new_context(**options)
        contexts.append(context)
        visit = Visit(context.new_page())
        visit.page.goto(path.as_uri())
        return visit

    yield open_
    for context in contexts:
        context.close()
