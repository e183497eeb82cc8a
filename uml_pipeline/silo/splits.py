"""Train, validation and test: official, by whole groups, or stratified. Nothing here is drawn: hashes decide."""

import hashlib

import pandas as pd

from uml_pipeline.errors import UserError

SPLITS = ["train", "val", "test"]
_SHARE = 0.15  # of a class, for validation and for test each


def assign(table: pd.DataFrame, *, group: str | None) -> pd.Series:
    """`split` of every row of a manifest's good rows: train, val or test.

    An official split stays as it is. Else, where `group` names a column, one group is the test side and one the
    validation side. Else each class is split by the rank of its samples' hashes, so that added samples move few others
    and copies of a sample stay together.

    Raises:
        UserError: fewer than three groups.
    """
    if table["split"].notna().any():
        return table["split"]
    return _by_group(table["group"], group) if group else _stratified(table)


def _by_group(groups: pd.Series, column: str) -> pd.Series:
    names = sorted(groups.unique(), key=_rank)
    if len(names) < 3:
        raise UserError(
            f"column {column!r} has {len(names)} group(s); train, val and test need one each",
            where=f"groups: {', '.join(sorted(names))}",
            fix="remove `group` from params.yaml, or give the silo a `split` column",
        )
    return groups.map({names[0]: "test", names[1]: "val"}).fillna("train")


def _stratified(table: pd.DataFrame) -> pd.Series:
    sides: dict[tuple[str | None, str], str] = {}
    for label, ids in table["sample_id"].groupby(table["label"], dropna=False):
        ranked = sorted(set(ids), key=_rank)
        part = max(1, round(_SHARE * len(ranked)))
        test, val = (part, part) if len(ranked) >= 3 else (0, 0)  # a class too small to share is for training
        for place, one in enumerate(ranked):
            sides[label, one] = "test" if place < test else "val" if place < test + val else "train"
    keys = zip(table["label"], table["sample_id"], strict=True)
    return pd.Series([sides[key] for key in keys], index=table.index, dtype=object)


def _rank(name: str) -> str:
    """A fixed order that has nothing to do with the alphabet."""
    return hashlib.sha256(f"split:{name}".encode()).hexdigest()
