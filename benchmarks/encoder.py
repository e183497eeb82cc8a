"""What the built-in emoji encoder is worth on the classes it never saw: `python benchmarks/encoder.py`.

Accuracy in % over all (training artists, test artist) choices; class mean in the text space, and class mean plus
`weight` times the class's text mean. Also: are two artists near-twins? Cosine and 1-shot accuracy of every pair.
"""

from itertools import combinations
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from uml_pipeline.demo.emoji import load
from uml_pipeline.demo.encoder import pixels, read
from uml_pipeline.demo.sources import ARTISTS
from uml_pipeline.features.emoji_net import EmojiNet

WEIGHTS = Path("uml_pipeline/features/weights/emoji.safetensors")


def encode(images: Tensor) -> Tensor:
    """Unit vectors [artist, class, 384]."""
    from safetensors.torch import load_file

    net = EmojiNet().eval()
    net.load_state_dict({key: value.float() for key, value in load_file(WEIGHTS).items()}, strict=True)
    with torch.inference_mode():
        vectors = torch.cat([net(batch.float() / 255) for batch in images.split(256)])
    return normalize(vectors.view(len(ARTISTS), -1, vectors.shape[1]), dim=2)


def accuracy(z: Tensor, heads: Tensor) -> float:
    """In percent: [class, d] against [class, d]."""
    return 100 * (z @ heads.T).argmax(1).eq(torch.arange(len(z))).double().mean().item()


def main() -> None:
    """Print the tables."""
    sets = load(Path("data/packages"))
    z = encode(pixels(sets, sets.novel)[0])
    centre = torch.stack([one.mean(0) for one in read(sets.base)]).mean(0)
    text = normalize(torch.stack([one.mean(0) for one in read(sets.novel)]) - centre, dim=1)
    artists, indices = list(ARTISTS), range(len(ARTISTS))
    print(f"zero-shot from text: {np.mean([accuracy(z[one], text) for one in indices]):.1f}")
    print("shots  " + "  ".join(f"weight {weight:4}" for weight in (0, 0.25, 0.5, 0.75, 1)))
    for shots in (1, 2, 3, 4):
        row = []
        for weight in (0, 0.25, 0.5, 0.75, 1):
            draws = [(test, one) for test in indices for one in combinations(set(indices) - {test}, shots)]
            heads = [normalize(normalize(z[list(one)].mean(0), dim=1) + weight * text, dim=1) for _, one in draws]
            row.append(np.mean([accuracy(z[test], head) for (test, _), head in zip(draws, heads, strict=True)]))
        print(f"{shots:5}  " + "  ".join(f"{value:11.1f}" for value in row))
    print("pairs of artists: mean cosine of the same thing; 1-shot accuracy from the first to the second and back")
    for a, b in combinations(indices, 2):
        cosine = (z[a] * z[b]).sum(1).mean()
        print(f"  {artists[a]:18} {artists[b]:18} {cosine:.2f}  {accuracy(z[b], z[a]):.1f}  {accuracy(z[a], z[b]):.1f}")


if __name__ == "__main__":
    main()
