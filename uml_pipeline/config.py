"""What all parts of a study's configuration share: unknown keys are errors, values do not change."""

from pydantic import BaseModel, ConfigDict


class Config(BaseModel):
    """Base of every section of params.yaml; each section stands next to the room that owns it."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
