import pytest
import torch

from tests.learn.engine.toys import CONFIG, Points
from uml_pipeline.learn.engine import loop
from uml_pipeline.learn.engine.loop import fit


class Killed(Exception):
    pass


def weights_of(task):
    return {name: value.clone() for name, value in task.model.state_dict().items()}


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_training_keeps_the_best_look_and_tells_all_of_them():
    task = Points()
    found = fit(task, CONFIG, 0)
    assert [one["step"] for one in found.history] == [0, 4, 8, 12]
    assert found.score == min(one["score"] for one in found.history) < found.history[0]["score"]
    assert set(found.history[1]) == {"step", "score", "rate", "one", "other", "look", "seen"}
    assert found.best == min(found.history, key=lambda one: one["score"])["step"]
    assert task.model.training


def test_what_was_random_before_is_as_it_was_after():
    torch.manual_seed(7)
    wanted = torch.rand(3)
    torch.manual_seed(7)
    fit(Points(), CONFIG, 0)
    assert torch.equal(torch.rand(3), wanted)


def test_the_seed_decides():
    first, again, other = (fit(Points(), CONFIG, seed) for seed in (0, 0, 1))
    assert same(first.weights, again.weights)
    assert first.history == again.history
    assert not same(first.weights, other.weights)


@pytest.mark.parametrize("options", [{}, {"ema": 0.9}, {"clip": 0.5}, {"precision": "bfloat16"}])
@pytest.mark.parametrize("kill", [5, 7, 11])
def test_killed_and_gone_on_is_as_never_killed(tmp_path, monkeypatch, kill, options):
    config = CONFIG.model_copy(update=options)
    whole = Points()
    wanted = fit(whole, config, 0)

    step = loop._step

    def deadly(task, state, *rest):
        if state.step == kill:
            raise Killed
        return step(task, state, *rest)

    file = tmp_path / "checkpoint.safetensors"
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(loop, "_step", deadly)
        fit(Points(), config, 0, checkpoint=file)
    assert file.is_file()
    rest, told = Points(), []
    found = fit(rest, config, 0, checkpoint=file, advance=lambda steps, taken=0: told.append((steps, taken)))
    assert told[0] == (kill - kill % 5, 0)
    assert sum(steps for steps, _ in told) == 12
    assert {taken for _, taken in told[1:]} == {8}
    assert same(found.weights, wanted.weights)
    assert same(weights_of(rest), weights_of(whole))
    strip = [{key: value for key, value in one.items() if key != "look"} for one in found.history]
    assert strip == [{key: value for key, value in one.items() if key != "look"} for one in wanted.history]


def test_a_batch_in_parts_is_the_batch():
    whole, parts = Points(dropout=0), Points(dropout=0, parts=4)
    fit(whole, CONFIG, 0)
    fit(parts, CONFIG.model_copy(update={"accumulate": 4}), 0)
    for name, value in weights_of(whole).items():
        assert torch.allclose(value, weights_of(parts)[name], atol=1e-6)


def test_training_stops_when_nothing_improves():
    config = CONFIG.model_copy(update={"learning_rate": 1e-12, "look_every": 2, "patience": 2, "steps": 100})
    found = fit(Points(), config, 0)
    assert found.history[-1]["step"] - found.best == 4
    assert found.history[-1]["step"] < 20


def test_clipping_bounds_the_step():
    free, bound = Points(), Points()
    fit(free, CONFIG, 0)
    fit(bound, CONFIG.model_copy(update={"clip": 1e-9}), 0)
    start = weights_of(Points())
    for name, value in weights_of(bound).items():
        assert (value - start[name]).abs().max() <= (weights_of(free)[name] - start[name]).abs().max()


def test_the_average_is_what_is_judged_and_kept():
    task = Points()
    found = fit(task, CONFIG.model_copy(update={"ema": 0.999}), 0)
    start = weights_of(Points())
    far = max((task.model.state_dict()[name] - start[name]).abs().max() for name in start)
    near = max((found.weights[name] - start[name]).abs().max() for name in start)
    assert near < far / 5


def test_matrices_decay_and_others_do_not():
    groups = Points().groups()
    assert [{one.ndim for one in group["params"]} for group in groups] == [{2}, {1}]
    assert [group["weight_decay"] for group in groups] == [0.1, 0.0]


@pytest.mark.slow  # a compiler starts
@pytest.mark.filterwarnings("default")  # of the compiler
def test_compiled_training_is_training():
    found = fit(Points(dropout=0), CONFIG.model_copy(update={"compile": True, "steps": 4}), 0)
    plain = fit(Points(dropout=0), CONFIG.model_copy(update={"steps": 4}), 0)
    for name, value in plain.weights.items():
        assert torch.allclose(found.weights[name], value, atol=1e-5)
