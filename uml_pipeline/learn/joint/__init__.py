"""UML's supervised form with frozen encoders, as a batched engine: `for fits in train([(task, runs), ...]): ...`."""

from uml_pipeline.learn.joint.fit import Fit
from uml_pipeline.learn.joint.task import Auxiliary, Budget, Run, Task
from uml_pipeline.learn.joint.train import train

__all__ = ["Auxiliary", "Budget", "Fit", "Run", "Task", "train"]
