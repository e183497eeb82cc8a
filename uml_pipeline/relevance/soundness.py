"""Is an auxiliary silo sound? Everything that is looked for, in words, numbers and a table of suspicious samples."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import pandas as pd

from uml_pipeline.learn.geometry import Array
from uml_pipeline.relevance.contributions import contributions
from uml_pipeline.relevance.copied import Copied, copied
from uml_pipeline.relevance.exchanges import exchanges
from uml_pipeline.relevance.geometry import Agreement
from uml_pipeline.relevance.labels import LabelNoise, label_noise
from uml_pipeline.relevance.shift import shift
from uml_pipeline.relevance.texts import TextQuality, text_quality

SHOWN = 20  # suspicious samples that a verdict keeps; the table has all
COLUMNS = ["sample_id", "class", "text", "reason", "looks", "score"]
_DOUBTFUL = ["target's name", "other looks", "other name", "elsewhere"]
"""Of other reasons a sample teaches little, but right."""


class Finding(Protocol):
    """One thing that was looked for."""

    @property
    def alarming(self) -> bool:
        """Whether it is reason enough to look at the silo before it is used."""

    def reasons(self) -> list[str]:
        """What a person should know about it."""

    def evidence(self) -> dict[str, Any]:
        """What a verdict keeps."""


@dataclass(frozen=True, eq=False)
class Soundness:
    """What was found, the gravest first."""

    findings: Sequence[Finding]
    suspicious: pd.DataFrame
    """One row a finding about a sample: COLUMNS; a silo without texts has none in `text`."""

    @property
    def alarming(self) -> bool:
        """Whether one of them is reason enough to look at the silo before it is used."""
        return any(one.alarming for one in self.findings)

    def reasons(self) -> list[str]:
        """What a person should know about the silo; nothing where it is sound."""
        return [said for one in self.findings for said in one.reasons()]

    def aside(self, policy: Literal["keep", "drop"]) -> set[str]:
        """Ids of samples that are not to be learnt from: those that probably teach the wrong thing."""
        doubtful = self.suspicious["reason"].isin(_DOUBTFUL)
        return set(self.suspicious.loc[doubtful, "sample_id"]) if policy == "drop" else set()

    def evidence(self) -> dict[str, Any]:
        """What a verdict keeps: JSON."""
        kept: dict[str, Any] = {"alarming": [type(one).__name__ for one in self.findings if one.alarming]}
        for one in self.findings:
            kept |= one.evidence()
        shown = self.suspicious.head(SHOWN).astype(object)
        rows = shown.where(shown.notna(), None).to_dict("records")
        return kept | {"suspicious": {"samples": int(self.suspicious["sample_id"].nunique()), "first": rows}}


def write_suspicious(table: pd.DataFrame, path: Path) -> None:
    """Write the table as Parquet, with the same types whatever it holds."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, pa.float64() if name == "score" else pa.string()) for name in COLUMNS])
    pq.write_table(pa.Table.from_pandas(table, schema, preserve_index=False), path)


def examine(
    target: pd.DataFrame,
    seen: tuple[pd.Series, Array],
    silo: tuple[pd.DataFrame, Array],
    found: Agreement,
    *,
    same_space: bool,
    permutations: int,
    alpha: float,
) -> Soundness:
    """Look at one silo.

    Args:
        target: the target's whole manifest; of its test samples, names and ids alone are read.
        seen: labels [n] and features [n, d] of the target, its test split left out.
        silo: the silo's manifest and features.
        found: how the two arrange their shared classes.
        same_space: whether one encoder made both features.
        permutations: behind each p-value of a class.
        alpha: that of the verdict; below it, classes count as arranged alike.
    """
    rows, x = silo
    rows = rows.reset_index(drop=True)
    once = ~rows.duplicated(["sample_id", "label"])  # a copy would speak for its own label
    copies = copied(target, rows)
    if copies.mostly_names:
        return Soundness([copies], _suspicious(rows, copies, None, None))
    noise = label_noise(rows.loc[once, "label"], x[once.to_numpy()])
    texts = text_quality(rows["text"], rows["label"]) if "text" in rows else None
    geometry = found.geometry if _agree(found, alpha) else None  # names cannot be wrong where nothing agrees
    findings: list[Finding | None] = [
        copies,
        noise,
        exchanges(geometry) if geometry else None,
        texts,
        shift(seen, (rows["label"], x)) if same_space else None,
        contributions(geometry, permutations, alpha) if geometry else None,
    ]
    return Soundness([one for one in findings if one is not None], _suspicious(rows, copies, noise, texts))


def _agree(found: Agreement, alpha: float) -> bool:
    return any(test is not None and test.p_value < alpha for test in (found.test, found.cka))


def _suspicious(
    rows: pd.DataFrame, copies: Copied, noise: LabelNoise | None, texts: TextQuality | None
) -> pd.DataFrame:
    """All samples that something is said about, with it."""
    parts = [pd.DataFrame({"reason": "target's name", "looks": copies.names, "score": 1.0})]
    if noise is not None:
        parts.append(noise.suspicious.assign(reason="other looks"))
    if texts is not None:
        parts.append(texts.suspicious)
    table = pd.concat([part for part in parts if len(part)] or parts[:1])
    about = rows.loc[table.index]
    known = {"sample_id": about["sample_id"], "class": about["label"], "text": about.get("text")}
    return table.assign(**known)[COLUMNS].reset_index(drop=True)
