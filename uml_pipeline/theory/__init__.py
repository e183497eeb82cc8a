"""The linear-Gaussian model behind the method (UML, sec. 3.1, app. C), corrected: what an auxiliary silo can add."""

from uml_pipeline.theory.blindness import Directions, directions
from uml_pipeline.theory.designs import Design, random_design
from uml_pipeline.theory.exchange import best_weight, exchange_rate, harm_threshold, joint_variance, worth
from uml_pipeline.theory.information import Information, efficient, fisher

__all__ = [
    "Design",
    "Directions",
    "Information",
    "best_weight",
    "directions",
    "efficient",
    "exchange_rate",
    "fisher",
    "harm_threshold",
    "joint_variance",
    "random_design",
    "worth",
]
