"""Stage `report`: writes down whether it is better, by how much, and how we know."""

from typing import Any

from uml_pipeline.report import evidence, figures, page, tracked
from uml_pipeline.report.evidence import Evidence
from uml_pipeline.report.facts import model_facts
from uml_pipeline.report.understanding.pictures import write_pictures
from uml_pipeline.report.understanding.understand import understand
from uml_pipeline.study import Study
from uml_pipeline.workspace import Workspace, write_json


def run(study: Study) -> None:
    """Write metrics.json, what DVC tracks, understanding.json, figures/*.svg, examples/*.jpg and index.html.

    Raises:
        UserError: a stage before this one has not run yet.
    """
    found, facts, understood = evidence.read(study), model_facts(study), understand(study)
    drawn = figures.draw(found, understood)
    with Workspace(study.folder).writing("report") as folder:
        write_json(folder / "metrics.json", metrics(found))
        tracked.write(found, folder)
        write_json(folder / "understanding.json", understood)
        write_pictures(study, understood["moved"], folder / "examples")
        (folder / "figures").mkdir()
        for name, svg in drawn.items():
            (folder / "figures" / f"{name}.svg").write_text(svg, encoding="utf-8")
        pictures = {path.stem: path for path in folder.glob("examples/*.jpg")}
        html = page.render(found, facts, drawn, understood, pictures)
        (folder / "index.html").write_text(html, encoding="utf-8")


def metrics(found: Evidence) -> dict[str, Any]:
    """All numbers, for machines; accuracies in percent, gains in percentage points."""
    return {
        "runs": [run.model_dump() for run in found.trunk.runs],
        "gains": [gain.model_dump() for gain in found.trunk.gains],
        "verdicts": [verdict.model_dump(include={"silo", "verdict", "p_value"}) for verdict in found.verdicts],
        "ships": found.trunk.ships.method,
    }
