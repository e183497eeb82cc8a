"""A look at a silo before anything runs: its samples are listed, not decoded."""

from collections import Counter
from dataclasses import dataclass

import pandas as pd

from uml_pipeline.errors import concerning
from uml_pipeline.progress import progress
from uml_pipeline.samples import open_container
from uml_pipeline.study import Study

SOME = 64


@dataclass(frozen=True)
class Look:
    """What is known of a silo without opening its samples."""

    labels: "pd.Series[str]"
    """Class of each sample, in the study's words; missing in a silo without labels."""
    bad: Counter[str]
    """What cannot be a sample, by reason."""
    some: list[str]
    """A few samples from all over the silo, by the container's names for them."""

    @property
    def classes(self) -> "pd.Series[int]":
        """Samples of each class, most first."""
        return self.labels.value_counts()


def look(study: Study, name: str) -> Look:
    """List one silo.

    Raises:
        UserError: nothing is there, it cannot be read, or a column that params.yaml names is missing.
    """
    config, content = study.silo(name), "text" if study.silo(name).modality == "text" else "path"
    labels, names, bad = list[str | None](), list[str](), Counter[str]()
    with concerning(f"silo {name!r}"), progress(f"listing {name}") as advance:
        for entry in open_container(config, study.folder).entries():
            advance(1)
            label = str(entry.get("label") or "") if config.label else None
            if wrong := entry.get("bad") or ("no label" if label == "" else None):
                bad[wrong] += 1
                continue
            labels.append(config.synonyms.get(label, label) if label else None)
            names.append(entry[content])
    return Look(pd.Series(labels, dtype=object), bad, names[:: max(1, len(names) // SOME)][:SOME])
