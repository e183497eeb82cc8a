from fractions import Fraction

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.learn.sequence.sequence_toys import SHAPE, network, waves, words
from uml_pipeline.errors import UserError
from uml_pipeline.learn.engine import checkpoint, loop
from uml_pipeline.learn.engine.config import EngineConfig
from uml_pipeline.learn.engine.loop import fit
from uml_pipeline.learn.engine.world import World
from uml_pipeline.learn.sequence.curriculum import Curriculum
from uml_pipeline.learn.sequence.monitors import effective_rank, without_learning
from uml_pipeline.learn.sequence.task import Lesson, Prediction, Source

X, VAL = waves(20), waves(6, 1)
CONFIG = EngineConfig(steps=12, warm_up=3, learning_rate=1e-2, look_every=4, save_every=5, device="cpu")
NOISY = SHAPE.model_copy(update={"dropout": 0.3})


class Killed(Exception):
    pass


def task(beside=None, weight=1.0, config=CONFIG, shape=SHAPE, ratio=1, **options):
    x = Source(X, 6)
    others = {"tokens": words(15), "numbers": waves(15, 3, 4)}
    sources = {"x": x} | ({"y": Source(others[beside], 5, weight, Fraction(ratio))} if beside else {})
    return Prediction(network(X, beside, shape), [Lesson(sources, VAL, 0)], config, **options)


def same(one, other, names=None):
    return all(torch.equal(one[name], other[name]) for name in names or one.keys() | other.keys())


def weights(made):
    return {name: value.clone() for name, value in made.model.state_dict().items()}


@given(first=st.booleans(), steps=st.integers(0, 9), ratio=st.fractions(Fraction(1, 5), 3, max_denominator=5))
def test_a_curriculum_counts_exactly(first, steps, ratio):
    """Whoever goes first learns alone for exactly so many steps; batches come in order, none left out or twice."""
    plan = Curriculum(frozenset({"x"} if first else {"y"}), steps)
    later = "y" if first else "x"
    assert all(not plan.batches(later, step, ratio) for step in range(steps))
    assert [plan.joint(step) for step in range(steps + 2)] == [False] * steps + [True] * 2
    for name, before in ((later, 0), ("x" if first else "y", steps)):
        taken = [one for step in range(30 + steps) for one in plan.batches(name, step, ratio)]
        assert taken == list(range(before + int(30 * ratio)))


def test_a_curriculum_of_no_steps_is_joint_from_the_start():
    plain, none = task("tokens"), task("tokens", curriculum=Curriculum(frozenset({"y"}), 0))
    assert same(fit(plain, CONFIG, 0).weights, fit(none, CONFIG, 0).weights)


@pytest.mark.parametrize("first", ["x", "y"])
def test_who_waits_is_not_touched(tmp_path, first):
    """Neither its weights, which would decay, nor the optimiser's moments on them."""
    config = CONFIG.model_copy(update={"steps": 5, "weight_decay": 0.5, "clip": 1.0})
    made = task("tokens", curriculum=Curriculum(frozenset({first}), 5))
    before, file = weights(made), tmp_path / "file.safetensors"
    found = fit(made, config, 0, checkpoint=file)
    names = {id(value): name for name, value in made.model.named_parameters()}
    order = [names[id(one)] for group in made.groups() for one in group["params"]]
    moments = dict(zip(order, checkpoint.load(file)["moments"], strict=True))
    waits = f"modalities.of_{'y' if first == 'x' else 'x'}"
    for name in order:
        still = name.startswith(waits)
        assert (moments[name] == {}) == still
        assert torch.equal(found.weights[name], before[name]) == still
    more = config.model_copy(update={"steps": 6})
    assert not same(fit(task("tokens", curriculum=Curriculum(frozenset({first}), 5)), more, 0).weights, before, order)


@pytest.mark.parametrize("options", [{}, {"clip": 0.5}, {"ema": 0.9}])
def test_with_weight_zero_the_target_gets_the_bits_that_it_gets_alone(options):
    config = CONFIG.model_copy(update=options)
    alone = fit(task(config=config, shape=NOISY), config, 0)
    for beside in ("tokens", "numbers"):
        found = fit(task(beside, 0.0, config=config, shape=NOISY), config, 0)
        assert same(found.weights, alone.weights, alone.weights.keys())
        assert found.history == alone.history
    assert not same(fit(task("tokens", shape=NOISY), config, 0).weights, alone.weights, alone.weights.keys())


