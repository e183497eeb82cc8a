"""State on disk: any nesting of tensors and plain values as one safetensors file, whole or not there. No pickle."""

import json
import os
from pathlib import Path
from typing import Any

from torch import Tensor

from uml_pipeline.errors import UserError

_TENSOR, _TREE = "$tensor", "tree"


def save(path: Path, state: dict[str, Any]) -> None:
    """Write `state` (dicts with string keys, lists, tensors, JSON values) so that a kill leaves the old file or the
    new one, never half of it.
    """
    from safetensors.torch import save_file

    tensors: dict[str, Tensor] = {}
    tree = _split(state, "", tensors)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    save_file(tensors, draft, metadata={_TREE: json.dumps(tree)})
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    draft.replace(path)


def load(path: Path) -> dict[str, Any]:
    """What `save` wrote; tensors on the CPU.

    Raises:
        UserError: the file is damaged.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
            return _join(json.loads(file.metadata()[_TREE]), tensors)
    except (SafetensorError, TypeError, KeyError, ValueError) as error:
        fix = "remove that file: training begins anew"
        raise UserError("a checkpoint is damaged", where=f"{path}: {error}", fix=fix) from None


def _split(value: Any, at: str, tensors: dict[str, Tensor]) -> Any:
    """`value` with each tensor replaced by its name in `tensors`."""
    if isinstance(value, Tensor):
        tensors[at] = value.detach().cpu().contiguous().clone()  # two names may share one memory
        return {_TENSOR: at}
    if isinstance(value, dict):
        return {str(key): _split(one, f"{at}/{key}", tensors) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_split(one, f"{at}/{place}", tensors) for place, one in enumerate(value)]
    return value


def _join(tree: Any, tensors: dict[str, Tensor]) -> Any:
    if isinstance(tree, dict):
        if _TENSOR in tree:
            return tensors[tree[_TENSOR]]
        return {key: _join(one, tensors) for key, one in tree.items()}
    return [_join(one, tensors) for one in tree] if isinstance(tree, list) else tree
