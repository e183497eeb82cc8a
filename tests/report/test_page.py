import re
from collections.abc import Callable
from html.parser import HTMLParser

from uml_pipeline.report import stage
from uml_pipeline.study import Study
from uml_pipeline.workspace import Workspace

Make = Callable[..., Study]
EVIL = "<script>alert(1)</script>"


class Tags(HTMLParser):
    """Every tag with its attributes, and whether all tags are closed in order."""

    void = frozenset({"meta", "br", "img"})

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


def test_needs_nothing_but_itself(make: Make) -> None:
    page = page_of(make())
    tags = Tags(page).tags
    assert not {"script", "link", "iframe", "object", "embed", "base"} & {tag for tag, _ in tags}
    targets = [
        value or "" for _, attrs in tags for name, value in attrs.items() if name in {"src", "href", "xlink:href"}
    ]
    assert targets
    assert all(target.startswith(("#", "data:image/png;base64,")) for target in targets)
    assert not re.search(r"url\((?!#)|@import", page)
    assert "default-src 'none'" in page


def test_is_well_formed_and_ids_are_unique(make: Make) -> None:
    parsed = Tags(page_of(make()))
    ids = [attrs["id"] for _, attrs in parsed.tags if "id" in attrs]
    assert parsed.open == []
    assert len(ids) == len(set(ids))


def test_names_and_texts_of_the_user_never_become_markup(make: Make) -> None:
    page = page_of(make(label=EVIL, text=f'"><img src=x onerror=alert(2)>{EVIL}'))
    assert EVIL not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert not any(name.startswith("on") for _, attrs in Tags(page).tags for name in attrs)


def test_says_first_that_it_helps_and_by_how_much(make: Make) -> None:
    page = page_of(make())
    assert page.index("UML helps.") < page.index("+2.7") < page.index("<h2")
    assert "95% interval +1.9 to +3.5" in page


def test_says_first_that_it_does_not_help(make: Make) -> None:
    page = page_of(make(lift=-2.7, noise=9))
    assert page.index("UML does not help here") < page.index("<h2")
    assert "What ships: “Unimodal probe”" in page
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
