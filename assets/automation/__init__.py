"""What runs the pipeline when nobody clicks; all of it is off until someone turns it on. See docs/operations.md."""

from assets.automation.conditions import conditions
from assets.automation.schedule import everything, nightly
from assets.automation.sensor import silo_changes

__all__ = ["conditions", "everything", "nightly", "silo_changes"]
