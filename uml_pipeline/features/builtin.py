"""`builtin/<name>`: encoders that need no download, though YAMNet asks for a checkpoint."""

from importlib import import_module

from uml_pipeline.features.encoders import Encoder, Spec, unknown

_CLASSES = {
    "emoji": "emoji:EmojiEncoder",
    "minilm": "minilm:MiniLMEncoder",
    "vit": "language_vit:LanguageVitEncoder",
    "logmel": "logmel:LogMelEncoder",
    "yamnet": "yamnet:YamnetEncoder",
    "table": "tabular:TableEncoder",
    "series": "series:SeriesEncoder",
}
NAMES = [f"builtin/{name}" for name in _CLASSES]
"""What `create` knows."""


def create(spec: Spec) -> Encoder:
    """The built-in encoder of that name.

    Raises:
        UserError: there is none, or it cannot be had.
    """
    if spec.rest not in _CLASSES:
        raise unknown(spec.name, NAMES)
    if spec.rest != "vit":  # the only one with options
        spec.chosen()
    module, _, name = _CLASSES[spec.rest].partition(":")
    return getattr(import_module(f"uml_pipeline.features.{module}"), name)(spec)
