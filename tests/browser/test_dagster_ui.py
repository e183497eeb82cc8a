"""Dagster's UI on a small study, as a person meets it: the graph, Materialize all, checks, what each step says."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Page

from uml_pipeline.study import Study

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
EVIL = "![x](https://example.org/x.png)<img src=x onerror=alert(1)>"
MINUTES = 4 * 60_000  # ms: a run takes one on an idle machine


@pytest.fixture
def server(tiny_study: Study, tmp_path: Path, change_silo) -> Iterator[str]:
    """`dagster dev` as `uml ui` starts it, on a study one of whose classes and texts is markup."""
    change_silo(tiny_study, "drawings", owner="ada@example.org")
    with (tiny_study.folder / "data" / "descriptions.csv").open("a") as file:
        file.write(f'"{EVIL}","{EVIL}"\n')
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(ROOT / "assets" / "dagster.yaml", home)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    program = str(Path(sys.executable).with_name("dagster"))
    env = os.environ | {"DAGSTER_HOME": str(home), "UML_STUDY": str(tiny_study.folder), "PYTHONPATH": str(ROOT)}
    with (
        (tmp_path / "dagster.log").open("wb") as log,
        subprocess.Popen(
            [program, "dev", "-m", "assets.definitions", "-p", str(port)], cwd=ROOT, env=env, stdout=log, stderr=log
        ) as process,
    ):
        try:
            yield _answering(f"http://127.0.0.1:{port}", process)
        finally:
            process.send_signal(signal.SIGTERM)  # it ends the servers that it started
            process.wait(60)


def _answering(address: str, process: subprocess.Popen) -> str:
    """The address, as soon as somebody is there."""
    while process.poll() is None:
        try:
            urlopen(f"{address}/server_info").close()
            return address
        except URLError:
            time.sleep(0.5)
    raise AssertionError("dagster dev ended")


@pytest.fixture
def page(chromium: Browser, server: str) -> Iterator[Page]:
    """A page that is at home on the server; what asks for anything elsewhere, or fails, ends up in `said`."""
    context = chromium.new_context(base_url=server, viewport={"width": 1500, "height": 860})
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.said = []
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.on("dialog", lambda dialog: page.said.append(dialog.message))
    page.on("console", lambda message: message.type == "error" and page.said.append(message.text))
    page.on("request", lambda request: request.url.startswith("https://example.org") and page.said.append(request.url))
    yield page
    context.close()


def seen(page: Page, words: str) -> None:
    """Wait until the words can be read; what is measured unseen has them, too."""
    page.get_by_text(words, exact=True).filter(visible=True).first.wait_for()


def look(page: Page, path: str, *told: str) -> None:
    """Open an asset's page and see what it must say."""
    page.goto(path)
    for words in told:
        seen(page, words)


def show(page: Page, key: str) -> None:
    """Open the picture that stands behind a link, beside its name."""
    page.get_by_role("row").filter(has=page.get_by_text(key, exact=True)).get_by_text("[Show Markdown]").click()
    picture = page.locator("img[src^='data:image/']").first
    picture.wait_for()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 200
    page.get_by_role("button", name="Close").click()


def make_everything(page: Page) -> None:
    """Press the button and wait for the end."""
    page.goto("/asset-groups")
    page.get_by_role("button", name="Materialize all").click()
    page.get_by_text("Launched run").filter(visible=True).first.wait_for()
    page.goto("/runs")
    ended = page.get_by_text("Success", exact=True).or_(page.get_by_text("Failure", exact=True)).first
    ended.wait_for(timeout=MINUTES)
    assert ended.inner_text() == "Success"


def look_at_silos(page: Page) -> None:
    """Owner, tags, pictures; and markup that stays text."""
    look(page, "/assets/silo/drawings", "ada@example.org", "uml/role: target", "samples a class")
    show(page, "samples")
    look(page, "/assets/silo/descriptions", "samples a class")
    assert page.get_by_text(EVIL).count() > 1  # as it stands, in the examples and in the table of classes
    assert page.locator("img[src=x], img[src*='example.org']").count() == 0
    look(page, "/assets/silo/descriptions?view=checks&checkDetail=sound", "Latest execution")
    page.get_by_text(EVIL).filter(visible=True).first.wait_for()  # a class that has no sample to test on


def look_at_what_came_of_them(page: Page) -> None:
    """Figures, the lineage as links, the decision."""
    look(page, "/assets/relevance/descriptions", "verdict")
    show(page, "figure")
    look(page, "/assets/trunk", "ships", "accuracy (%)")
    show(page, "learning curve")
    look(page, "/assets/model", "accuracy on the test split", "made from")
    page.get_by_role("link", name="features/drawings").click()
    page.wait_for_url("**/assets/features/drawings")
    seen(page, "numbers a sample")
    look(page, "/assets/champion?view=checks&checkDetail=not_worse", "Passed", "the first release")
    look(page, "/assets/champion", "history", "promoted")
    look(page, "/assets/report", "gains, 95% intervals")
    show(page, "figures")


def test_a_person_makes_everything_and_looks_at_it(page: Page, tmp_path: Path) -> None:
    make_everything(page)
    look_at_silos(page)
    look_at_what_came_of_them(page)
    assert page.said == []
    for name in ("asset-groups", "assets/model", "assets/champion", "assets/relevance/descriptions"):
        page.goto(f"/{name}")
        page.wait_for_load_state("networkidle")
        page.screenshot(path=tmp_path / f"{name.replace('/', '-')}.png")
