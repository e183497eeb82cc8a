"""Networks with a tower for texts and one for images or sounds, whose vectors share a space: CLIP, SigLIP, CLAP."""

from typing import Any

from uml_pipeline.features.encoders import digest
from uml_pipeline.features.hub_loading import Checkpoint
from uml_pipeline.features.torch_images import state_bytes

_PARTS = {
    "text": {"text_model", "text_projection"},
    "image": {"vision_model", "visual_projection"},
    "audio": {"audio_model", "audio_projection"},
}
_TO_COMPARE = {"logit_scale", "logit_bias", "logit_scale_a", "logit_scale_t"}
KINDS = {"clip": {"text", "image"}, "siglip": {"text", "image"}, "clap": {"text", "audio"}}
"""By `model_type` of the configuration: the modalities that it reads."""


def tower(checkpoint: Checkpoint, modality: str) -> Any:
    """The network with the tower for `modality` alone. `space` in its configuration is a digest of both towers; an
    exported one keeps it.

    Raises:
        ValueError: it has no such tower, or weights are missing.
    """
    kind = checkpoint.config.model_type
    if modality not in KINDS[kind]:
        raise ValueError(f"{kind} does not read {modality}s")
    rest = set().union(*(parts for name, parts in _PARTS.items() if name != modality), _TO_COMPARE)
    space = getattr(checkpoint.config, "space", None)
    if space is not None:
        return checkpoint.network(without=sorted(rest))
    net = checkpoint.network()
    net.config.space = digest([kind.encode(), *state_bytes(net.state_dict())])
    for name in rest & {*net._modules, *net._parameters}:
        setattr(net, name, None)
    return net
