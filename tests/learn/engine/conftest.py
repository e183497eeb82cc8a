"""Training on one core."""

from tests.one_core import one_core

__all__ = ["one_core"]
