"""Networks of Hugging Face transformers: from a folder or the hub, one commit, safetensors only, never remote code."""

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from uml_pipeline.errors import UserError
from uml_pipeline.features.encoders import Spec
from uml_pipeline.features.hub_reach import impatient

EXPORTED = "encoder"  # subfolder of a shipped model
_NOT_THE_NETWORK = {"architectures", "dtype", "transformers_version"}  # keys of a configuration
_ONLY_IN_TRAINING = "masked_spec_embed"  # many published checkpoints lack it


@dataclass(frozen=True)
class Checkpoint:
    """Where a network lies, and its configuration."""

    source: Path | str
    options: dict[str, Any]
    """For every `from_pretrained`."""
    config: Any

    def network(self, kind: Any = None, without: Sequence[str] = ()) -> Any:
        """The network, ready to infer, as AutoModel or another class loads it. Its direct children `without` are taken
        out; the checkpoint may lack them. `hub_revision` in its configuration is the commit that it came from; an
        exported one keeps it.

        Raises:
            ValueError: the checkpoint lacks other weights.
        """
        from transformers import AutoModel

        net, report = (kind or AutoModel).from_pretrained(
            self.source, **self.options, use_safetensors=True, dtype=torch.float32, output_loading_info=True
        )
        for name in report["missing_keys"]:
            if name.endswith(_ONLY_IN_TRAINING):
                torch.nn.init.zeros_(net.get_parameter(name))  # transformers draws it at random
            elif name.partition(".")[0] not in without:
                raise ValueError(f"the checkpoint lacks {name}")
        for name in without:
            if hasattr(net, name):
                setattr(net, name, None)
        net.config.hub_revision = self.options["revision"] or getattr(self.config, "hub_revision", None)
        return net.eval()


@contextmanager
def opened(spec: Spec, what: str, kinds: Collection[str] | None = None) -> Iterator[Checkpoint]:
    """The checkpoint that `spec` names; `what` it is, in a word. What fails inside is the user's error.

    Raises:
        UserError: there is none, or it is damaged, or of none of the `kinds` (`model_type` of the configuration).
    """
    from safetensors import SafetensorError
    from transformers import AutoConfig
    from transformers.utils import cached_file, extract_commit_hash, logging

    _quiet(logging)
    local = spec.folder / (EXPORTED if spec.exported else spec.rest)
    source, revision = (local, None) if local.is_dir() else (spec.rest, spec.options.get("revision"))
    instead = "download it and give its folder: `transformers/<folder>`"
    try:
        with nullcontext() if local.is_dir() else impatient(f"{what} model {str(source)!r}", instead):
            if not local.is_dir():  # all files of one state of the repository, whatever is pushed meanwhile
                revision = extract_commit_hash(cached_file(source, "config.json", revision=revision), None)
            options = {"revision": revision, "trust_remote_code": False}
            config = AutoConfig.from_pretrained(source, **options)
            if kinds is not None and config.model_type not in kinds:
                fix = f"use one of these kinds: {', '.join(kinds)}"
                raise UserError(f"{config.model_type!r} is no {what} network known here", where=str(source), fix=fix)
            yield Checkpoint(source, options, config)
    except (ImportError, OSError, RuntimeError, SafetensorError, ValueError) as error:
        raise UserError(
            f"{what} model {str(source)!r} cannot be loaded",
            where=(str(error) or repr(error)).strip().splitlines()[0],
            fix=f"check its name, or {instead}",
        ) from None


def _quiet(logging: Any) -> None:
    """No bar for weights that are read, and no report of those that are missing: we check them. Bars of downloads stay,
    on a terminal.
    """
    from huggingface_hub.utils import are_progress_bars_disabled, enable_progress_bars

    shown = not are_progress_bars_disabled()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    if shown:
        enable_progress_bars()


def recipe(net: Any) -> list[bytes]:
    """The network and its revision in words and numbers, for a fingerprint."""
    config = json.loads(net.config.to_json_string())
    config = {key: value for key, value in config.items() if key not in _NOT_THE_NETWORK}
    return [type(net).__name__.encode(), json.dumps(config, sort_keys=True).encode()]
