"""`transformers/<name or folder>`: which encoder of Hugging Face transformers reads what the silo holds."""

from uml_pipeline.errors import UserError
from uml_pipeline.features.encoders import Encoder, Spec, list_encoders, unknown


def create(spec: Spec) -> Encoder:
    """The encoder for the silo's modality.

    Raises:
        UserError: no network of transformers reads it, or this one cannot be had.
    """
    if not spec.rest:
        raise unknown(spec.name, list_encoders())
    if spec.modality == "text":
        from uml_pipeline.features.text_hub import TextHubEncoder

        return TextHubEncoder(spec)
    if spec.modality == "image":
        from uml_pipeline.features.image_hub import ImageHubEncoder

        return ImageHubEncoder(spec)
    if spec.modality == "audio":
        from uml_pipeline.features.audio_hub import AudioHubEncoder

        return AudioHubEncoder(spec)
    raise UserError(
        f"transformers/ reads texts, images and sounds, but the silo's modality is {spec.modality}",
        where=f"encoder: {spec.name}",
        fix="remove `encoder` from this silo: there is a default",
    )
