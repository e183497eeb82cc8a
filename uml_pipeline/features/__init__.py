from uml_pipeline.features.encoders import create_encoder, list_encoders, load_encoder
from uml_pipeline.features.store import read_config, read_features

__all__ = ["create_encoder", "list_encoders", "load_encoder", "read_config", "read_features"]
