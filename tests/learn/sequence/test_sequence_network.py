import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import nn

from tests.learn.sequence.sequence_toys import DIM, SHAPE, network, ragged, waves, words
from uml_pipeline.learn.sequence.config import NetworkConfig
from uml_pipeline.learn.sequence.losses import Terms, contrast
from uml_pipeline.learn.sequence.network import SharedNetwork, modality, transformer
from uml_pipeline.learn.sequence.ragged import Ragged
from uml_pipeline.learn.sequence.reader import Reader, describe, reopen, represent
from uml_pipeline.learn.sequence.transformer import Block

SHAPES = [
    SHAPE.model_copy(update={"norm": norm, "positions": positions})
    for norm in ("post", "pre")
    for positions in ("none", "sinusoidal", "learned")
]


LENGTHS = st.lists(st.integers(1, 20), min_size=1, max_size=5)


@given(runs=st.lists(LENGTHS, min_size=1, max_size=3))
def test_padding_and_back(runs):
    """Of several runs, some with fewer sequences than others; every gradient goes where its number came from."""
    sequences = [[torch.rand(n, 2) + 1 for n in lengths] for lengths in runs]
    batch = Ragged.of(sequences)
    values = batch.values.clone().requires_grad_()
    padded = batch.pad(values)
    assert sum(part.shape[0] for part in padded) == sum(map(len, runs))
    whole = batch.unpad([2 * one for one in padded])
    assert torch.equal(whole[batch.real], 2 * torch.cat([one for run in sequences for one in run]))
    weights = torch.rand_like(whole) * batch.real[:, :, None]
    (whole * weights).sum().backward()
    assert torch.equal(values.grad, 2 * weights)
    means = batch.mean(batch.values)
    for run, own in enumerate(sequences):
        assert torch.allclose(means[run, : len(own)], torch.stack([one.mean(0) for one in own]))
        assert batch.lengths[run].tolist() == [len(one) for one in own] + [0] * (len(means[run]) - len(own))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_step_never_sees_a_later_one(shape):
    x = waves(6)
    reader = network(x, shape=shape).eval().reader("x")
    for sequence in x[1:]:
        whole = reader(ragged(sequence))[0]
        for step in range(1, len(sequence)):
            other = sequence.clone()
            other[step:] = 99 * torch.randn(len(sequence) - step, DIM)
            changed = reader(ragged(other))[0]
            assert torch.equal(changed[:step], whole[:step])
            assert not torch.allclose(changed[step], whole[step])


@pytest.mark.parametrize("shape", SHAPES)
def test_who_else_is_in_the_batch_changes_nothing(shape):
    """Neither other samples nor, with longer ones, more padding; nor does a sample's gradient change."""
    x = waves(8)
    net = network(x, "tokens", shape).eval()
    y = words(8)
    alone = {
        "x": torch.cat([net({"x": ragged(one)})["x"] for one in x], 1),
        "y": torch.cat([net({"y": ragged(one)})["y"] for one in y], 1),
    }
    together = net({"x": ragged(*x), "y": ragged(*y)})
    for name, losses in alone.items():
        assert torch.allclose(together[name], losses, atol=1e-5)
    reader = net.reader("x")
    assert torch.allclose(reader.pooled(ragged(*x)), torch.cat([reader.pooled(ragged(one)) for one in x], 1), atol=1e-5)
    weight = net.shared.mix.weight
    (one,) = torch.autograd.grad(alone["x"].sum(), weight)
    (other,) = torch.autograd.grad(net({"x": ragged(*x)})["x"].sum(), weight)
    assert torch.allclose(one, other, atol=1e-4)


@pytest.mark.parametrize("norm", ["post", "pre"])
def test_a_block_is_the_one_of_torch(norm):
    """With the weights of torch's TransformerEncoderLayer it gives what that gives, padded and masked."""
    shape = SHAPE.model_copy(update={"norm": norm})
    theirs = nn.TransformerEncoderLayer(
        shape.width, shape.heads, shape.hidden, dropout=0, batch_first=True, norm_first=norm == "pre"
    )
    ours = Block(shape)
    nn.init.normal_(theirs.self_attn.in_proj_bias)
    pairs = {
        ours.qkv.weight: theirs.self_attn.in_proj_weight,
        ours.qkv.bias: theirs.self_attn.in_proj_bias,
        ours.out.weight: theirs.self_attn.out_proj.weight,
        ours.out.bias: theirs.self_attn.out_proj.bias,
        ours.wide.weight: theirs.linear1.weight,
        ours.wide.bias: theirs.linear1.bias,
        ours.narrow.weight: theirs.linear2.weight,
        ours.narrow.bias: theirs.linear2.bias,
    }
    with torch.no_grad():
        for one, other in pairs.items():
            one.copy_(other[None])
    samples = waves(5, dim=shape.width)
    batch, padded = ragged(*samples), nn.utils.rnn.pad_sequence(samples, batch_first=True)
    steps = torch.arange(padded.shape[1])
    wanted = theirs(
        padded,
        src_mask=nn.Transformer.generate_square_subsequent_mask(len(steps), dtype=torch.bool),
        src_key_padding_mask=steps >= batch.lengths[0][:, None],
    )
    unpadded = torch.cat([row[: len(one)] for row, one in zip(wanted, samples, strict=True)])
    assert torch.allclose(ours(batch.values, batch)[0], unpadded, atol=1e-5)


