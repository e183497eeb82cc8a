"""Write a shipped model as ONNX or as a program of torch.export: one graph that equals it on real samples."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from uml_pipeline.errors import UserError
from uml_pipeline.extras import optional
from uml_pipeline.learn.geometry import Array
from uml_pipeline.model.folder import model_hash
from uml_pipeline.model.unimodal import UnimodalModel
from uml_pipeline.model.whole import Whole
from uml_pipeline.samples import Sample
from uml_pipeline.workspace import write_json

TOLERANCE = 1e-4
"""Of a probability."""
_BATCH = 32  # samples that are checked together
_OUTPUT = "probabilities"
Form = Literal["onnx", "torch"]
Run = Callable[[tuple[Tensor, ...]], Array]


@dataclass(frozen=True)
class Exported:
    """What was written, and how near it is to the model."""

    file: Path
    about: Path
    """JSON: how to prepare the input, and the labels."""
    samples: int
    difference: float
    """The largest of a probability."""


def export(model: UnimodalModel, form: Form, file: Path, samples: Sequence[Sample]) -> Exported:
    """Write the graph to `file`, and `file`.json beside it. Any number of samples makes a batch.

    Raises:
        UserError: the network cannot be exported, or the graph does not equal the model on these samples: the same
            labels, probabilities to 1e-4. Nothing is written then.
    """
    if not len(samples):
        raise UserError("there is no sample to check the export with", where=str(file), fix="name some: `--samples`")
    whole = Whole(model).eval().requires_grad_(False)
    draft = file.with_name(f".draft.{file.name}")
    try:
        with optional(), torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's exporters warn of themselves
            run, facts = _FORMS[form](_program(whole, samples), whole, draft)
        difference = _compared(run, whole, model, samples)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
    about = file.with_name(f"{file.name}.json")
    checked = {"samples": len(samples), "largest_difference": difference}
    write_json(about, {"format": form} | facts | _about(whole, model, samples, file) | {"checked": checked})
    return Exported(file, about, len(samples), difference)


def _program(whole: Whole, samples: Sequence[Sample]) -> Any:
    """Traced on two samples: of a single one torch takes the batch's size for a constant."""
    example = whole.inputs([samples[0], samples[len(samples) - 1]])
    dynamic = {0: torch.export.Dim.DYNAMIC} | ({1: torch.export.Dim.DYNAMIC} if len(example) > 1 else {})
    try:
        return torch.export.export(whole, example, dynamic_shapes=((dynamic,) * len(example),))
    except Exception as error:  # torch has many ways to say what it cannot trace
        raise _cannot(whole, error) from None


def _onnx(program: Any, whole: Whole, draft: Path) -> tuple[Run, dict[str, Any]]:
    import onnxruntime

    try:
        written = torch.onnx.export(
            program, input_names=list(whole.names), output_names=[_OUTPUT], external_data=False, verbose=False
        )
    except torch.onnx.errors.OnnxExporterError as error:
        raise _cannot(whole, error) from None
    assert written is not None
    written.save(draft)
    session = onnxruntime.InferenceSession(draft, providers=["CPUExecutionProvider"])

    def run(inputs: tuple[Tensor, ...]) -> Array:
        feed = {name: one.numpy() for name, one in zip(whole.names, inputs, strict=True)}
        return session.run([_OUTPUT], feed)[0]

    return run, {"opset": written.model.opset_imports[""]}


def _torch(program: Any, whole: Whole, draft: Path) -> tuple[Run, dict[str, Any]]:
    torch.export.save(program, draft)
    reopened = torch.export.load(draft).module()

    def run(inputs: tuple[Tensor, ...]) -> Array:
        with torch.no_grad():
            return reopened(*inputs).numpy()

    return run, {"torch": torch.__version__}


_FORMS = {"onnx": _onnx, "torch": _torch}


def _compared(run: Run, whole: Whole, model: UnimodalModel, samples: Sequence[Sample]) -> float:
    """The largest difference of a probability; one sample goes first, so that batches of several sizes are tried."""
    worst = 0.0
    for start in [0, *range(1, len(samples), _BATCH)]:
        some = samples[start : start + _BATCH if start else 1]
        ours, theirs = model.predict_proba(some), run(whole.inputs(some))
        worst = max(worst, float(np.abs(ours - theirs).max()))
        if worst > TOLERANCE or (ours.argmax(1) != theirs.argmax(1)).any():
            where = f"samples {start} to {start + len(some) - 1}: probabilities differ by {worst:.2g}"
            fix = "use the model as it is, or report this with the versions of torch and onnxruntime"
            raise UserError("the exported graph does not equal the model", where=where, fix=fix)
    return worst


def _about(whole: Whole, model: UnimodalModel, samples: Sequence[Sample], file: Path) -> dict[str, Any]:
    example = whole.inputs([samples[0]])
    free = ("batch", "tokens") if len(example) > 1 else ("batch",)
    shapes = [[*free, *one.shape[len(free) :]] for one in example]
    inputs = [
        {"name": name, "type": str(one.dtype).removeprefix("torch."), "shape": shape}
        for name, one, shape in zip(whole.names, example, shapes, strict=True)
    ]
    return {
        "model": model_hash(model.folder),
        "inputs": inputs,
        "outputs": [{"name": _OUTPUT, "type": "float32", "shape": ["batch", len(model.labels)]}],
        "preprocessing": model.encoder.describe() | _prepared(model.encoder, file),
        "labels": model.labels,
    }


def _prepared(encoder: Any, file: Path) -> dict[str, Any]:
    """How a sample becomes the graph's input."""
    if encoder.net is None:
        return {"input": "the encoder's vector of the sample"}
    if encoder.modality == "image":
        before = "RGB, upright (EXIF), transparent parts on white"
        return {"input": f"{before}; then {encoder.recipe}", "mean": list(encoder.mean), "std": list(encoder.std)}
    tokenizer = file.with_name(f"{file.name}.tokenizer")
    encoder.tokens.save(tokenizer)
    return {"input": "token ids, cut; padded ones have mask 0", "pooling": encoder.pooling, "tokenizer": tokenizer.name}


def _cannot(whole: Whole, error: Exception) -> UserError:
    why = (str(error) or repr(error)).strip().splitlines()[0]
    fix = "use the model as it is: `uml_pipeline.model.UnimodalModel.load`"
    where = f"encoder: {whole.encoder.name}: {why}"
    return UserError("this network cannot be exported", where=where, fix=fix)
