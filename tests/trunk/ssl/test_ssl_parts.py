import numpy as np
import torch

from uml_pipeline.learn.sequence.spoil import spoil
from uml_pipeline.trunk.config import TrunkConfig
from uml_pipeline.trunk.ssl.arms import arms
from uml_pipeline.trunk.ssl.config import SslConfig

NUMBERS = [torch.arange(2.0 * n).view(n, 2) + 100 * n for n in (1, 4, 7, 2)]
TOKENS = [torch.tensor([5, 5, 8]), torch.tensor([5])]


def test_shuffled_sequences_keep_their_steps():
    found = spoil(NUMBERS, "shuffled", (0, 0))
    for one, other in zip(NUMBERS, found, strict=True):
        assert torch.equal(one.sort(0).values, other.sort(0).values)
    assert any(not torch.equal(one, other) for one, other in zip(NUMBERS, found, strict=True))
    assert all(torch.equal(one, other) for one, other in zip(found, spoil(NUMBERS, "shuffled", (0, 0)), strict=True))
    assert any(
        not torch.equal(one, other) for one, other in zip(found, spoil(NUMBERS, "shuffled", (1, 0)), strict=True)
    )


def test_noise_has_the_lengths_and_the_spread():
    many = [torch.randn(20, 3, generator=torch.Generator().manual_seed(n)) * 5 + 7 for n in range(50)]
    found = spoil(many, "noise", (0, 0))
    assert [one.shape for one in found] == [one.shape for one in many]
    values = torch.cat(found)
    assert values.dtype == torch.float32
    assert np.allclose(values.mean(0), 7, atol=0.5)
    assert np.allclose(values.std(0), 5, atol=0.5)
    drawn = spoil(TOKENS * 50, "noise", (0, 0))
    assert [len(one) for one in drawn] == [3, 1] * 50
    assert set(torch.cat(drawn).tolist()) == {5, 8}


def test_nothing_is_spoilt_unasked():
    assert spoil(NUMBERS, "none", (0, 0)) is NUMBERS


def test_every_trained_arm_searches_as_much():
    lineup = arms(SslConfig(alphas=[0.3, 1.0, 3.0]), ["a", "b"], ["c"])
    assert {len(arm.settings) for arm in lineup if arm.trained} == {3}
    assert [arm.name for arm in lineup if arm.kind == "uml"] == ["uml"]
    assert [arm.silos for arm in lineup if arm.silos] == [("a", "b")] * 3 + [("c",)]
    assert [arm.name for arm in arms(SslConfig(), [], [])] == ["steps_mean", "untrained", "unimodal"]


def test_fewer_seeds_by_default():
    found = TrunkConfig.model_validate({"mode": "ssl"})
    assert (found.shots, found.seeds) == ([4, 16], 5)
    assert TrunkConfig.model_validate({"mode": "ssl", "seeds": 9}).seeds == 9
