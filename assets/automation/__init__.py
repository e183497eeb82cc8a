"""What runs the pipeline when nobody clicks; all of it is off until someone turns it on. See docs/operations.md."""

from .conditions import conditions
from .schedule import everything, nightly
from .sensor import silo_changes

__all__ = ["conditions", "everything", "nightly", "silo_changes"]
