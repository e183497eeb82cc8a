"""The peers' way to learn without labels: torch's encoder layers, two data loaders, padding; one run after the other.

As the paper's released code does it (UML, sec. 2), but for its mistakes: here, too, padding counts neither in the loss
nor in the mean, so that both compute the same.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader

from uml_pipeline.learn.engine.config import EngineConfig
from uml_pipeline.learn.engine.optimizer import plain_groups
from uml_pipeline.learn.engine.schedule import factor
from uml_pipeline.learn.sequence.config import NetworkConfig
from uml_pipeline.learn.sequence.network import SharedNetwork
from uml_pipeline.learn.sequence.task import Source
from uml_pipeline.learn.sequence.transformer import Sinusoidal

Padded = tuple[Tensor, Tensor]  # sequences [sequence, longest, d], lengths [sequence]


class Plain(nn.Module):
    """The network of our runs with torch's layers; it starts where `ours`, a run alone, stands."""

    def __init__(self, config: NetworkConfig, ours: SharedNetwork) -> None:
        super().__init__()
        self.names = ours.names
        ways = {name: ours.modality(name) for name in self.names}
        self.centre = {name: (one.entrance.mean[0], one.entrance.std[0]) for name, one in ways.items()}
        self.inward = nn.ModuleDict({name: _linear(one.entrance.inward) for name, one in ways.items()})
        self.outward = nn.ModuleDict({name: _linear(one.decoder) for name, one in ways.items()})
        self.mix = nn.Conv1d(config.width, config.width, 1, bias=False)
        self.positions = Sinusoidal(config.longest, config.width)
        self.dropout = nn.Dropout(config.dropout)
        layer = nn.TransformerEncoderLayer(
            config.width, config.heads, config.hidden, config.dropout, batch_first=True, norm_first=False
        )
        self.encoder = nn.TransformerEncoder(layer, config.layers, enable_nested_tensor=False)
        with torch.no_grad():
            self.mix.weight.copy_(ours.shared.mix.weight[0, :, :, None])
            for theirs, block in zip(self.encoder.layers, ours.shared.blocks, strict=True):
                theirs.load_state_dict(_layer(block.state_dict()))

    def encode(self, name: str, x: Tensor) -> tuple[Tensor, Tensor]:
        """Standardised steps, and the outputs: [sequence, longest, d], [sequence, longest, width]."""
        mean, std = self.centre[name]
        x = (x - mean) / std
        z = self.mix(self.inward[name](x).transpose(1, 2)).transpose(1, 2)
        z = self.dropout(z + self.positions(torch.arange(z.shape[1])))
        mask = nn.Transformer.generate_square_subsequent_mask(z.shape[1])
        return x, self.encoder(z, mask=mask, is_causal=True)

    def loss(self, name: str, batch: Padded) -> Tensor:
        """Mean over the sequences of the mean square over each one's own terms."""
        padded, lengths = batch
        x, z = self.encode(name, padded)
        terms = (self.outward[name](z[:, :-1]) - x[:, 1:]).square().mean(2)
        asked = torch.arange(1, x.shape[1]) < lengths[:, None]
        return ((terms * asked).sum(1) / (lengths - 1)).mean()

    @torch.no_grad()
    def represent(self, name: str, sequences: Sequence[Tensor]) -> Tensor:
        """Mean over each sequence's own steps: [sequence, width]."""
        self.eval()
        found = []
        for padded, lengths in DataLoader(sequences, batch_size=64, collate_fn=_padded):  # type: ignore[arg-type]
            _, z = self.encode(name, padded)
            own = torch.arange(z.shape[1]) < lengths[:, None]
            found.append((z * own[:, :, None]).sum(1) / lengths[:, None])
        return torch.cat(found)


def train(
    model: Plain, sources: Mapping[str, Source], config: EngineConfig, seed: int, advance: Callable[[], None]
) -> None:
    """For `steps` steps, one batch of each source in each; no sequence is of a single step. `advance` is told of each
    step.
    """
    torch.manual_seed(seed)
    optimizer = torch.optim.AdamW(plain_groups(model, config.weight_decay), lr=config.learning_rate)
    schedule = LambdaLR(optimizer, lambda step: factor(step, config.steps, config.warm_up))
    loaders = [
        DataLoader(one.sequences, one.batch, shuffle=True, collate_fn=_padded, drop_last=True)  # type: ignore[arg-type]
        for one in sources.values()
    ]
    model.train()
    for _, batches in zip(range(config.steps), _epochs(loaders), strict=False):
        losses = [sources[name].weight * model.loss(name, own) for name, own in zip(sources, batches, strict=True)]
        loss = torch.stack(losses).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        advance()


def _epochs(loaders: list[DataLoader]) -> Iterator[tuple[Padded, ...]]:
    while True:
        yield from zip(*loaders, strict=False)


def _padded(sequences: list[Tensor]) -> Padded:
    """To the longest of the batch, as the paper's code does."""
    return pad_sequence(sequences, batch_first=True), torch.tensor([len(one) for one in sequences])


def _linear(ours: nn.Module) -> nn.Linear:
    weight, bias = ours.state_dict()["weight"][0], ours.state_dict()["bias"][0]
    found = nn.Linear(weight.shape[1], weight.shape[0])
    found.load_state_dict({"weight": weight, "bias": bias})
    return found


def _layer(block: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A block's weights by the names of torch's TransformerEncoderLayer."""
    names = {"qkv.": "self_attn.in_proj_", "out.": "self_attn.out_proj.", "wide.": "linear1.", "narrow.": "linear2."}
    names |= {"norms.0.": "norm1.", "norms.1.": "norm2."}
    return {names[start] + part: block[start + part][0] for start in names for part in ("weight", "bias")}
