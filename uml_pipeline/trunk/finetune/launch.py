"""Several processes for one study: each trains its share of every batch, the results meet in `.uml/finetune`."""

import subprocess
import sys

from uml_pipeline.errors import UserError
from uml_pipeline.study import Study


def launch(study: Study) -> None:
    """Start the processes that params.yaml asks for, and wait for them.

    Raises:
        UserError: they failed; what they said is on the terminal.
    """
    config = study.params.trunk.finetune
    worker = ["-m", "uml_pipeline.trunk.finetune", str(study.folder)]
    torchrun = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={config.processes}"]
    failed = subprocess.run([sys.executable, *torchrun, *worker], check=False).returncode
    if failed:
        raise UserError(
            f"one of {config.processes} processes failed",
            where="trunk.finetune.processes",
            fix="see its message above; `processes: 1` trains without torchrun",
        )
