"""UML's supervised form with frozen encoders, as a batched engine: `for fits in train([(task, runs), ...]): ...`."""

from uml_pipeline.learn.joint.fit import Fit
from uml_pipeline.learn.joint.loop import train
from uml_pipeline.learn.joint.task import Auxiliary, Budget, Run, Task

__all__ = ["Auxiliary", "Budget", "Fit", "Run", "Task", "train"]
