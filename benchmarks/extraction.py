"""How fast samples become features: against the bare network, and against the loops that documentation shows.

    UML_DATA_DIR=... python -m benchmarks.extraction [--quick]

Figures: docs/performance.md. All rates of one table are of one run, alternating, medians; on a machine with other work
the rates vary, their ratios much less.
"""

import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import timm
import torch
from PIL import Image
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from uml_pipeline.features import create_encoder
from uml_pipeline.features.encoders import Encoder
from uml_pipeline.features.extract import batches
from uml_pipeline.features.minilm import MiniLMEncoder
from uml_pipeline.silo.config import SiloConfig
from uml_pipeline.workers import cores

PHOTOS, TEXTS = "datasets/caltech50/image_silo", "datasets/caltech50/text_silo"
WEIGHTS = "weights/vision_mobilenetv2_100_torchvision_qat.safetensors"
IMAGES, REPEATS, PLAIN_BATCH = 512, 5, 32  # 32: of the loops that others would write


class _Prepared:
    """An encoder whose samples are decoded already: what is left is the network, in the same batches and threads."""

    def __init__(self, encoder: Encoder, tensors: Sequence[Tensor]) -> None:
        self._encoder, self.samples = encoder, tensors

    def __getattr__(self, name: str) -> Any:
        return getattr(self._encoder, name)

    def prepare(self, samples: Sequence[Tensor]) -> Sequence[Tensor]:
        return samples


class _Photos(Dataset):
    def __init__(self, paths: Sequence[Path], transform: Callable[[Image.Image], Tensor]) -> None:
        self.paths, self.transform = paths, transform

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, at: int) -> Tensor:
        return self.transform(Image.open(self.paths[at]).convert("RGB"))


def main() -> None:
    """Print the tables, then one line of JSON."""
    data, quick = Path(os.environ["UML_DATA_DIR"]), "--quick" in sys.argv
    repeats = 1 if quick else REPEATS
    console = Console(width=100)
    console.print(f"{cores()} cores, torch {torch.__version__}")
    images = _images(data, 64 if quick else IMAGES, repeats)
    console.print(_table("images: MobileNetV2, 224 pixels", images, "ours"))
    texts, ceiling = _texts(data, 200 if quick else None, repeats)
    console.print(_table(f"texts: MiniLM; without padding and duplicates: at most {ceiling:.2f} times", texts, "ours"))
    ours = {
        "of_model_only": _ratio(images, "ours", "model only"),
        "vs_plain_loop": _ratio(images, "ours", "plain timm + DataLoader"),
        "text_speedup": _ratio(texts, "ours", "plain transformers loop"),
        "text_ceiling": ceiling,
        "text_of_ceiling": _ratio(texts, "ours", "plain transformers loop") / ceiling,
    }
    print(json.dumps({name: round(value, 3) for name, value in ours.items()}))


def _images(data: Path, count: int, repeats: int) -> dict[str, list[float]]:
    manifest = pd.read_csv(data / PHOTOS / "manifest.csv")["path"].sample(count, random_state=0)
    paths = [data / PHOTOS / path for path in manifest]
    config = SiloConfig(modality="image", path=".", encoder="timm/mobilenetv2_100", checkpoint=str(data / WEIGHTS))
    encoder = create_encoder(config)
    prepared = _Prepared(encoder, [encoder.prepare([path])[0].clone() for path in paths])
    net = timm.create_model("mobilenetv2_100", checkpoint_path=data / WEIGHTS).eval()
    net.reset_classifier(0)
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(net), is_training=False)

    def plain() -> None:
        with torch.no_grad():
            loader = DataLoader(_Photos(paths, transform), batch_size=PLAIN_BATCH, num_workers=cores())
            torch.cat([net(batch) for batch in loader])

    def ours() -> None:
        list(batches(encoder, paths))

    def model_only() -> None:
        list(batches(prepared, prepared.samples))  # type: ignore[arg-type]

    return _rates({"ours": ours, "model only": model_only, "plain timm + DataLoader": plain}, count, repeats)


def _texts(data: Path, count: int | None, repeats: int) -> tuple[dict[str, list[float]], float]:
    """Rates, and how many tokens the plain loop computes for one that must be computed."""
    from uml_pipeline.features.minilm import load_pretrained

    texts = pd.read_csv(data / TEXTS / "manifest.csv")["text"].tolist()[:count]
    tokenizer, net = load_pretrained()
    net = net.eval()

    def padded() -> list[Any]:
        starts = range(0, len(texts), PLAIN_BATCH)
        return [tokenizer(texts[at : at + PLAIN_BATCH], padding=True, return_tensors="pt") for at in starts]

    def plain() -> None:
        with torch.no_grad():
            for tokens in padded():
                mask = tokens["attention_mask"][..., None]
                hidden = net(**tokens).last_hidden_state
                ((hidden * mask).sum(1) / mask.sum(1)).numpy()

    def ours() -> None:
        unique = list(dict.fromkeys(texts))  # as the stage does: identical texts are one sample
        list(batches(MiniLMEncoder(), unique))

    computed = sum(tokens["input_ids"].numel() for tokens in padded())
    needed = sum(len(ids) for ids in tokenizer(list(dict.fromkeys(texts)))["input_ids"])
    return _rates({"ours": ours, "plain transformers loop": plain}, len(texts), repeats), computed / needed


def _rates(ways: dict[str, Callable[[], None]], samples: int, repeats: int) -> dict[str, list[float]]:
    """Samples a second of each way; the ways take turns, after one turn each that does not count."""
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(repeats + 1):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            if turn:
                rates[name].append(samples / (time.perf_counter() - start))
    return rates


def _ratio(rates: dict[str, list[float]], one: str, other: str) -> float:
    """Median over turns of the ratio within a turn."""
    return statistics.median(a / b for a, b in zip(rates[one], rates[other], strict=True))


def _table(title: str, rates: dict[str, list[float]], ours: str) -> Table:
    table = Table("way", "samples/s", "from", "to", "ours / this", title=title, title_justify="left")
    for name, all_of in rates.items():
        figures = (statistics.median(all_of), min(all_of), max(all_of))
        table.add_row(name, *(f"{one:.1f}" for one in figures), f"{_ratio(rates, ours, name):.2f}")
    return table


if __name__ == "__main__":
    main()
