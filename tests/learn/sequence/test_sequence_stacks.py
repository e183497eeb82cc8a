"""Runs that are trained at once find what each finds alone."""

from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.learn.sequence.sequence_toys import SHAPE, network, waves, words
from uml_pipeline.learn.engine import loop
from uml_pipeline.learn.engine.config import EngineConfig
from uml_pipeline.learn.engine.loop import fit_all
from uml_pipeline.learn.sequence.curriculum import Curriculum
from uml_pipeline.learn.sequence.stacked import stack
from uml_pipeline.learn.sequence.task import Lesson, Prediction, Source

CONFIG = EngineConfig(steps=8, warm_up=2, learning_rate=1e-2, look_every=4, save_every=3, device="cpu")
CALM = SHAPE.model_copy(update={"longest": 40})
NOISY = CALM.model_copy(update={"dropout": 0.3})


class Killed(Exception):
    pass


def task(seeds, config=CONFIG, beside="tokens", shape=NOISY, longest=19, **options):
    """Each run has a seed, sequences of other lengths, a weight and an initialisation of its own."""
    networks, lessons = [], []
    for seed in seeds:
        x = waves(14, seed, longest=longest)
        networks.append(network(x, beside, shape, seed))
        sources = {"x": Source(x, 6)}
        if beside:
            others = words(15, seed) if beside == "tokens" else waves(15, seed, 4)
            sources["y"] = Source(others, 5, 0.5 + seed, Fraction(3, 2))
        lessons.append(Lesson(sources, waves(3 + seed % 4, 100 + seed, longest=longest), seed))
    return Prediction(stack(networks), lessons, config, **options)


def trained(seeds, config=CONFIG, **options):
    return fit_all(task(seeds, config, **options), config, 0)


def alike(one, other):
    assert one.best == other.best
    for look, same in zip(one.history, other.history, strict=True):
        assert look == pytest.approx(same, abs=1e-4)
        for name in ("loss", "x", "y"):
            assert look.get(name) == pytest.approx(same.get(name), abs=1e-5)
    for name, value in one.weights.items():
        assert torch.allclose(_felt(name, value), _felt(name, other.weights[name]), atol=1e-5), name


def _felt(name, value):
    """Attention does not depend on the bias of its keys: its gradient is rounding alone, which AdamW makes large."""
    width = value.shape[1] // 3
    return torch.cat([value[:, :width], value[:, 2 * width :]], 1) if name.endswith("qkv.bias") else value


@settings(max_examples=5, deadline=None)
@given(seeds=st.lists(st.integers(0, 9), min_size=2, max_size=4, unique=True), longest=st.integers(4, 30))
@pytest.mark.parametrize("options", [{}, {"norm": "pre", "positions": "learned"}])
def test_a_sweep_finds_what_each_run_finds_alone(seeds, longest, options):
    shape = NOISY.model_copy(update=options)
    together = trained(seeds, shape=shape, longest=longest)
    for seed, found in zip(seeds, together, strict=True):
        [alone] = trained([seed], shape=shape, longest=longest)
        alike(found, alone)


def test_the_order_of_runs_does_not_matter():
    for one, other in zip(trained([3, 1, 2]), trained([2, 3, 1])[1:], strict=False):
        alike(one, other)


@pytest.mark.parametrize("more", [{"clip": 0.3}, {"ema": 0.9}, {"accumulate": 2}, {"precision": "bfloat16"}])
def test_the_engine_treats_each_run_as_if_it_were_alone(more):
    config = CONFIG.model_copy(update=more)
    shape = CALM if more.get("precision") else NOISY
    for seed, found in zip((4, 5), trained((4, 5), config, beside="numbers", shape=shape), strict=True):
        [alone] = trained([seed], config, beside="numbers", shape=shape)
        if more.get("precision"):
            assert found.history[-1]["loss"] == pytest.approx(alone.history[-1]["loss"], abs=0.02)
        else:
            alike(found, alone)


def test_a_run_that_has_stopped_keeps_what_it_had():
    """One improves to the end; the others stop earlier, each where it stops alone."""
    config = CONFIG.model_copy(update={"steps": 40, "look_every": 2, "patience": 2, "learning_rate": 0.05})
    together = trained([0, 1, 2, 3], config, beside=None, keep="best")
    ends = [found.history[-1]["step"] for found in together]
    assert len(set(ends)) > 1
    for seed, found in enumerate(together):
        [alone] = trained([seed], config, beside=None, keep="best")
        assert found.history[-1]["step"] == alone.history[-1]["step"]
        alike(found, alone)


@pytest.mark.parametrize("kill", [4, 7])
def test_killed_and_gone_on_is_as_never_killed(tmp_path, monkeypatch, kill):
    options = {"curriculum": Curriculum(frozenset({"y"}), 3), "keep": "best"}
    whole = trained([0, 1, 2], **options)
    step, file = loop._step, tmp_path / "file.safetensors"

    def deadly(made, state, *rest):
        if state.step == kill:
            raise Killed
        return step(made, state, *rest)

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(loop, "_step", deadly)
        fit_all(task([0, 1, 2], **options), CONFIG, 0, checkpoint=file)
    rest = fit_all(task([0, 1, 2], **options), CONFIG, 0, checkpoint=file)
    for one, other in zip(rest, whole, strict=True):
        assert one.history == other.history
        assert all(torch.equal(value, other.weights[name]) for name, value in one.weights.items())


def test_runs_of_other_sources_are_not_stacked():
    one, other = task([0]), task([1], beside=None)
    with pytest.raises(AssertionError):
        Prediction(one.model, [*one._lessons, *other._lessons], CONFIG)
