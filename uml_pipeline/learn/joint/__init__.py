"""UML's supervised form with frozen encoders, as a batched engine: `for fits in train([(task, runs), ...]): ...`."""

from uml_pipeline.learn.joint.fit import Fit
from uml_pipeline.learn.joint.loop import retrain, train
from uml_pipeline.learn.joint.start import head as start_head
from uml_pipeline.learn.joint.task import Auxiliary, Budget, Run, Start, Task

__all__ = ["Auxiliary", "Budget", "Fit", "Run", "Start", "Task", "retrain", "start_head", "train"]
