"""The registry: which models were released, why, and how to go back to an earlier one."""

from uml_pipeline.registry.book import champion, history, taken_back
from uml_pipeline.registry.promotion import promote, rollback
from uml_pipeline.registry.records import Decision, Release

__all__ = ["Decision", "Release", "champion", "history", "promote", "rollback", "taken_back"]
