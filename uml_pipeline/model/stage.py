"""model: strip everything but the target's path, and fold what is linear."""

from uml_pipeline.features import create_encoder, load_encoder, read_config
from uml_pipeline.features.encoders import Encoder
from uml_pipeline.features.steps import Steps, default
from uml_pipeline.lineage import collect
from uml_pipeline.model.card import card
from uml_pipeline.model.folder import CARD, CONFIG, LABELS, PLAIN, READ, STANDARDISED, WEIGHTS, model_hash
from uml_pipeline.study import Study
from uml_pipeline.workspace import Workspace, read_json, write_json


def run(study: Study) -> None:
    """Write artifacts/model: all that prediction needs, and where it comes from.

    Raises:
        UserError: an upstream artifact is missing, or the encoder cannot be had.
    """
    from safetensors.numpy import load_file, save_file

    workspace = Workspace(study.folder)
    trunk = workspace.reading("trunk")
    config = read_json(trunk / "config.json")
    metrics = read_json(trunk / "metrics.json")
    weights = load_file(trunk / "ships.safetensors")
    weights["weight"] = weights.pop("head")
    tuned = "encoder" in config
    encoder = load_encoder(config["encoder"], trunk) if tuned else _frozen(study)
    with workspace.writing("model") as folder:
        save_file(weights, folder / WEIGHTS)
        write_json(folder / LABELS, config["classes"])
        write_json(
            folder / CONFIG,
            {
                "modality": encoder.modality,
                "encoder": encoder.describe(),
                "preprocessing": READ if "reader" in config else STANDARDISED if "centre" in weights else PLAIN,
                "method": config["ships"]["method"],
                "samples": config["samples"],
            }
            | ({"reader": config["reader"] | {"steps": _steps(study, encoder)}} if "reader" in config else {}),
        )
        encoder.export(folder)
        write_json(folder / "lineage.json", collect(study, model_hash(folder)))
        (folder / CARD).write_text(card(study.target, config, metrics, encoder.describe()), encoding="utf-8")


def _steps(study: Study, encoder: Encoder) -> Steps:
    """What the reader's sequences are."""
    return study.params.trunk.ssl.inputs.get(study.target) or default(encoder)


def _frozen(study: Study) -> Encoder:
    """The target's encoder as its features were made."""
    fitted = read_config(study, study.target).get("fitted")
    return create_encoder(study.silo(study.target), study.folder, fitted)
