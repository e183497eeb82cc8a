"""The stripped model: one modality in, labels out."""

from uml_pipeline.model.unimodal import UnimodalModel

__all__ = ["UnimodalModel"]
