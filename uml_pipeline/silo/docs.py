"""Great Expectations' own HTML page about a silo, for those who want it beside our report."""

import json
from pathlib import Path
from typing import Any

from uml_pipeline.cache import FOLDER
from uml_pipeline.silo.manifest import read_whole
from uml_pipeline.silo.quality import measured
from uml_pipeline.silo.suite import report_on, suite
from uml_pipeline.study import Study


def write_docs(study: Study, name: str) -> Path:
    """Validate the silo's manifest again, and write `.uml/docs/<name>.html`.

    Raises:
        UserError: the silo's stage has not run yet.
    """
    config, table = study.silo(name), read_whole(study, name)
    classes = sorted(table["label"].dropna().unique())
    report = report_on(measured(table, config), suite(classes, config))
    page = study.folder / FOLDER / "docs" / f"{name}.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(_rendered(report), encoding="utf-8")
    return page


def _rendered(report: Any) -> str:
    from great_expectations.core import expectationSuiteValidationResultSchema
    from great_expectations.render.renderer import ValidationResultsPageRenderer
    from great_expectations.render.view import DefaultJinjaPageView

    plain = json.loads(json.dumps(report.to_json_dict()))  # its renderer knows no numbers of NumPy
    return DefaultJinjaPageView().render(
        ValidationResultsPageRenderer().render(expectationSuiteValidationResultSchema.load(plain))
    )
