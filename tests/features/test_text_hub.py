import json
import shutil

import numpy as np
import pytest
import torch
from tokenizers import normalizers

from tests.features.test_encoders import TEXTS, minilm_folder, silo, vectors_do_not_depend_on_neighbours
from tests.features.tiny_nets import save_image_net, save_text_net, sentence_pieces, text_net
from uml_pipeline.errors import UserError
from uml_pipeline.features import create_encoder, load_encoder
from uml_pipeline.features.minilm import embed

KINDS = ("bert", "roberta", "gpt2", "t5", "llama")
SENTENCES = ["a red circle", "someone drew it", "a rather long sentence about nothing at all", "red", "a cat", "a dog"]


def made(folder, name="net", options=""):
    return create_encoder(silo(f"transformers/{name}{options}", "text"), folder)


def by_hand(net, tokenizer, text):
    """Last hidden states [token, dim], as transformers' documentation says."""
    ids = torch.tensor([tokenizer(text)["input_ids"]])
    base = net.get_encoder() if net.config.is_encoder_decoder else net.base_model
    with torch.inference_mode():
        return base(input_ids=ids).last_hidden_state[0].numpy()


@pytest.mark.parametrize("kind", KINDS)
def test_neighbours_change_nothing(tmp_path, kind):
    save_text_net(tmp_path / "net", kind)
    encoder = made(tmp_path)
    assert encoder.dim == 16
    vectors_do_not_depend_on_neighbours(encoder, SENTENCES)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("options", "pooled"),
    [
        ("", lambda hidden: hidden.mean(0)),
        ("?pooling=mean", lambda hidden: hidden.mean(0)),
        ("?pooling=cls", lambda hidden: hidden[0]),
        ("?pooling=last", lambda hidden: hidden[-1]),
    ],
)
def test_pooling(tmp_path, kind, options, pooled):
    net, tokenizer = save_text_net(tmp_path / "net", kind)
    expected = [pooled(by_hand(net, tokenizer, text)) for text in SENTENCES]
    assert np.allclose(made(tmp_path, options=options).encode(SENTENCES), expected, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_export_is_self_contained(tmp_path, kind):
    """Shipped after it has been used, which leaves traces in tokenizers."""
    save_text_net(tmp_path / "net", kind)
    encoder = made(tmp_path)
    vectors = encoder.encode(SENTENCES)
    (tmp_path / "model").mkdir()
    encoder.export(tmp_path / "model")
    shutil.rmtree(tmp_path / "net")
    loaded = load_encoder(json.loads(json.dumps(encoder.describe())), tmp_path / "model")
    assert np.array_equal(loaded.encode(SENTENCES), vectors)


@pytest.mark.parametrize("kind", KINDS)
def test_too_long_texts_are_cut_and_empty_ones_have_vectors(tmp_path, kind):
    save_text_net(tmp_path / "net", kind)
    vectors = made(tmp_path).encode(["cat " * 2000, "cat " * 3000, "", " "])
    assert np.isfinite(vectors).all()
    assert np.array_equal(vectors[0], vectors[1])


def test_t5_is_shipped_without_its_decoder(tmp_path):
    from safetensors import safe_open

    save_text_net(tmp_path / "net", "t5")
    made(tmp_path).export(tmp_path)
    with safe_open(tmp_path / "encoder" / "model.safetensors", "pt") as file:
        assert not any("decoder" in name for name in file.keys())  # noqa: SIM118


def test_what_only_another_task_needs_may_lack(tmp_path):
    """A RoBERTa checkpoint has no pooler: transformers would draw one at random, another one each time."""
    save_text_net(tmp_path / "net", "roberta")
    assert made(tmp_path).fingerprint == made(tmp_path).fingerprint


@pytest.mark.parametrize("kind", KINDS)
def test_weights_words_and_pooling_make_the_fingerprint(tmp_path, kind):
    for name, seed in (("net", 0), ("weights", 1), ("words", 0)):
        save_text_net(tmp_path / name, kind, seed)
    tokenizer = text_net("bert")[1]
    tokenizer.backend_tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.save_pretrained(tmp_path / "words")
    encoders = [made(tmp_path, name) for name in ("net", "weights", "words")] + [
        made(tmp_path, options="?pooling=last")
    ]
    assert len({encoder.fingerprint for encoder in encoders}) == 4
    assert made(tmp_path).fingerprint == encoders[0].fingerprint


def test_a_folder_of_minilm_equals_the_built_in_one(tmp_path):
    (tmp_path / "mini").symlink_to(minilm_folder())
    encoder = made(tmp_path, "mini")
    assert np.array_equal(encoder.encode(TEXTS), embed(TEXTS))
    assert encoder.space not in ("minilm", "")


@pytest.mark.parametrize("rule", ["nmt_nfkc", "identity"])
def test_openllama_is_read_by_sentencepiece_itself(tmp_path, rule):
    """Its checkpoints have no tokenizer.json, and what transformers makes of their tokenizer.model differs."""
    import sentencepiece

    texts = [*SENTENCES, *TEXTS, "two  spaces", "ﬁne ｗide letters", "naïve 😀", "tab\there"]
    net, _ = save_text_net(tmp_path / "net", "llama")
    net.resize_token_embeddings(340)
    net.save_pretrained(tmp_path / "net")
    for file in ("tokenizer.json", "tokenizer_config.json"):
        (tmp_path / "net" / file).unlink()
    model = sentence_pieces(TEXTS * 4, normalization_rule_name=rule, vocab_size=340)
    (tmp_path / "net" / "tokenizer.model").write_bytes(model)
    encoder = made(tmp_path)
    pieces = sentencepiece.SentencePieceProcessor(model_proto=model)
    for text in texts:
        ids = [pieces.bos_id(), *pieces.encode(text)]
        assert encoder.prepare([text])[0].tolist() == ids
        with torch.inference_mode():
            hidden = net.base_model(torch.tensor([ids])).last_hidden_state[0]
        assert np.allclose(encoder.encode([text])[0], hidden.mean(0), atol=1e-5)
    (tmp_path / "model").mkdir()
    encoder.export(tmp_path / "model")
    assert np.array_equal(load_encoder(encoder.describe(), tmp_path / "model").encode(texts), encoder.encode(texts))


@pytest.mark.parametrize(
    ("options", "words"),
    [("?pooling=max", "mean, cls, last"), ("?poolin=cls", "unknown option 'poolin'")],
)
def test_wrong_options_are_refused(tmp_path, options, words):
    save_text_net(tmp_path / "net", "bert")
    with pytest.raises(UserError) as caught:
        made(tmp_path, options=options)
    assert words in str(caught.value)


def test_damaged_and_other_networks_are_refused(tmp_path):
    save_image_net(tmp_path / "image", "vit")
    net, _ = save_text_net(tmp_path / "lacks", "bert")
    state = {key: value for key, value in net.state_dict().items() if "layer.1" not in key}
    net.save_pretrained(tmp_path / "lacks", state_dict=state)
    net, _ = save_text_net(tmp_path / "pickle", "bert")
    torch.save(net.state_dict(), tmp_path / "pickle" / "pytorch_model.bin")
    (tmp_path / "pickle" / "model.safetensors").unlink()
    save_text_net(tmp_path / "silent", "bert")
    (tmp_path / "silent" / "tokenizer.json").unlink()
    save_text_net(tmp_path / "code", "bert")
    edit(tmp_path / "code" / "config.json", model_type="mine", auto_map={"AutoConfig": "mine.Config"})
    (tmp_path / "code" / "mine.py").write_text("raise SystemExit('was run')")
    for name in ("image", "lacks", "pickle", "silent", "code"):
        with pytest.raises(UserError) as caught:
            made(tmp_path, name)
        assert "cannot be loaded" in str(caught.value) or "no text network" in str(caught.value)
        assert caught.value.where
        assert caught.value.fix


def edit(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
