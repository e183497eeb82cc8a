"""Dagster's door to the pipeline: the steps of a study as assets. Thin; what they do is in `uml_pipeline`."""
