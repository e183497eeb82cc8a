"""Train, validation, test and gate: official, by whole groups, or stratified. Nothing here is drawn: hashes decide."""

import hashlib

import numpy as np
import pandas as pd

from uml_pipeline.errors import UserError
from uml_pipeline.silo.manifest import GATE

SPLITS = ["train", "val", "test"]
_SHARE = 0.15  # of a class, or of the groups, for validation and for test each


def assign(table: pd.DataFrame, *, group: str | None, seed: int = 0, gate: float = 0) -> "pd.Series[str]":
    """`split` of every row of a manifest's good rows: train, val, test or gate.

    An official split stays as it is; the sides that it has not are taken out of its train side, where rows belong that
    it leaves out. Where `group` names a column, whole groups are taken. Else each class is split by the rank of its
    samples' hashes, so that added samples move few others and copies of a sample stay together. Another `seed`,
    another split.

    Unless there is an official gate, about the share `gate` of the train side goes there first. The sample's (or its
    group's) own hash alone decides that, so that none moves whatever is added, removed or seeded.

    Raises:
        UserError: too few groups.
    """
    split = table["split"].fillna("train")
    if GATE not in set(split):
        split[(split == "train") & (table["group" if group else "sample_id"].map(_chance) < gate)] = GATE
    wanted = [side for side in ("test", "val") if side not in set(split)]
    train = table[split == "train"]
    if wanted and len(train):
        found = _by_group(train["group"], group, wanted, seed) if group else _stratified(train, wanted, seed)
        split.loc[train.index] = found
    return split


def _by_group(groups: "pd.Series[str]", column: str, wanted: list[str], seed: int) -> "pd.Series[str]":
    names = sorted(groups.unique(), key=lambda name: _rank(name, seed))
    if len(names) <= len(wanted):
        raise UserError(
            f"column {column!r} has {len(names)} group(s); train, {' and '.join(wanted)} need one each",
            where=f"groups: {', '.join(sorted(names))}",
            fix="remove `group` from params.yaml, or give the silo a `split` column",
        )
    return groups.map(_sides(names, wanted))


def _stratified(table: pd.DataFrame, wanted: list[str], seed: int) -> "pd.Series[str]":
    ids, found = table["sample_id"].to_numpy(object), np.empty(len(table), object)
    for places in table.groupby("label", dropna=False).indices.values():
        side = _sides(sorted(set(ids[places]), key=lambda one: _rank(one, seed)), wanted)
        found[places] = [side[one] for one in ids[places]]
    return pd.Series(found, table.index, dtype="str")


def _sides(ranked: list[str], wanted: list[str]) -> dict[str, str]:
    """The first ones are for the first side wanted, and so on; of too few to share, all are for training."""
    part = max(1, round(_SHARE * len(ranked))) if len(ranked) > len(wanted) else 0
    taken = [side for side in wanted for _ in range(part)]
    return dict(zip(ranked, taken + ["train"] * (len(ranked) - len(taken)), strict=True))


def _chance(name: str) -> float:
    """A fixed number in [0, 1) that has nothing to do with the alphabet."""
    return int(hashlib.sha256(f"gate:{name}".encode()).hexdigest()[:8], 16) / 2**32


def _rank(name: str, seed: int) -> str:
    """A fixed order that has nothing to do with the alphabet."""
    return hashlib.sha256(f"split{seed or ''}:{name}".encode()).hexdigest()
