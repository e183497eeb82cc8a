"""`features` of params.yaml: how samples are encoded. None of it changes what is encoded."""

from typing import Literal

from pydantic import Field

from uml_pipeline.config import Config


class FeaturesConfig(Config):
    """The extraction engine."""

    engine: Literal["local", "ray"] = "local"
    """In this process, or on a Ray cluster (`pip install uml-pipeline[ray]`)."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """`auto`: the GPU where there is one."""
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """Of the network; `auto`: bfloat16 on a GPU, float32 on a CPU. Vectors are always stored as float32."""
    compile: bool = False
    """Compile the network first (torch.compile): pays off from some hundred thousand samples."""
    workers: int | None = Field(default=None, ge=1)
    """Threads that decode (local; absent: one a core), or actors (Ray; absent: two)."""
    gpus: float = Field(default=0, ge=0)
    """Ray: GPUs of each actor."""
    address: str | None = None
    """Ray: address of the cluster; absent: one is started on this machine."""
    output: str | None = None
    """An fsspec URL (`s3://bucket/features`) that gets a copy of every finished feature store."""
