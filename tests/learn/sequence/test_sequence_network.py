import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import nn

from tests.learn.sequence.sequence_toys import DIM, SHAPE, network, waves, words
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


@given(lengths=st.lists(st.integers(1, 6), min_size=1, max_size=5))
def test_padding_and_back(lengths):
    sequences = [torch.rand(n, 2) + 1 for n in lengths]
    batch = Ragged.of(sequences)
    padded = batch.pad(batch.values)
    assert padded.shape == (len(lengths), max(lengths), 2)
    for row, sequence in zip(padded, sequences, strict=True):
        assert torch.equal(row[: len(sequence)], sequence)
        assert not row[len(sequence) :].any()
    assert torch.equal(batch.unpad(padded), batch.values)
    assert torch.allclose(batch.mean(batch.values), torch.stack([one.mean(0) for one in sequences]))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_step_never_sees_a_later_one(shape):
    x = waves(6)
    reader = network(x, shape=shape).eval().reader("x")
    for sequence in x[1:]:
        whole = reader(Ragged.of([sequence]))
        for step in range(1, len(sequence)):
            other = sequence.clone()
            other[step:] = 99 * torch.randn(len(sequence) - step, DIM)
            changed = reader(Ragged.of([other]))
            assert torch.equal(changed[:step], whole[:step])
            assert not torch.allclose(changed[step], whole[step])


@pytest.mark.parametrize("shape", SHAPES)
def test_who_else_is_in_the_batch_changes_nothing(shape):
    """Neither other samples nor, with longer ones, more padding; nor does a sample's gradient change."""
    x = waves(8)
    net = network(x, "tokens", shape).eval()
    y = words(8)
    alone = {
        "x": torch.cat([net({"x": Ragged.of([one])})["x"] for one in x]),
        "y": torch.cat([net({"y": Ragged.of([one])})["y"] for one in y]),
    }
    together = net({"x": Ragged.of(x), "y": Ragged.of(y)})
    for name, losses in alone.items():
        assert torch.allclose(together[name], losses, atol=1e-5)
    reader = net.reader("x")
    assert torch.allclose(
        reader.pooled(Ragged.of(x)), torch.cat([reader.pooled(Ragged.of([one])) for one in x]), atol=1e-5
    )
    weight = net.shared.mix.weight
    (one,) = torch.autograd.grad(alone["x"].sum(), weight)
    (other,) = torch.autograd.grad(net({"x": Ragged.of(x)})["x"].sum(), weight)
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
        ours.perceptron[0].weight: theirs.linear1.weight,
        ours.perceptron[0].bias: theirs.linear1.bias,
        ours.perceptron[3].weight: theirs.linear2.weight,
        ours.perceptron[3].bias: theirs.linear2.bias,
    }
    with torch.no_grad():
        for one, other in pairs.items():
            one.copy_(other)
    batch = Ragged.of(waves(5, dim=shape.width))
    steps = torch.arange(batch.longest)
    wanted = theirs(
        batch.pad(batch.values),
        src_mask=nn.Transformer.generate_square_subsequent_mask(batch.longest, dtype=torch.bool),
        src_key_padding_mask=steps >= batch.lengths[:, None],
    )
    assert torch.allclose(ours(batch.values, batch), batch.unpad(wanted), atol=1e-5)


def test_one_term_less_than_steps_and_one_for_a_single_step():
    batch = Ragged.of([torch.zeros(n, 1) for n in (1, 4, 2)])
    terms = Terms.of(batch)
    assert terms.here.tolist() == [0, 1, 2, 3, 5]
    assert terms.there.tolist() == [0, 2, 3, 4, 6]
    assert terms.owner.tolist() == [0, 1, 1, 1, 2]
    assert terms.counts.tolist() == [1, 3, 1]
    assert terms.mean(torch.tensor([5.0, 1, 2, 3, 4])).tolist() == [5, 2, 4]


def test_the_loss_is_the_mean_square_of_the_next_standardised_step():
    x = waves(6)
    net = network(x).eval()
    stacked = torch.cat(x)
    assert torch.allclose(net.modality("x").entrance.mean, stacked.mean(0), atol=1e-6)
    for one in x:
        truth = (one - stacked.mean(0)) / stacked.std(0, correction=0)
        guess = net.modality("x").decoder(net.reader("x")(Ragged.of([one])))
        wanted = (guess - truth).square().mean() if len(one) == 1 else (guess[:-1] - truth[1:]).square().mean()
        assert torch.allclose(net({"x": Ragged.of([one])})["x"], wanted, atol=1e-5)


def test_tokens_are_told_apart():
    net = network(waves(6), "tokens").eval()
    y = words(6)
    reader = net.reader("y")
    for one in y:
        logits = net.modality("y").decoder(reader(Ragged.of([one])))
        logits, truth = (logits, one + 1) if len(one) == 1 else (logits[:-1], one[1:] + 1)
        wanted = nn.functional.cross_entropy(logits, truth)
        assert torch.allclose(net({"y": Ragged.of([one])})["y"][0], wanted, atol=1e-5)


def test_contrast_is_least_where_each_guess_is_its_own_step():
    truth = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    right, wrong = contrast(3 * truth, truth), contrast(truth.roll(1, 0), truth)
    assert (right < wrong).all()
    scores = nn.functional.cosine_similarity(truth[:, None], truth[None], dim=2) / 0.1
    assert torch.allclose(right, torch.logsumexp(scores, 1) - scores.diagonal(), atol=1e-5)


def test_numbers_that_are_missing_or_never_change():
    x = [torch.tensor([[1.0, float("nan"), 5], [3, 2, 5]]), torch.tensor([[5.0, 4, 5]])]
    made = modality("x", x, SHAPE, 0)
    entrance = made.entrance
    assert entrance.mean.tolist() == [3, 3, 5]
    assert entrance.std.tolist() == pytest.approx([(8 / 3) ** 0.5, 1, 1])
    assert entrance.truth(x[0])[0, 1:].tolist() == [0, 0]
    assert SharedNetwork({"x": made}, transformer(SHAPE, 0))({"x": Ragged.of(x)})["x"].isfinite().all()


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
    assert entrance.truth(torch.tensor([10, 20, 30, 5, 25, 99])).tolist() == [1, 2, 3, 0, 0, 0]
    assert entrance.plain(torch.tensor([20, 7])).tolist() == [[0, 0, 1, 0], [1, 0, 0, 0]]


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
        wanted = [reader.entrance.plain(one).mean(0).numpy() for one in samples]
        assert np.allclose(represent(again, samples), wanted, atol=1e-6)


def test_heads_must_divide_the_width():
    with pytest.raises(ValidationError, match="3 heads do not divide a width of 8"):
        NetworkConfig(width=8, heads=3)
