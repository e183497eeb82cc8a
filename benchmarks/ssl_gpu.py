"""How much of a GPU a large trunk gets: `python -m benchmarks.ssl --gpu`. No GPU was there to try."""

import time

import torch
from rich.console import Console
from rich.table import Table

from uml_pipeline.learn.engine.config import EngineConfig
from uml_pipeline.learn.engine.loop import fit_all
from uml_pipeline.learn.engine.world import World, pick
from uml_pipeline.learn.sequence.config import NetworkConfig
from uml_pipeline.learn.sequence.network import SharedNetwork, modality, transformer
from uml_pipeline.learn.sequence.task import Lesson, Prediction, Source
from uml_pipeline.progress import peak_bytes

TRUNK = NetworkConfig(width=1024, layers=8, heads=16, hidden=4096, longest=512, dropout=0)  # 101 million weights
BATCH, WARM, TIMED, SIDE = 32, 5, 20, 8192


def utilisation(console: Console) -> dict[str, float]:
    """Tokens a second, and the share of what matrix products reach in the same run, without and with a compiler.

    Raises:
        UserError: there is no GPU.
    """
    world = World(device=pick("cuda"))
    ceiling = products(SIDE, world.device)
    table = Table(
        "compiled", "tokens/s", "TFLOP/s", "of the ceiling", title=f"matrix products: {ceiling / 1e12:.0f} TFLOP/s"
    )
    found = {"ceiling_tflops": ceiling / 1e12}
    for compiled in (False, True):
        pace = tokens_a_second(TRUNK, world, compiled, BATCH)
        share = pace * flops_a_token(TRUNK) / ceiling
        table.add_row(str(compiled), f"{pace:,.0f}", f"{share * ceiling / 1e12:.0f}", f"{100 * share:.0f} %")
        found |= {"tokens_compiled" if compiled else "tokens": pace, "mfu_compiled" if compiled else "mfu": share}
    console.print(table)
    console.print(f"{torch.cuda.get_device_name()}, peak memory {peak_bytes() / 2**30:.1f} GiB")
    return found


def tokens_a_second(network: NetworkConfig, world: World, compiled: bool, batch: int) -> float:
    """Of one modality with sequences of full length, in bfloat16."""
    draw = torch.Generator().manual_seed(0)
    x = [torch.randn(network.longest, 64, generator=draw) for _ in range(4 * batch)]
    config = EngineConfig(
        steps=WARM + TIMED, warm_up=1, look_every=10**6, precision="bfloat16", compile=compiled, save_every=10**6
    )
    made = SharedNetwork({"x": modality("x", x, network, 0)}, transformer(network, 0))
    times = []

    def tick(count: int, taken: int = 0) -> None:
        if len(times) in (WARM - 1, WARM + TIMED - 1) and world.device.type == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter())

    fit_all(
        Prediction(made, [Lesson({"x": Source(x, batch)}, x[:batch], 0)], config), config, 0, world=world, advance=tick
    )
    return TIMED * batch * network.longest / (times[WARM + TIMED - 1] - times[WARM - 1])


def flops_a_token(network: NetworkConfig) -> float:
    """Of one step: two for each weight of a matrix forwards, four backwards, and attention, half of which is masked."""
    weights = network.width**2 * (1 + 4 * network.layers) + 2 * network.layers * network.width * network.hidden
    return 6 * weights + 6 * network.layers * network.width * network.longest


def products(side: int, device: torch.device) -> float:
    """FLOP/s of products of square matrices in bfloat16: the best of some."""
    one, other = (torch.randn(side, side, device=device, dtype=torch.bfloat16) for _ in range(2))
    best = float("inf")
    for _ in range(10):
        torch.cuda.synchronize()
        began = time.perf_counter()
        for _ in range(10):
            one @ other
        torch.cuda.synchronize()
        best = min(best, (time.perf_counter() - began) / 10)
    return 2 * side**3 / best
