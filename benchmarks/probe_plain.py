"""The peers' way to train a probe: a module, data loaders, autograd, torch's AdamW; one run after the other."""

import copy
import time
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader, TensorDataset

from uml_pipeline.learn.engine.schedule import factor
from uml_pipeline.learn.joint import Budget, Run, Task
from uml_pipeline.learn.joint.start import head, projection
from uml_pipeline.learn.samples import Samples


class Probe(nn.Module):
    """Projection, shared head, logit scales; it starts where the engine's run starts."""

    def __init__(self, task: Task, run: Run) -> None:
        super().__init__()
        start = head(task, run)
        self.head = nn.Linear(start.shape[1], start.shape[0], bias=False)
        self.head.weight = nn.Parameter(start)
        self.projection: nn.Module = nn.Identity()
        if run.projection:
            self.projection = nn.Linear(task.train.x.shape[1], task.head_width, bias=False)
            self.projection.weight = nn.Parameter(projection(task, run, "", task.train.x.shape[1]))
        self.scales = nn.Parameter(torch.full((2,), run.scale), requires_grad=run.learn_scales)

    def forward(self, x: Tensor) -> Tensor:
        """The target's path: [n, d] -> [n, class]."""
        return self.scales[0] * self.head(self.projection(x))

    def read(self, y: Tensor) -> Tensor:
        """The auxiliary silo's path: [n, width] -> [n, class]."""
        return self.scales[1] * self.head(y)


@dataclass(frozen=True)
class Outcome:
    """One run, timed."""

    model: Probe
    steps: int
    seconds: float


def train(task: Task, run: Run, budget: Budget, steps: int | None = None) -> Outcome:
    """Train one run; `steps` ends it before its time, to measure speed."""
    torch.manual_seed(task.seed)
    began = time.perf_counter()
    model = Probe(task, run)
    photos = _forever(task.train, run)
    texts = _forever(task.auxiliary[0].samples, run) if run.alpha else None
    val = DataLoader(TensorDataset(task.val.x, task.val.y), batch_size=128)
    learnt = [param for param in model.parameters() if param.requires_grad]
    optimizer = torch.optim.AdamW(learnt, lr=run.rate, weight_decay=run.decay)
    schedule = LambdaLR(optimizer, lambda step: factor(step, budget.steps, budget.warm_up))
    best, waited, kept, step = -1, 0, model.state_dict(), 0
    for step in range(steps or budget.steps):
        x, y = next(photos)
        loss = cross_entropy(model(x), y)
        if texts is not None:
            x, y = next(texts)
            loss = loss + run.alpha * cross_entropy(model.read(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % budget.every == 0:
            hits = _hits(model, val)
            waited += 1
            if hits > best:
                best, waited, kept = hits, 0, copy.deepcopy(model.state_dict())
            if waited == budget.patience:
                break
    model.load_state_dict(kept)
    return Outcome(model, step + 1, time.perf_counter() - began)


def _forever(samples: Samples, run: Run) -> Iterator[list[Tensor]]:
    """A loader that begins anew whenever it is through. No worker processes: they only slow such small data down."""
    loader = DataLoader(TensorDataset(samples.x, samples.y), batch_size=min(run.batch, len(samples)), shuffle=True)
    while True:
        yield from loader


@torch.no_grad()
def _hits(model: Probe, val: DataLoader) -> int:
    return sum(int((model(x).argmax(1) == y).sum()) for x, y in val)
