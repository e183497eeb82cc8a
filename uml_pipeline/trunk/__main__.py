"""The work of one of several processes; `uml trunk` then finds it done.

`torchrun --nproc-per-node 2 -m uml_pipeline.trunk STUDY`; on several machines with torchrun's own options,
where all see the study's folder.
"""

import sys

from rich.console import Console

from uml_pipeline.errors import UserError
from uml_pipeline.trunk.launch import work

if __name__ == "__main__":
    try:
        work(*sys.argv[1:])
    except UserError as error:
        Console(stderr=True, highlight=False).print(f"error: {error}", style="red", markup=False, soft_wrap=True)
        sys.exit(2)
