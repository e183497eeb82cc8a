"""The learning rate over time."""

import math


def factor(step: int, steps: int, warm_up: int) -> float:
    """Linear warm-up, then a cosine to zero: what the learning rate is multiplied with at `step` = 0 … steps - 1.

    It rises to 1 at step `warm_up - 1`, never falls before (UML's own code does: method of UML, sec. 1.2), and the
    cosine takes the steps that are left.
    """
    if step < warm_up:
        return (step + 1) / warm_up
    return 0.5 * (1 + math.cos(math.pi * (step - warm_up) / max(1, steps - warm_up)))
