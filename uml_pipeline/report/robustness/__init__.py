"""How much the shipped model and the baseline lose where samples are spoilt."""

from uml_pipeline.report.robustness.measure import robustness

__all__ = ["robustness"]