@pytest.mark.parametrize("kill", [5, 7, 11])
@pytest.mark.parametrize("keep", ["last", "best"])
def test_killed_and_gone_on_is_as_never_killed(tmp_path, monkeypatch, kill, keep):
    options = {"shape": NOISY, "ratio": Fraction(3, 2), "curriculum": Curriculum(frozenset({"y"}), 6), "keep": keep}
    whole = fit(task("numbers", **options), CONFIG, 0)
    step = loop._step

    def deadly(made, state, *rest):
        if state.step == kill:
            raise Killed
        return step(made, state, *rest)

    file = tmp_path / "file.safetensors"
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(loop, "_step", deadly)
        fit(task("numbers", **options), CONFIG, 0, checkpoint=file)
    rest = fit(task("numbers", **options), CONFIG, 0, checkpoint=file)
    assert same(rest.weights, whole.weights)
    assert rest.history == whole.history


def test_training_learns_what_copying_cannot_tell():
    """The next step of a sine follows from two before it."""
    config = CONFIG.model_copy(update={"steps": 300, "look_every": 100})
    made = task(config=config)
    found = fit(made, config, 0)
    idle = without_learning(made.model.modality("x"), VAL)
    assert found.history[-1]["loss"] < 0.5 * min(idle.values())
    assert found.best == 300


def test_the_last_weights_are_kept_or_the_best():
    config = CONFIG.model_copy(update={"look_every": 2, "learning_rate": 0.5})
    last, best = (fit(task("numbers", config=config, keep=keep), config, 0) for keep in ("last", "best"))
    losses = {int(one["step"]): one["loss"] for one in best.history if one["step"]}
    assert last.best == 12
    assert best.best == min(losses, key=lambda step: losses[step])
    late = Curriculum(frozenset({"x"}), 7)
    waited = fit(task("numbers", config=config, keep="best", curriculum=late), config, 0)
    assert waited.best > 7


def test_a_batch_in_parts_is_the_batch():
    parts = CONFIG.model_copy(update={"accumulate": 3})
    whole, divided = fit(task("tokens"), CONFIG, 0), fit(task("tokens", config=parts), parts, 0)
    for one, other in zip(whole.history, divided.history, strict=True):
        # not the weights: attention does not depend on the bias of its keys, whose gradient is rounding alone
        assert [one[name] for name in ("loss", "x", "y") if name in one] == pytest.approx(
            [other[name] for name in ("loss", "x", "y") if name in one], abs=1e-5
        )
    with pytest.raises(UserError, match="cannot be divided into 6 parts"):
        task("tokens", config=CONFIG.model_copy(update={"accumulate": 6})).check(World())


def test_the_ratio_is_how_many_batches_a_step_has():
    made, rare = task("tokens", ratio=2), task("tokens", ratio=Fraction(1, 3))
    assert [made.draw(step, 0, World()).counts["y"].item() for step in range(3)] == [10, 10, 10]
    assert ["y" in rare.draw(step, 0, World()).counts for step in range(6)] == [False, False, True] * 2
    assert {made.draw(step, 0, World()).counts["x"].item() for step in range(3)} == {6}


def test_gradients_of_modalities_are_compared_at_looks():
    found = fit(task("tokens", curriculum=Curriculum(frozenset({"x"}), 4)), CONFIG, 0)
    cosines = [one.get("cosine x|y") for one in found.history]
    assert cosines[:2] == [None, None]
    assert all(-1 <= one <= 1 for one in cosines[2:])


def test_rank_of_a_representation():
    draw = torch.Generator().manual_seed(0)
    assert effective_rank(torch.ones(9, 4)) == 0
    assert effective_rank(torch.randn(9, 1, generator=draw) * torch.ones(1, 4)) == pytest.approx(1)
    assert effective_rank(torch.eye(5)) == pytest.approx(4)
    assert 3.5 < effective_rank(torch.randn(500, 4, generator=draw)) <= 4


def test_what_needs_no_learning():
    modality = network(X).modality("x")
    step = 0.5 * modality.entrance.std[0]
    ramp = modality.entrance.mean[0] + torch.arange(3)[:, None] * step
    found = without_learning(modality, [ramp, X[0]])
    assert found == pytest.approx({"copy": 0.25, "mean": (0.25 + 1) / 2})
    assert without_learning(modality, [X[0]]) == {}
    assert without_learning(network(X, "tokens").modality("y"), words(5)) == {}


@pytest.mark.slow  # a compiler starts
@pytest.mark.filterwarnings("default")  # of the compiler
def test_compiled_training_is_training():
    plain = CONFIG.model_copy(update={"steps": 4})
    compiled = plain.model_copy(update={"compile": True})
    one, other = (fit(task("numbers", config=config), config, 0) for config in (plain, compiled))
    assert [look["loss"] for look in one.history] == pytest.approx([look["loss"] for look in other.history], abs=1e-4)
