import math

import pytest
import torch

from uml_pipeline.learn.statistics import Gain
from uml_pipeline.relevance import unlabelled
from uml_pipeline.relevance.unlabelled import Foresight, foresee


def waves(count, seed, d=3):
    """Waves of one pace and random phase, of varied length."""
    draw = torch.Generator().manual_seed(seed)
    found = []
    for length in torch.randint(6, 14, (count,), generator=draw).tolist():
        phases = 2 * math.pi * torch.rand(d, generator=draw)
        found.append(torch.sin(torch.arange(length)[:, None] * 0.8 + phases))
    return found


def test_more_of_the_same_helps_who_has_little_and_its_shuffled_self_does_not():
    found = foresee(waves(4, 0), waves(20, 1), waves(60, 2))
    assert found.over_shuffled.low > 0
    assert found.p_value < 0.05 or found.gain.low <= 0


def test_two_calls_give_the_same(monkeypatch):
    monkeypatch.setattr(unlabelled, "_ENGINE", unlabelled._ENGINE.model_copy(update={"steps": 5, "look_every": 5}))
    once, again = (foresee(waves(4, 0), waves(5, 1), waves(6, 2)) for _ in range(2))
    assert once == again


@pytest.mark.parametrize(
    ("gain", "over", "word"),
    [
        ((3, 1, 5), (2, 1, 3), "helps"),
        ((3, 1, 5), (0, -1, 1), "cannot tell"),
        ((-3, -5, -1), (1, 0.5, 2), "harms"),
        ((0.1, -0.4, 0.6), (0, -1, 1), "neutral"),
    ],
)
def test_both_must_be_beaten_to_help(gain, over, word):
    assert Foresight(Gain(*gain), Gain(*over), 0.5).word == word
