"""`python -m uml_pipeline` is `uml`."""

from uml_pipeline.cli import main

main()
