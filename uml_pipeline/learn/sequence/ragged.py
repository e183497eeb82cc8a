"""Sequences of different lengths, of several runs at once, without padding: each run's steps one after the other."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_SHORTEST = 8  # steps: sequences up to it, to twice as many, four times as many … are padded together

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Bunch:
    """Sequences of similar length, padded to the longest of them. What a run has in it depends on no other run."""

    shares: tuple[tuple[int, int], ...]  # of each run: its sequences, and steps of the longest

    @property
    def count(self) -> int:
        """Sequences of all runs, a run's one after the other."""
        return sum(count for count, _ in self.shares)

    @property
    def longest(self) -> int:
        """Steps of the longest."""
        return max(longest for _, longest in self.shares)


@dataclass(frozen=True)
class Ragged:
    """A batch of each run. Layers that look at one step at a time compute on rows [run, step] as they are; attention
    pads in between. Runs have as many rows as the one with the most steps: behind their last step are tails, which
    reach no real step.
    """

    values: Tensor  # [run, step, d] of numbers, or [run, step] of tokens
    lengths: Tensor  # [run, sequence]; 0: the run has no such sequence
    owners: Tensor  # [run, step]: its sequence
    places: Tensor  # [run, step]: its place in it
    real: Tensor  # [run, step]: whether it is no tail
    bunches: tuple[Bunch, ...]
    rows: Tensor  # [slot]: row (of all runs') that stands at a place of the padded bunches
    slots: Tensor  # [row]: the other way round
    pads: Tensor  # slots that hold no step
    tails: Tensor  # rows that are no step

    @classmethod
    def of(cls, runs: Sequence[Sequence[Tensor]]) -> "Ragged":
        """From each run's sequences [step, d] or [step], none of them empty."""
        layout = _layout([np.array([len(one) for one in run], np.int64) for run in runs])
        steps, real = torch.cat([one for run in runs for one in run]), layout["real"]
        values = steps if len(steps) == real.numel() else steps.new_zeros(real.numel(), *steps.shape[1:])
        if values is not steps:
            values[real.flatten()] = steps
        return cls(values.unflatten(0, real.shape), **layout)

    def to(self, device: torch.device) -> "Ragged":
        """On a device."""
        if self.values.device == device:
            return self
        parts = {one.name: getattr(self, one.name) for one in fields(self)}
        moved: dict[str, Any] = {name: one.to(device) for name, one in parts.items() if isinstance(one, Tensor)}
        return replace(self, **moved)

    def pad(self, x: Tensor) -> list[Tensor]:
        """[run, step, d] -> of each bunch [sequence, longest, d]; behind a sequence's end is nothing that matters."""
        sizes = [bunch.count * bunch.longest for bunch in self.bunches]
        padded = _moved(x.flatten(0, 1), self.rows, self.slots, self.tails)
        parts = padded.split(sizes)
        return [one.unflatten(0, (bunch.count, -1)) for one, bunch in zip(parts, self.bunches, strict=True)]

    def unpad(self, parts: Sequence[Tensor]) -> Tensor:
        """What `pad` gave -> [run, step, d]."""
        padded = torch.cat([one.flatten(0, 1) for one in parts]) if len(parts) > 1 else parts[0].flatten(0, 1)
        return _moved(padded, self.slots, self.rows, self.pads).unflatten(0, self.real.shape)

    def mean(self, x: Tensor) -> Tensor:
        """Mean over each sequence's own steps: [run, step, d] -> [run, sequence, d]."""
        runs, most = self.lengths.shape
        owners = (self.owners + most * torch.arange(runs, device=x.device)[:, None]).flatten()
        sums = x.new_zeros(runs * most, x.shape[2]).index_add(0, owners, (x * self.real[:, :, None]).flatten(0, 1))
        return sums.unflatten(0, (runs, most)) / self.lengths.clamp(min=1)[:, :, None]


class _Move(torch.autograd.Function):
    """Rows to other places. Torch's own gradient would add them up one by one; here each comes from one place alone,
    or from none.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, there: Tensor, back: Tensor, lost: Tensor) -> Tensor:
        ctx.save_for_backward(back, lost)
        return x.index_select(0, there)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None, None]:
        back, lost = ctx.saved_tensors
        found = grad.index_select(0, back)
        return found.index_fill_(0, lost, 0), None, None, None


def _moved(x: Tensor, there: Tensor, back: Tensor, lost: Tensor) -> Tensor:
    """x[there], where `back` undoes it; rows `lost` of x go nowhere, or where nothing comes of it."""
    return _Move.apply(x, there, back, lost) if len(there) else x


def _layout(lengths: Sequence[Numbers]) -> dict[str, Any]:
    """All of a Ragged but its values, from each run's lengths."""
    table = np.zeros((len(lengths), max(map(len, lengths))), np.int64)
    for row, own in zip(table, lengths, strict=True):
        row[: len(own)] = own
    totals = table.sum(1)
    real = np.arange(totals.max()) < totals[:, None]
    run, sequence = np.nonzero(table)
    length = table[run, sequence]
    starts = run * real.shape[1] + (table.cumsum(1) - table)[run, sequence]
    places, owners = (np.zeros(real.size, np.int64) for _ in range(2))
    steps = np.flatnonzero(real)
    places[steps] = np.arange(len(steps)) - np.repeat(length.cumsum() - length, length)
    owners[steps] = np.repeat(sequence, length)
    bunches, rows, kept = _bunched(run, length, starts, len(lengths))
    slots = np.zeros(real.size, np.int64)
    slots[rows[kept]] = np.flatnonzero(kept)
    if np.array_equal(rows, np.arange(real.size)):
        rows = slots = rows[:0]  # all are of one length: nothing has to move
    arrays = {"lengths": table, "owners": owners.reshape(real.shape), "places": places.reshape(real.shape)}
    arrays |= {"real": real, "rows": rows, "slots": slots}
    arrays |= {"pads": np.flatnonzero(~kept), "tails": np.flatnonzero(~real)}
    return {"bunches": bunches, **{name: torch.from_numpy(one) for name, one in arrays.items()}}


def _bunched(run: Numbers, length: Numbers, starts: Numbers, runs: int) -> tuple[tuple[Bunch, ...], Numbers, Any]:
    """The bunches, the row of each of their slots (of a pad: that of the sequence's last step), and which are steps."""
    kinds = np.ceil(np.log2(np.maximum(length, _SHORTEST)) - 1e-9).astype(np.int64)
    bunches, rows, kept = [], [], []
    for kind in np.unique(kinds):
        members = np.flatnonzero(kinds == kind)
        own = length[members]
        counts, longest = np.bincount(run[members], minlength=runs), np.zeros(runs, np.int64)
        np.maximum.at(longest, run[members], own)
        bunches.append(Bunch(tuple(zip(counts.tolist(), longest.tolist(), strict=True))))
        place = np.arange(own.max())
        rows.append((starts[members, None] + np.minimum(place, own[:, None] - 1)).ravel())
        kept.append((place < own[:, None]).ravel())
    return tuple(bunches), np.concatenate(rows), np.concatenate(kept)
