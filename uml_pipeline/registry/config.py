"""`promotion` of params.yaml."""

from pydantic import Field

from uml_pipeline.config import Config


class PromotionConfig(Config):
    """When a new model takes the champion's place."""

    margin: float = Field(default=2.0, ge=0)
    """Points of accuracy: a model that seems worse by more is refused though its interval reaches zero, for few samples
    prove little."""
