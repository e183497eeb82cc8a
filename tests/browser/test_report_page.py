"""The report page as its readers have it: in a browser, on a phone, in the dark, on paper."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
EVIL = "</script><img src=x onerror=alert(1)>"
CURVE = ".live[data-figure=learning_curve]"
WORST_CONTRAST = """() => {
    const parts = (colour) => (colour.match(/[\\d.]+/g) || []).map(Number);
    const luminance = ([r, g, b]) => [r, g, b].map((v) => v / 255)
        .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
        .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
    const behind = (node) => {
        for (let at = node; at; at = at.parentElement) {
            const colour = parts(getComputedStyle(at).backgroundColor);
            if (colour.length === 3 || colour[3] === 1) return colour;
        }
        return [255, 255, 255];
    };
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    let worst = [99, "", 0], count = 0;
    while (walk.nextNode()) {
        const text = walk.currentNode.data.trim(), node = walk.currentNode.parentElement;
        if (!text || node.closest("script, style") || !node.checkVisibility()) continue;
        const style = getComputedStyle(node), ink = parts(node.closest("svg") ? style.fill : style.color);
        const [light, dark] = [luminance(ink), luminance(behind(node))].sort((a, b) => b - a);
        const ratio = (light + 0.05) / (dark + 0.05);
        count += 1;
        if (ratio < worst[0]) worst = [ratio, text.slice(0, 60)];
    }
    return [...worst, count];
}"""


def test_reads_the_verdict_first(visit, report: Path) -> None:
    page = visit(report).page
    assert page.locator("h1").inner_text() == "UML helps."
    assert page.locator(".numbers").inner_text().startswith("+2.7 points with 1 labelled sample a class, 95% interval")
    assert page.locator("h1").bounding_box()["y"] < 200


def test_an_arm_is_switched_on_and_says_its_numbers(visit, report: Path) -> None:
    page = visit(report).page
    colour = f"document.querySelector('{CURVE}').data.find((one) => one.meta === 'uml_init').line.color"
    grey = page.evaluate(colour)
    box = page.get_by_label("UML, text start")
    assert not box.is_checked()
    box.focus()
    page.keyboard.press("Space")
    assert box.is_checked()
    assert page.evaluate(colour) != grey
    page.locator(f"{CURVE} .points path").last.hover(force=True)
    said = page.locator(f"{CURVE} .hovertext").text_content()
    assert "4 shots: " in said
    assert "over 24 splits" in said


@pytest.mark.parametrize("figure", ["exchange_descriptions", "confusions"])
def test_the_other_figures_answer_too(visit, report: Path, figure: str) -> None:
    page = visit(report).page
    page.locator(f".live[data-figure={figure}] .points path").last.hover(force=True)
    said = page.locator(f".live[data-figure={figure}] .hovertext").text_content()
    assert {"exchange_descriptions": "measured", "confusions": "with auxiliary silos: "}[figure] in said


def test_nothing_is_fetched_and_nothing_complains(visit, report: Path) -> None:
    seen = visit(report, offline=True)
    seen.page.get_by_label("Logistic regression").check()
    for summary in seen.page.locator("summary").all():
        summary.click()
    assert [url for url in seen.asked if not url.startswith("data:")] == [report.as_uri()]
    assert seen.said == []


def test_the_policy_stops_what_would_fetch_or_run(visit, report: Path) -> None:
    broken = visit(report).page.evaluate("""async () => {
        const broken = [];
        document.addEventListener("securitypolicyviolation", (event) => broken.push(event.effectiveDirective));
        await fetch("https://example.org/").catch(() => {});
        document.body.insertAdjacentHTML("beforeend", "<img src='https://example.org/x.png' onerror='alert(1)'>");
        document.body.append(Object.assign(document.createElement("script"), { textContent: "alert(1)" }));
        await new Promise((done) => setTimeout(done, 200));
        return broken;
    }""")
    assert {"connect-src", "img-src", "script-src-elem"} <= set(broken)


def test_a_hostile_label_is_text(visit, page_file) -> None:
    seen = visit(page_file(EVIL))
    page = seen.page
    assert page.locator("img[src=x]").count() == 0
    page.locator(".live[data-figure=confusions] .points path").last.hover(force=True)
    assert EVIL in page.locator(".live[data-figure=confusions] .hovertext").text_content()
    assert page.get_by_label(EVIL).count() == 1
    assert seen.said == []


@pytest.mark.parametrize("width", [320, 390])
def test_on_a_phone_the_page_does_not_scroll_sideways(visit, report: Path, width: int) -> None:
    page = visit(report, viewport={"width": width, "height": 844}, has_touch=True, is_mobile=True).page
    for summary in page.locator("summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_stands_out(visit, report: Path, scheme: str) -> None:
    ratio, text, count = visit(report, color_scheme=scheme).page.evaluate(WORST_CONTRAST)
    assert count > 200
    assert ratio >= 4.5, text


def test_figures_follow_the_scheme_while_the_page_is_open(visit, report: Path) -> None:
    page = visit(report, color_scheme="light").page
    ink = f"getComputedStyle(document.querySelector('{CURVE} .xtick text')).fill"
    light = page.evaluate(ink)
    page.emulate_media(color_scheme="dark")
    for _ in range(100):  # the page's policy forbids what `wait_for_function` polls with
        if page.evaluate(ink) != light:
            break
        page.wait_for_timeout(50)
    assert page.evaluate(ink) != light
    ratio, text, _ = page.evaluate(WORST_CONTRAST)
    assert ratio >= 4.5, text


def test_paper_gets_the_still_figures(visit, report: Path) -> None:
    page = visit(report, color_scheme="dark").page
    still = page.locator(".twin").first
    assert page.locator(CURVE).is_visible()
    assert not still.is_visible()
    page.emulate_media(media="print")
    assert still.is_visible()
    assert not page.locator(CURVE).is_visible()
    assert not page.locator("nav").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.pdf().startswith(b"%PDF")


def test_without_scripts_the_still_figures_are_there(visit, report: Path) -> None:
    page = visit(report, java_script_enabled=False).page
    assert page.locator(".twin").count() == 3
    assert all(one.is_visible() for one in page.locator(".twin").all())
    assert not page.locator(".arms").is_visible()


def test_the_keyboard_comes_to_the_verdict_first(visit, report: Path) -> None:
    page = visit(report).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the verdict"
    page.keyboard.press("Enter")
    assert page.url.endswith("#verdict")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('nav') !== null")
