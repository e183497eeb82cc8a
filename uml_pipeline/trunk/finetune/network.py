"""The network of UML's supervised form (UML, sec. 1.1): encoder, projection, one bias-free head for all modalities."""

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from uml_pipeline.trunk.finetune.encoding import Encoding, Prepared

TARGET = "target"
Inputs = Mapping[str, Prepared]
"""Samples by modality: `target`, and auxiliary silos by name. Of a frozen silo, one stack of features [n, d]."""


class Standard(nn.Module):
    """Unit vectors seen from a centre, as everywhere else here (learn/geometry.py): what all samples of a modality
    share is taken out, and no modality is louder than another.
    """

    centre: Tensor

    def __init__(self, centre: Tensor) -> None:
        super().__init__()
        self.register_buffer("centre", centre)

    def forward(self, x: Tensor) -> Tensor:
        """[n, dim] -> [n, dim]."""
        return normalize(normalize(x, dim=1) - self.centre, dim=1)


class SharedHead(nn.Module):
    """logits of the target = s_x W P f(x), of a silo = s_y W f(y), or s_y W A f(y) where it lies in another space; f
    is an encoder, with its vectors standardised where that is asked for.

    A silo in the target's own space goes through P as the target does: a bridge. Rows of W are the classes of all
    silos; each silo's logits are over the classes that it has.
    """

    def __init__(
        self,
        encoder: Encoding,
        width: int,
        classes: int,
        *,
        own: int,
        projected: bool,
        silos: "Mapping[str, Branch]",
        standard: nn.Module | None = None,
        scale: float = 1.0,
        learnable_scales: bool = True,
        uncertainty: bool = False,
    ) -> None:
        """`width` of the head; of its `classes` rows, the first `own` are the target's; `standard`: what is done to the
        target's vectors; `scale`: where the logit scales begin.
        """
        super().__init__()
        self.encoder, self.own = encoder, own
        self.standard = standard or nn.Identity()
        dim = encoder.encoder.dim
        self.projection = nn.Linear(dim, width, bias=False) if projected else nn.Identity()
        self.head = nn.Linear(width, classes, bias=False)
        self.branches = nn.ModuleDict({_key(name): branch for name, branch in silos.items()})
        names = [TARGET, *silos]
        self.scales = nn.ParameterDict(
            {_key(name): nn.Parameter(torch.tensor(scale), requires_grad=learnable_scales) for name in names}
        )
        self.log_variances = nn.ParameterDict(
            {_key(name): nn.Parameter(torch.zeros(())) for name in names if uncertainty}
        )

    def forward(self, inputs: Inputs, resting: bool = False) -> dict[str, Tensor]:
        """Logits by modality: [n, classes of the silo]. The target comes first, so that what it draws at random does
        not depend on the others. `resting`: the target's samples are features of its frozen encoder.
        """
        logits = {}
        for name in sorted(inputs, key=lambda one: one != TARGET):
            z = self._place(name, inputs[name], resting)
            logits[name] = self.scales[_key(name)] * (z @ self._rows(name).T)
        return logits

    def folded(self) -> Tensor:
        """The linear map from the target's vectors, standardised if so, to its logits, s_x W P: [own, dim]."""
        weight = self.head.weight[: self.own].double()
        if isinstance(self.projection, nn.Linear):
            weight = weight @ self.projection.weight.double()
        return (self.scales[_key(TARGET)].double() * weight).float()

    def branch(self, name: str) -> "Branch":
        """A silo's."""
        return cast(Branch, self.branches[_key(name)])

    def log_variance(self, name: str) -> Tensor | None:
        """Of the modality's loss, where losses are balanced by uncertainty."""
        return self.log_variances.get(_key(name))

    def _place(self, name: str, prepared: Prepared, resting: bool) -> Tensor:
        """Where samples lie before the head: [n, width]."""
        if name == TARGET:
            x = torch.cat(list(prepared)) if resting else self.encoder(prepared)
            return self.projection(self.standard(x))
        branch = self.branch(name)
        y = branch.standard(self.encoder(prepared) if branch.through_target else branch.encode(prepared))
        return self.projection(y) if branch.bridge else branch.adapter(y)

    def _rows(self, name: str) -> Tensor:
        """The head's rows of the modality's classes: [its classes, width]."""
        if name == TARGET:
            return self.head.weight[: self.own]
        known = self.branch(name).known
        return self.head.weight if known is None else self.head.weight[known]


class Branch(nn.Module):
    """What is a silo's own on the way to the shared head."""

    known: Tensor | None

    def __init__(
        self,
        *,
        known: Tensor | None,
        encoder: Encoding | None = None,
        standard: nn.Module | None = None,
        adapter: nn.Module | None = None,
        bridge: bool = False,
        through_target: bool = False,
    ) -> None:
        """`known`: rows of the head that the silo has samples of, absent: all; `encoder`: where it learns, absent: the
        silo's samples are features; `bridge`: it lies in the target's space; `through_target`: it is encoded by the
        target's encoder.
        """
        super().__init__()
        self.register_buffer("known", known, persistent=False)
        self.encoder, self.standard, self.adapter = encoder, standard or nn.Identity(), adapter or nn.Identity()
        self.bridge, self.through_target = bridge, through_target

    def encode(self, prepared: Prepared) -> Tensor:
        """[n, dim]."""
        return self.encoder(prepared) if self.encoder is not None else torch.cat(list(prepared))


def _key(name: str) -> str:
    """A name that no container of torch has as a method."""
    return f"of_{name}"
