"""Several processes for one study in a gradient mode: each trains its share of every batch, the results meet in
`.uml/<mode>`.
"""

import os
import subprocess
import sys

from uml_pipeline.errors import UserError
from uml_pipeline.learn.engine.config import EngineConfig
from uml_pipeline.learn.engine.world import joined, pick
from uml_pipeline.study import Study
from uml_pipeline.trunk.finetune import compute as finetune
from uml_pipeline.trunk.ssl import compute as ssl
from uml_pipeline.trunk.unfinished import root


def launch(study: Study) -> None:
    """Start the processes that params.yaml asks for, and wait for them.

    Raises:
        UserError: they failed; what they said is on the terminal.
    """
    config = _config(study)
    failed = (_on_ray if config.launcher == "ray" else _by_torchrun)(study, config.processes)
    if failed:
        raise UserError(
            f"one of {config.processes} processes failed",
            where=f"trunk.{study.params.trunk.mode}.processes: {failed}",
            fix="see its message above; `processes: 1` trains without a launcher",
        )


def work(folder: str) -> None:
    """What each process does: train everything in `folder`'s study that is not trained yet."""
    study = Study(folder)
    with joined(_config(study).device) as world:
        (ssl if study.params.trunk.mode == "ssl" else finetune).compute(study, world)


def _config(study: Study) -> EngineConfig:
    trunk = study.params.trunk
    return trunk.ssl if trunk.mode == "ssl" else trunk.finetune


def _by_torchrun(study: Study, processes: int) -> str:
    """What failed, in a word."""
    torchrun = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    command = [sys.executable, *torchrun, "-m", "uml_pipeline.trunk", str(study.folder)]
    code = subprocess.run(command, check=False).returncode
    return f"exit code {code}" if code else ""


def _on_ray(study: Study, processes: int) -> str:
    """By Ray Train, on the cluster that is running here or one that it starts; all nodes see the study's folder."""
    try:
        from ray.train import RunConfig, ScalingConfig
        from ray.train.torch import TorchTrainer
    except ImportError:
        fix = "install it: `pip install uml-pipeline[ray]` and `ray[train]`; or remove `launcher`"
        raise UserError(
            "Ray Train is not installed", where=f"trunk.{study.params.trunk.mode}.launcher", fix=fix
        ) from None
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    on_gpus = pick(_config(study).device).type == "cuda"
    trainer = TorchTrainer(
        lambda: work(str(study.folder)),
        scaling_config=ScalingConfig(num_workers=processes, use_gpu=on_gpus),
        run_config=RunConfig(storage_path=str(root(study) / "ray")),
    )
    try:
        trainer.fit()
    except RuntimeError as error:
        return str(error).splitlines()[0]
    return ""
