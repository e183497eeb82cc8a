import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import pairwise

from tests.report.understood import understood, written_page
from uml_pipeline.report import bundle, stage
from uml_pipeline.study import Study
from uml_pipeline.workspace import Workspace

Make = Callable[..., Study]
EVIL = "</script><img src=x onerror=alert(1)>"


class Tags(HTMLParser):
    """Every tag with its attributes, and whether all tags are closed in order."""

    void = frozenset({"meta", "br", "img", "input"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.void:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def page_of(study: Study) -> str:
    stage.run(study)
    return (Workspace(study.folder).reading("report") / "index.html").read_text(encoding="utf-8")


def without_scripts(page: str) -> str:
    return re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)


def test_needs_nothing_but_itself(make: Make) -> None:
    page = without_scripts(written_page(make(), understood()))
    tags = Tags(page).tags
    assert not {"link", "iframe", "object", "embed", "base"} & {tag for tag, _ in tags}
    assert [attrs for tag, attrs in tags if tag == "script"] == [{"type": "application/json", "id": "live-figures"}]
    targets = [
        value or "" for _, attrs in tags for name, value in attrs.items() if name in {"src", "href", "xlink:href"}
    ]
    assert targets
    assert all(target.startswith(("#", "data:image/png;base64,")) for target in targets)
    assert not re.search(r"url\((?!#)|@import", page)
    assert {"http-equiv": "Content-Security-Policy", "content": bundle.policy()} in [attrs for _, attrs in tags]


def test_is_well_formed_and_ids_are_unique(make: Make) -> None:
    parsed = Tags(without_scripts(written_page(make(), understood())))
    ids = [attrs["id"] for _, attrs in parsed.tags if "id" in attrs]
    assert parsed.open == []
    assert len(ids) == len(set(ids))


def test_names_and_texts_of_the_user_never_become_markup(make: Make) -> None:
    study = make(label=EVIL, text=f'"><img src=x onerror=alert(2)>{EVIL}')
    page = without_scripts(written_page(study, understood(EVIL)))
    assert EVIL not in page
    assert "<img src=x" not in page
    assert "&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;" in page
    assert not any(name.startswith("on") for _, attrs in Tags(page).tags for name in attrs)


def test_says_first_that_it_helps_and_by_how_much(make: Make) -> None:
    page = page_of(make())
    assert page.index("UML helps.") < page.index("+2.7") < page.index("<h2")
    assert "95% interval +1.9 to +3.5" in page


def test_says_first_that_it_does_not_help(make: Make) -> None:
    page = page_of(make(lift=-2.7, noise=9))
    assert page.index("UML does not help here") < page.index("<h2")
    assert "ships: “Unimodal probe”" in page
    assert "UML helps" not in page


def test_tells_of_the_model_what_a_reader_asks_for(make: Make) -> None:
    page = page_of(make())
    for name, value in {"encoder": "builtin/emoji", "features": "384", "trained on": "1655 labelled samples"}.items():
        assert f"<dt>{name}</dt><dd>{value}</dd>" in page
    assert "a column" not in page  # what the encoder learnt of each would fill the page


def test_names_the_samples_that_were_set_aside(make: Make) -> None:
    assert "2 set aside: unreadable image (cat.png, …)" in page_of(make())


def test_has_the_parts_a_reader_needs(make: Make) -> None:
    page = page_of(make(label="class-1"))
    for part in ("class-1", "data:image/png", "uml predict artifacts/model FILE", "dvc repro", "silo@drawings"):
        assert part in page


def test_headings_are_in_order(make: Make) -> None:
    tags = [tag for tag, _ in Tags(without_scripts(written_page(make(), understood()))).tags]
    levels = [int(tag[1]) for tag in tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_tables_and_pictures_are_named(make: Make) -> None:
    tags = Tags(without_scripts(written_page(make(), understood()))).tags
    assert all(attrs.get("scope") for tag, attrs in tags if tag == "th")
    assert all(attrs.get("alt") for tag, attrs in tags if tag == "img")
    assert all(attrs.get("aria-label") for _, attrs in tags if attrs.get("role") in {"img", "group"})


def test_parts_come_in_the_order_of_a_reader(make: Make) -> None:
    places = re.findall(r'<h2 id="(\w+)"', page_of(make()))
    assert places == [
        *("data", "relevance", "accuracy", "gain", "exchange"),
        *("classes", "why", "robustness", "model", "lineage"),
    ]


def test_suspicious_samples_are_shown_and_counted(make: Make) -> None:
    page = page_of(make())
    assert "40 suspicious samples" in page
    assert "names another class and not its own: still" in page
    assert "artifacts/relevance/descriptions-suspicious.parquet" in page


def test_many_reasons_are_folded(make: Make) -> None:
    study = make()
    path = study.folder / "artifacts/relevance/scrambled.json"
    verdict = json.loads(path.read_text())
    path.write_text(json.dumps(verdict | {"reasons": [f"reason {number}" for number in range(330)]}))
    assert "<summary>324 more</summary>" in page_of(study)


def test_older_verdicts_without_soundness_are_shown(make: Make) -> None:
    study = make()
    for name in study.auxiliary:
        path = study.folder / f"artifacts/relevance/{name}.json"
        verdict = json.loads(path.read_text())
        del verdict["soundness"]
        path.write_text(json.dumps(verdict))
    assert "suspicious sample" not in without_scripts(page_of(study))
