"""The stripped model: one modality in, labels out."""

from uml_pipeline.model.unimodal import Model, load

__all__ = ["Model", "load"]
