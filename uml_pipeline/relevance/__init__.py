"""Whether an auxiliary silo is about the same world as the target, so that it may help."""

from uml_pipeline.relevance.verdicts import read_verdicts, set_aside

__all__ = ["read_verdicts", "set_aside"]
