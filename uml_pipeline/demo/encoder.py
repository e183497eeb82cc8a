"""Train the built-in image encoder: `python -m uml_pipeline.demo.encoder` (some twenty minutes on 2 cores).

It sees the base classes alone. Each drawing is classified twice by its cosine: to the base classes' centred MiniLM
sentence means, so that the output lies in the text space (an aligned encoder needs no adapter), and to learnt class
proxies, which teach it what tells drawings apart where the texts do not.
Figures of the committed weights, on classes never seen in training: benchmarks/encoder.py.
"""

import io
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from rich.progress import track
from torch import Tensor

from uml_pipeline.demo.emoji import Emoji, EmojiSets, load, render
from uml_pipeline.demo.sources import ARTISTS
from uml_pipeline.features.emoji_net import EmojiNet

EPOCHS, BATCH, LEARNING_RATE, WEIGHT_DECAY, LOGIT_SCALE, SEED = 100, 128, 4e-3, 0.05, 20.0, 0


def pixels(sets: EmojiSets, classes: list[Emoji]) -> tuple[Tensor, Tensor]:
    """All drawings of `classes`: uint8 [n, 3, 64, 64], and their class indices [n]; artists vary slowest."""
    jobs = [(sets.svg[artist, one.name], label) for artist in ARTISTS for label, one in enumerate(classes)]
    arrays = [np.asarray(Image.open(io.BytesIO(render(svg))).convert("RGB")) for svg, _ in track(jobs, "rendering")]
    return torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2), torch.tensor([label for _, label in jobs])


def read(classes: list[Emoji]) -> list[Tensor]:
    """MiniLM embeddings of each class's sentences: a [sentence, 384] a class."""
    from uml_pipeline.features.minilm import embed

    return [torch.from_numpy(embed(one.sentences)) for one in track(classes, "reading")]


def sample_texts(texts: list[Tensor], centre: Tensor, generator: torch.Generator) -> Tensor:
    """Unit vectors [class, 384]: the centred mean of a random half of each class's sentences (text augmentation)."""
    means = []
    for sentences in texts:
        kept = torch.rand(len(sentences), generator=generator) < 0.5
        means.append(sentences[kept if kept.any() else [0]].mean(0))
    return F.normalize(torch.stack(means) - centre, dim=1)


def augment(x: Tensor, generator: torch.Generator) -> Tensor:
    """Random affine map, colour mixing, contrast and greyscale on [0, 1] images [batch, 3, h, w]."""
    n = len(x)

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return torch.rand(n, *shape, generator=generator) * (high - low) + low

    angle = uniform(-0.35, 0.35)
    scale_x, scale_y, shear = uniform(0.75, 1.25), uniform(0.75, 1.25), uniform(-0.2, 0.2)
    cos, sin = angle.cos(), angle.sin()
    rows = [cos * scale_x, (shear * cos - sin) * scale_y, sin * scale_x, (shear * sin + cos) * scale_y]
    theta = torch.cat([torch.stack(rows, 1).view(n, 2, 2), uniform(-0.15, 0.15, 2, 1)], 2)
    grid = F.affine_grid(theta, list(x.shape), align_corners=False)
    x = 1 - F.grid_sample(1 - x, grid, align_corners=False)  # outside the drawing the paper is white
    mix = torch.eye(3) + uniform(-0.25, 0.25, 3, 3)
    grey = torch.tensor([0.299, 0.587, 0.114]).expand(n, 3, 3)
    mix = torch.where((uniform(0, 1) < 0.2).view(n, 1, 1), grey, mix / mix.sum(2, keepdim=True))
    x = torch.einsum("nij,njhw->nihw", mix, x)
    return ((x - 1) * uniform(0.6, 1.3, 1, 1, 1) + 1 - uniform(0, 0.1, 1, 1, 1)).clamp(0, 1)


def train(images: Tensor, labels: Tensor, texts: list[Tensor], epochs: int = EPOCHS) -> EmojiNet:
    """Cross-entropy over class texts plus cross-entropy over learnt proxies; AdamW, one-cycle schedule.

    Args:
        images: uint8 [n, 3, 64, 64].
        labels: [n], indices into `texts`.
        texts: sentence embeddings [sentence, 384] of each class.
        epochs: passes over the images.
    """
    torch.manual_seed(SEED)
    generator = torch.Generator().manual_seed(SEED)
    centre = torch.stack([sentences.mean(0) for sentences in texts]).mean(0)
    net = EmojiNet()
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it; twice as fast
    proxies = torch.nn.Parameter(F.normalize(torch.stack([one.mean(0) for one in texts]) - centre, dim=1))
    steps = epochs * math.ceil(len(images) / BATCH)
    optimizer = torch.optim.AdamW([*net.parameters(), proxies], weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps, pct_start=0.2)
    for epoch in range(epochs):
        losses = []
        for batch in torch.randperm(len(images), generator=generator).split(BATCH):
            x = augment(images[batch].float() / 255, generator).contiguous(memory_format=torch.channels_last)
            z = LOGIT_SCALE * F.normalize(net(x), dim=1)  # [batch, 384]
            by_text = F.cross_entropy(z @ sample_texts(texts, centre, generator).T, labels[batch])
            by_proxy = F.cross_entropy(z @ F.normalize(proxies, dim=1).T, labels[batch])
            loss = by_text + by_proxy
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        print(f"epoch {epoch + 1:3d}/{epochs}  loss {np.mean(losses):.3f}", flush=True)
    return net.eval()


def main() -> None:
    """Fetch, render, train, and write the weights into the package as float16 safetensors."""
    from safetensors.torch import save_file

    sets = load(Path("data/packages"))
    images, labels = pixels(sets, sets.base)
    net = train(images, labels, read(sets.base))
    weights = {key: value.half() if value.is_floating_point() else value for key, value in net.state_dict().items()}
    path = Path(__file__).parent.parent / "features" / "weights" / "emoji.safetensors"
    save_file({key: value.contiguous() for key, value in weights.items()}, path)
    print(f"wrote {path} ({path.stat().st_size / 1e6:.1f} MB)")


if __name__ == "__main__":
    main()
