"""`report` of params.yaml."""

from pydantic import Field

from uml_pipeline.config import Config


class ReportConfig(Config):
    """What the report measures itself."""

    robustness: int = Field(default=300, ge=0)
    """Test samples, at most, that are spoilt and encoded again, in up to 21 ways: how robust the model is. 0: none."""
