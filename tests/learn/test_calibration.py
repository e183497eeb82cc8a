import pytest
import torch
from torch.nn.functional import cross_entropy

from uml_pipeline.learn.calibration import FACTORS, calibrated


def test_calibration_finds_the_scale():
    draw = torch.Generator().manual_seed(0)
    logits = torch.randn(2000, 5, generator=draw)
    y = torch.multinomial(torch.softmax(2 * logits, 1), 1, generator=draw)[:, 0]
    loss, factor = calibrated(logits, y)
    assert float(factor) == 2
    assert float(loss) == pytest.approx(float(cross_entropy(2 * logits, y)), rel=1e-6)
    assert 1.0 in FACTORS
    losses, factors = calibrated(torch.stack([logits + 7, 2 * logits, 4 * logits]), y)
    assert losses.tolist() == pytest.approx([float(loss)] * 3, rel=1e-6)
    assert factors.tolist() == [2, 1, 0.5]
