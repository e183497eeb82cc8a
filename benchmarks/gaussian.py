"""The paper's Gaussian experiment (UML, E.14), with the controls that tell information from faster optimisation.

    python -m benchmarks.gaussian [SEEDS]

X = A_c theta_c + A_x theta_x + noise, Y = B_c theta_c + B_y theta_y + noise, every theta drawn anew for each sample, A
and B unknown. An autoencoder whose core is shared is trained on X, of which 9 of the 10 common components are weak,
alone or together with Y. Tested on X at full strength ("shifted") and as in training ("as trained").

Last figures (3 seeds, mean ± standard deviation of the squared error; 9 minutes on a busy core):

    arm                              shifted, 400   1000           2000           4000           as trained, 4000
    10,000 X                         7.914 ± 1.096  7.755 ± 1.008  4.578 ± 0.330  3.251 ± 0.640  0.080 ± 0.001
    5,000 X                          7.916 ± 1.094  7.726 ± 0.989  4.370 ± 0.294  3.363 ± 0.487  0.082 ± 0.001
    … + 5,000 Y, same theta_c        7.740 ± 1.035  5.204 ± 0.322  3.436 ± 0.417  3.216 ± 0.531  0.087 ± 0.001
    … + 5,000 Y, another theta_c     7.733 ± 1.042  5.279 ± 0.378  3.456 ± 0.329  3.120 ± 0.407  0.087 ± 0.000
    … + 5,000 Y of white noise       7.748 ± 0.982  5.726 ± 0.244  3.831 ± 0.138  3.502 ± 0.344  0.090 ± 0.000
    … + 5,000 Y, theta_c by A_c      7.765 ± 1.092  5.248 ± 0.661  3.376 ± 0.511  3.180 ± 0.472  0.087 ± 0.001
    same less another, by seed       0.007 ± 0.007  -.074 ± 0.117  -.019 ± 0.090  0.096 ± 0.193

The paper's direction is there as a transient: at 1000 and 2000 steps Y is ahead, at 4000 nothing is left of it.
Whether Y has the same theta_c makes no difference, white noise does most of it, and X as trained gets a little worse: Y
speeds the training up and tells nothing of A. Nor does it help that Y comes through A_c: X's own first and last layer
still learn it from X alone.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

COMMON, OWN, VALUES, WIDTH = 10, 5, 50, 128
NOISE, WEAK, BATCH, RATE = 0.3, 0.05, 512, 1e-3
CHECKS = [400, 1000, 2000, 4000]
HALF, ALL = 5_000, 10_000


@dataclass(frozen=True)
class Arm:
    """How many X there are, and what Y is."""

    name: str
    x: int
    y: str = ""


ARMS = [
    Arm("10,000 X", ALL),
    Arm("5,000 X", HALF),
    Arm("5,000 X + 5,000 Y of the same theta_c, unpaired", HALF, "related"),
    Arm("5,000 X + 5,000 Y of another theta_c", HALF, "unrelated"),
    Arm("5,000 X + 5,000 Y of white noise", HALF, "noise"),
    Arm("5,000 X + 5,000 Y of the same theta_c through A_c", HALF, "shared design"),
]


@dataclass(frozen=True)
class Data:
    """One seed's samples, [sample, value]: what trains, and what tests."""

    x: Tensor
    y: dict[str, Tensor]
    shifted: Tensor
    as_trained: Tensor


def sample(seed: int) -> Data:
    """Draw designs and samples. X trains and tests through one design."""
    draw = np.random.default_rng(seed)
    a_c, b_c = draw.normal(size=(2, VALUES, COMMON))
    a_x, b_y = draw.normal(size=(2, VALUES, OWN))
    weak = np.array([1.0] + [WEAK] * (COMMON - 1))

    def see(common: np.ndarray, theta: np.ndarray, own: np.ndarray) -> Tensor:
        rest = draw.normal(size=(len(theta), OWN)) @ own.T + NOISE * draw.normal(size=(len(theta), VALUES))
        return torch.tensor(theta @ common.T + rest, dtype=torch.float32)

    theta, test = draw.normal(size=(ALL, COMMON)), draw.normal(size=(HALF, COMMON))
    related = see(b_c, theta[:HALF], b_y)[draw.permutation(HALF)]
    y = {
        "related": related,
        "unrelated": see(b_c, draw.normal(size=(HALF, COMMON)), b_y),
        "noise": related.std() * torch.tensor(draw.normal(size=(HALF, VALUES)), dtype=torch.float32),
        "shared design": see(a_c, theta[:HALF], b_y)[draw.permutation(HALF)],
    }
    return Data(see(a_c, theta * weak, a_x), y, see(a_c, test, a_x), see(a_c, test * weak, a_x))


