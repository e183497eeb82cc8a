"""Audio encoders of Hugging Face transformers: AST, CLAP, HuBERT, wav2vec 2.0, WavLM, Whisper."""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from torch import Tensor

from uml_pipeline.features import two_towers
from uml_pipeline.features.audio_towers import TOWERS
from uml_pipeline.features.encoders import Encoder, Spec, digest
from uml_pipeline.features.hub_loading import EXPORTED, Checkpoint, opened, recipe
from uml_pipeline.features.torch_images import state_bytes
from uml_pipeline.samples import Sample
from uml_pipeline.samples.audio import read_at


class AudioHubEncoder(Encoder):
    """`transformers/<name or folder>[?revision=...]`: a clip's vector as TOWERS says, on what the network's own feature
    extractor makes of it; safetensors weights only, and never remote code.
    """

    modality = "audio"
    net: Any

    def __init__(self, spec: Spec) -> None:
        """Load from a folder, or by its name from the hub (or the hub's local cache).

        Raises:
            UserError: neither is possible, or it is another kind of network.
        """
        self.name = spec.name
        spec.chosen("revision")
        self.net, self._extractor = _load(spec)
        self._tower = TOWERS[self.net.config.model_type](self.net, self._extractor)
        self.dim = self._tower.dim
        words = [b"audio 1", *recipe(self.net), self._extractor.to_json_string().encode()]
        self.fingerprint = digest(chain(words, state_bytes(self.net.state_dict())))
        self.space = getattr(self.net.config, "space", self.fingerprint)  # CLAP's has texts, too

    def prepare(self, samples: Sequence[Sample]) -> list[Tensor]:
        """See Encoder."""
        return [self._tower.prepare(read_at(sample, self._extractor.sampling_rate)) for sample in samples]

    def size(self, shape: tuple[int, ...]) -> int:
        """See Encoder."""
        return self._tower.batch

    def compute(self, batch: Tensor) -> Tensor:
        """See Encoder."""
        return self._tower.compute(self.net, batch)

    def export(self, folder: Path) -> None:
        """Write network and feature extractor into `folder`/encoder."""
        self.net.save_pretrained(folder / EXPORTED)
        self._extractor.save_pretrained(folder / EXPORTED)


def _load(spec: Spec) -> tuple[Any, Any]:
    """Network and feature extractor, ready to infer."""
    from transformers import AutoFeatureExtractor

    with opened(spec, "audio", TOWERS) as found:
        return _network(found), AutoFeatureExtractor.from_pretrained(found.source, **found.options)


def _network(found: Checkpoint) -> Any:
    """Of Whisper and CLAP, what hears alone: nobody needs to ship the rest."""
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

    if found.config.model_type in two_towers.KINDS:
        return two_towers.tower(found, "audio")
    if found.config.architectures == [WhisperEncoder.__name__]:
        return found.network(WhisperEncoder)
    net = found.network()
    return net.get_encoder() if found.config.model_type == "whisper" else net
