"""Where a model comes from: the steps above it, their hashes, parameters and code, down to the raw data."""

from uml_pipeline.lineage.collect import collect
from uml_pipeline.lineage.drawing import Branch, branches, tree
from uml_pipeline.lineage.environment import PACKAGES, code_version
from uml_pipeline.lineage.records import Lineage, read

__all__ = ["PACKAGES", "Branch", "Lineage", "branches", "code_version", "collect", "read", "tree"]
