"""Why the model is better, or not: margins, alignment, classes, exchange rates, settings, robustness."""

from uml_pipeline.report.understanding.understand import understand

__all__ = ["understand"]
