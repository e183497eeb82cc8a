"""Where the steps of a run are computed: UML_EXECUTOR says so, in-process by default. See docs/dagster.md."""

import os
from collections.abc import Callable

import dagster as dg

from uml_pipeline.errors import UserError

VARIABLE = "UML_EXECUTOR"


def chosen() -> dg.ExecutorDefinition:
    """The executor that the environment asks for.

    Raises:
        UserError: there is none of that name, or its package is not installed.
    """
    name = os.environ.get(VARIABLE) or "in_process"
    if name not in KNOWN:
        raise UserError(
            f"no executor {name!r}", where=f"environment variable {VARIABLE}", fix=f"choose one of {', '.join(KNOWN)}"
        )
    return KNOWN[name]()


def _k8s() -> dg.ExecutorDefinition:
    try:
        from dagster_k8s import k8s_job_executor
    except ImportError as error:
        raise _missing("k8s", "kubernetes", error) from None
    return k8s_job_executor


def _ray() -> dg.ExecutorDefinition:
    try:
        from dagster_ray import ray_executor
    except ImportError as error:
        raise _missing("ray", "ray", error) from None
    return ray_executor


def _missing(name: str, extra: str, error: ImportError) -> UserError:
    return UserError(
        f"executor {name!r} is not installed: {error}",
        where=f"environment variable {VARIABLE}",
        fix=f"pip install 'uml-pipeline[{extra}]', or choose another one of {', '.join(KNOWN)}",
    )


KNOWN: dict[str, Callable[[], dg.ExecutorDefinition]] = {
    # a process a step would import torch again in each: measured, that is four times the time
    "in_process": lambda: dg.in_process_executor,
    "multiprocess": lambda: dg.multiprocess_executor,
    "k8s": _k8s,
    "ray": _ray,
}
"""What UML_EXECUTOR may be; Kubernetes and Ray are imported where they are asked for, and nowhere else."""
