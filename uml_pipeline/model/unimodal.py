"""Load and use a shipped model: an encoder, perhaps a reader of its sequences, and one linear map. No study needed."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from uml_pipeline.errors import UserError
from uml_pipeline.extras import optional
from uml_pipeline.features.encoders import TRAINED
from uml_pipeline.learn.geometry import Array, standardise
from uml_pipeline.learn.sequence.config import READER, NetworkConfig
from uml_pipeline.model.estimator import Trained
from uml_pipeline.model.folder import opening
from uml_pipeline.model.inputs import samples_of
from uml_pipeline.model.parts import read_parts

if TYPE_CHECKING:
    from uml_pipeline.features.encoders import Encoder
    from uml_pipeline.learn.sequence.reader import Reader
    from uml_pipeline.samples import Sample
    from uml_pipeline.silo.config import Modality

_AT_ONCE = 256  # samples whose sequences are in memory together


class UnimodalModel(Trained):
    """A single-modality classifier: logits = weight @ standardise(encode(sample), centre); of a fine-tuned encoder,
    which learnt where its classes are, weight @ encode(sample); of self-supervised training, bias + weight @ the mean
    over the steps of what its reader makes of the encoder's sequence.

    `X` is a list, an array, a Series or a DataFrame of several samples. Images and audio: paths or contents of files;
    images: also PIL images and uint8 arrays [height, width, 3]; texts; rows of a table (a DataFrame, or dicts); series
    [step, channel]; vectors [d]. What is made of one sample does not depend on those beside it (of a reader: but for
    its last bits), and only a few are open at a time.
    """

    def __init__(self, folder: Path, config: dict[str, Any], labels: list[str], weights: dict[str, Array]) -> None:
        self.folder, self.config, self.labels = folder, config, labels
        self.weight = weights["weight"]  # [class, d]
        self.centre, self.bias = weights.get("centre"), weights.get("bias")  # [d], [class]
        self._reader = _reopened(config["reader"], weights) if "reader" in config else None
        self._trained = {
            name.removeprefix(TRAINED): value for name, value in weights.items() if name.startswith(TRAINED)
        }

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Open a shipped model: its folder, or a repository of the Hugging Face hub, `hf://user/name[@revision]`.

        Raises:
            UserError: it is no model folder, its files are not those that it was sealed with, or do not fit each other;
                or the hub does not give it.
        """
        from uml_pipeline.model.hub import fetched

        folder = fetched(path)
        parts = read_parts(folder)
        with opening(folder):
            return cls(folder, *parts)

    @property
    def modality(self) -> "Modality":
        """Of the samples that it reads."""
        return self.config["modality"]

    @property
    def classes_(self) -> NDArray[Any]:
        """The labels, in the order of probabilities: [class]."""
        return np.array(self.labels)

    @cached_property
    def encoder(self) -> "Encoder":
        """The encoder, loaded when first needed and checked against the recorded fingerprint."""
        from uml_pipeline.features import load_encoder

        with opening(self.folder), optional():
            encoder = load_encoder(self.config["encoder"], self.folder)
            if self._trained and encoder.net is not None:
                import torch

                encoder.net.load_state_dict({name: torch.from_numpy(value) for name, value in self._trained.items()})
        return encoder

    def features(self, samples: Sequence["Sample"]) -> Array:
        """What the linear map reads, but for its standardisation: [sample, d].

        Raises:
            UserError: a sample cannot be read.
        """
        with optional():
            if self._reader is None:
                return self.encoder.encode(samples)
            starts = range(0, len(samples), _AT_ONCE)
            parts = [self._read(self._reader, samples[start : start + _AT_ONCE]) for start in starts]
        return np.concatenate(parts) if parts else np.empty((0, self.weight.shape[1]), np.float32)

    def inputs(self, features: Array) -> Array:
        """What the linear map reads: [n, d] -> [n, d]."""
        return features if self.centre is None else standardise(features, self.centre)

    def logits(self, features: Array) -> Array:
        """Scores of what `features` gave: [n, d] -> [n, class]."""
        # not `@`: BLAS chooses its kernels, and with them a row's last bits, by how many rows there are
        scores = np.einsum("nd,cd->nc", self.inputs(features), self.weight)
        return scores if self.bias is None else scores + self.bias

    def transform(self, X: Any) -> Array:
        """Features: what the linear map reads, [sample, d].

        Raises:
            UserError: a sample cannot be read, or X is a single one.
        """
        return self.inputs(self.features(samples_of(X, self.modality)))

    def predict_proba(self, X: Any) -> Array:
        """Softmax over `classes_`: [sample, class].

        Raises:
            UserError: a sample cannot be read, or X is a single one, or the model's weights give no numbers.
        """
        logits = self.logits(self.features(samples_of(X, self.modality)))
        if not np.isfinite(logits).all():
            what, fix = "the model gives NaN or infinity", "remove such samples; if all are, make the model again"
            raise UserError(what, where=str(self.folder), fix=fix)
        shares = np.exp(logits - logits.max(1, keepdims=True))
        return shares / shares.sum(1, keepdims=True)

    def predict(self, X: Any) -> NDArray[Any]:
        """The most probable label of each sample: [sample].

        Raises:
            UserError: a sample cannot be read, or X is a single one.
        """
        return self.classes_[self.predict_proba(X).argmax(1)]

    def top(self, X: Any, k: int = 3) -> list[list[tuple[str, float]]]:
        """The `k` most probable labels of each sample with their probabilities, best first.

        Raises:
            UserError: a sample cannot be read, or X is a single one.
        """
        return self.best(self.predict_proba(X), k)

    def best(self, shares: Array, k: int) -> list[list[tuple[str, float]]]:
        """`top` of what `predict_proba` gave."""
        order = np.argsort(-shares, axis=1, kind="stable")[:, :k]
        return [[(self.labels[one], float(row[one])) for one in some] for row, some in zip(shares, order, strict=True)]

    def _read(self, reader: "Reader", samples: Sequence["Sample"]) -> Array:
        from uml_pipeline.features.steps import sequences
        from uml_pipeline.learn.sequence.reader import represent

        about = self.config["reader"]
        longest = NetworkConfig(**about["network"]).longest
        return represent(reader, sequences(self.encoder, samples, about["steps"], longest))


def _reopened(description: dict[str, Any], weights: dict[str, Array]) -> "Reader":
    import torch

    from uml_pipeline.learn.sequence.reader import reopen

    own = {name.removeprefix(READER): torch.from_numpy(one) for name, one in weights.items() if name.startswith(READER)}
    return reopen(description, own)