class Autoencoder(nn.Module):
    """A first and a last layer for each modality, and between them a core that all share."""

    def __init__(self, modalities: int) -> None:
        super().__init__()
        self.first = nn.ModuleList(nn.Linear(VALUES, WIDTH) for _ in range(modalities))
        self.core = nn.Sequential(
            *(nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, COMMON)),
            *(nn.Linear(COMMON, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH)),
        )
        self.last = nn.ModuleList(nn.Linear(WIDTH, VALUES) for _ in range(modalities))

    def loss(self, samples: Tensor, modality: int) -> Tensor:
        """Squared error of the reconstruction, mean over samples and values."""
        return nn.functional.mse_loss(self.last[modality](self.core(self.first[modality](samples))), samples)


def train(arm: Arm, data: Data, seed: int) -> dict[str, list[float]]:
    """Train one arm; its errors on X after each number of steps in `CHECKS`."""
    torch.manual_seed(seed)
    silos = [data.x[: arm.x], *([data.y[arm.y]] if arm.y else [])]
    model = Autoencoder(2)  # one start for all arms: without Y, its layers have no gradient
    optimiser = torch.optim.Adam(model.parameters(), RATE)
    batches = [_batches(len(silo), 100 * seed + place) for place, silo in enumerate(silos)]
    errors: dict[str, list[float]] = {"shifted": [], "as trained": []}
    for step in range(1, CHECKS[-1] + 1):
        optimiser.zero_grad()
        losses = [
            model.loss(silo[next(batch)], place) for place, (silo, batch) in enumerate(zip(silos, batches, strict=True))
        ]
        torch.stack(losses).sum().backward()
        optimiser.step()
        if step in CHECKS:
            with torch.no_grad():
                errors["shifted"].append(model.loss(data.shifted, 0).item())
                errors["as trained"].append(model.loss(data.as_trained, 0).item())
    return errors


def _batches(samples: int, seed: int) -> Iterator[Tensor]:
    draw = torch.Generator().manual_seed(seed)
    while True:
        yield from torch.randperm(samples, generator=draw)[: samples // BATCH * BATCH].split(BATCH)


def main() -> None:
    """Print a table, the paired differences, and one line of JSON."""
    torch.set_num_threads(1)
    seeds, console = int(sys.argv[1]) if len(sys.argv) > 1 else 3, Console(width=140)
    found: dict[str, list[dict[str, list[float]]]] = {arm.name: [] for arm in ARMS}
    for seed in range(seeds):
        data = sample(seed)
        for arm in ARMS:
            found[arm.name].append(train(arm, data, seed))
            console.print(f"seed {seed}, {arm.name}: {found[arm.name][-1]['shifted']}", style="dim")
    table = Table("arm", *(f"shifted, {step} steps" for step in CHECKS), f"as trained, {CHECKS[-1]}")
    for name, runs in found.items():
        table.add_row(name, *(_spread([run["shifted"][at] for run in runs]) for at in range(len(CHECKS))), _last(runs))
    console.print(table)
    related, unrelated = (np.array([run["shifted"] for run in found[ARMS[at].name]]) for at in (2, 3))
    differences = [_spread(list(column)) for column in (related - unrelated).T]
    console.print(f"same theta_c less another one, paired by seed: {', '.join(differences)}")
    print(json.dumps({"steps": CHECKS, "runs": found}))


def _last(runs: list[dict[str, list[float]]]) -> str:
    return _spread([run["as trained"][-1] for run in runs])


def _spread(values: list[float]) -> str:
    return f"{np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}"


if __name__ == "__main__":
    main()