def test_one_term_less_than_steps_and_one_for_a_single_step():
    batch = Ragged.of([[torch.zeros(n, 1) for n in lengths] for lengths in ((1, 4, 2), (3,))])
    terms = Terms.of(batch)
    assert terms.asked.tolist() == [[True, True, True, True, False, True, False], [True, True, *[False] * 5]]
    steps = torch.arange(14).view(2, 7)
    assert terms.next(steps)[terms.asked].tolist() == [0, 2, 3, 4, 6, 8, 9]
    losses = torch.tensor([[5.0, 1, 2, 3, 99, 4, 99], [6, 7, *[99] * 5]])
    assert terms.mean(losses).tolist() == [[5, 2, 4], [6.5, 0, 0]]


def test_the_loss_is_the_mean_square_of_the_next_standardised_step():
    x = waves(6)
    net = network(x).eval()
    stacked = torch.cat(x)
    assert torch.allclose(net.modality("x").entrance.mean[0], stacked.mean(0), atol=1e-6)
    for one in x:
        truth = (one - stacked.mean(0)) / stacked.std(0, correction=0)
        guess = net.modality("x").decoder(net.reader("x")(ragged(one)))[0]
        wanted = (guess - truth).square().mean() if len(one) == 1 else (guess[:-1] - truth[1:]).square().mean()
        assert torch.allclose(net({"x": ragged(one)})["x"][0, 0], wanted, atol=1e-5)


def test_tokens_are_told_apart():
    net = network(waves(6), "tokens").eval()
    y = words(6)
    reader = net.reader("y")
    for one in y:
        logits = net.modality("y").decoder(reader(ragged(one)))[0]
        logits, truth = (logits, one + 1) if len(one) == 1 else (logits[:-1], one[1:] + 1)
        wanted = nn.functional.cross_entropy(logits, truth)
        assert torch.allclose(net({"y": ragged(one)})["y"][0, 0], wanted, atol=1e-5)


def test_contrast_is_least_where_each_guess_is_its_own_step():
    truth = torch.randn(2, 6, 4, generator=torch.Generator().manual_seed(0))
    asked = torch.tensor([[True] * 6, [True] * 5 + [False]])
    right, wrong = contrast(3 * truth, truth, asked), contrast(truth.roll(1, 1), truth, asked)
    assert (right < wrong).all()
    for run, count in enumerate((6, 5)):
        own = truth[run, :count]
        scores = nn.functional.cosine_similarity(own[:, None], own[None], dim=2) / 0.1
        assert torch.allclose(right[run, :count], torch.logsumexp(scores, 1) - scores.diagonal(), atol=1e-5)


def test_numbers_that_are_missing_or_never_change():
    x = [torch.tensor([[1.0, float("nan"), 5], [3, 2, 5]]), torch.tensor([[5.0, 4, 5]])]
    made = modality("x", x, SHAPE, 0)
    entrance = made.entrance
    assert entrance.mean.tolist() == [[3, 3, 5]]
    assert entrance.std[0].tolist() == pytest.approx([(8 / 3) ** 0.5, 1, 1])
    assert entrance.truth(x[0][None])[0, 0, 1:].tolist() == [0, 0]
    assert SharedNetwork({"x": made}, transformer(SHAPE, 0))({"x": ragged(*x)})["x"].isfinite().all()


@settings(max_examples=5)
@given(seed=st.integers(0, 100))
def test_a_start_depends_on_its_seed_and_name_and_on_no_other_modality(seed):
    x = waves(4)
    alone, beside = network(x, seed=seed).state_dict(), network(x, "tokens", seed=seed).state_dict()
    assert all(torch.equal(value, beside[name]) for name, value in alone.items())
    one, other = (modality(name, words(9), SHAPE, seed).decoder.weight for name in ("y", "z"))
    assert not torch.equal(one, other)
    assert not torch.equal(alone["shared.mix.weight"], network(x, seed=seed + 1).state_dict()["shared.mix.weight"])


def test_a_token_that_the_training_had_not_is_told_from_the_others():
    entrance = modality("y", [torch.tensor([30, 10]), torch.tensor([20])], SHAPE, 0).entrance
    assert entrance.truth(torch.tensor([[10, 20, 30, 5, 25, 99]])).tolist() == [[1, 2, 3, 0, 0, 0]]
    assert entrance.plain(torch.tensor([[20, 7]])).tolist() == [[[0, 0, 1, 0], [1, 0, 0, 0]]]


@pytest.mark.parametrize("beside", ["x", "y"])
@pytest.mark.parametrize("trained", [True, False])
def test_a_reader_is_reopened_without_the_rest(beside, trained):
    net = network(waves(6), "tokens")
    whole = net.reader(beside)
    reader = whole if trained else Reader(whole.entrance, None)
    samples = waves(5, 3) if beside == "x" else words(5, 3)
    again = reopen(json.loads(json.dumps(describe(reader, SHAPE))), reader.state_dict())
    assert not any("decoder" in name for name in again.state_dict())
    assert np.array_equal(represent(again, samples), represent(reader, samples))
    if not trained:
        wanted = [reader.entrance.plain(one[None])[0].mean(0).numpy() for one in samples]
        assert np.allclose(represent(again, samples), wanted, atol=1e-6)


def test_heads_must_divide_the_width():
    with pytest.raises(ValidationError, match="3 heads do not divide a width of 8"):
        NetworkConfig(width=8, heads=3)
