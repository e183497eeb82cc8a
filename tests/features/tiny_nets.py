"""Networks of random weights, small enough for every test, saved as transformers saves them."""

import io
import json

import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, processors

SMALL = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
SPECIAL = ["<pad>", "<s>", "</s>", "<unk>"]
WORDS = ["a", "the", "red", "cat", "dog", "circle", "someone", "drew", "it", "rather", "long", "sentence", "about"]
WORDS += ["nothing", "at", "all", "to", "have", "more", "tokens"]
VOCABULARY = len(SPECIAL) + len(WORDS)
IMAGES = {"image_size": 32, "patch_size": 8}


def seeded(make, seed=0):
    torch.manual_seed(seed)
    return make().eval()


def word_tokenizer(template="<s> $A </s>", **options):
    """One token a word."""
    vocabulary = {word: place for place, word in enumerate([*SPECIAL, *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    if template:
        ends = [("<s>", 1), ("</s>", 2)]
        tokenizer.post_processor = processors.TemplateProcessing(single=template, special_tokens=ends)
    return transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", **options)


def text_net(kind, seed=0):
    """A network and its tokenizer."""
    places = {"vocab_size": VOCABULARY, "max_position_embeddings": 64}
    if kind == "bert":
        net = seeded(lambda: transformers.BertModel(transformers.BertConfig(**SMALL, **places)), seed)
        return net, word_tokenizer(pad_token="<pad>")
    if kind == "roberta":
        config = transformers.RobertaConfig(**SMALL, **places, pad_token_id=0)
        return seeded(lambda: transformers.RobertaForMaskedLM(config), seed), word_tokenizer(pad_token="<pad>")
    if kind == "gpt2":
        config = transformers.GPT2Config(n_embd=16, n_layer=2, n_head=2, n_positions=64, vocab_size=VOCABULARY)
        return seeded(lambda: transformers.GPT2LMHeadModel(config), seed), word_tokenizer("", eos_token="</s>")
    if kind == "t5":
        config = transformers.T5Config(d_model=16, d_kv=8, d_ff=32, num_layers=2, num_heads=2, vocab_size=VOCABULARY)
        net = seeded(lambda: transformers.T5ForConditionalGeneration(config), seed)
        return net, word_tokenizer("$A </s>", eos_token="</s>", pad_token="<pad>")
    assert kind == "llama"
    config = transformers.LlamaConfig(**SMALL, **places, num_key_value_heads=2)
    return seeded(lambda: transformers.LlamaForCausalLM(config), seed), word_tokenizer("<s> $A", bos_token="<s>")


def save_text_net(folder, kind, seed=0):
    net, tokenizer = text_net(kind, seed)
    net.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return net, tokenizer


def sentence_pieces(texts, **options):
    """A SentencePiece model."""
    import sentencepiece

    model, texts = io.BytesIO(), iter(texts)
    options = {"vocab_size": 340, "byte_fallback": True, "model_type": "bpe", "minloglevel": 2} | options
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=texts, model_writer=model, **options)
    return model.getvalue()


def save_clip(folder, seed=0):
    """Seven tokens are the longest text."""
    text = SMALL | {"vocab_size": VOCABULARY, "max_position_embeddings": 7, "eos_token_id": 2, "bos_token_id": 1}
    config = transformers.CLIPConfig(text_config=text, vision_config=SMALL | IMAGES, projection_dim=12)
    net = seeded(lambda: transformers.CLIPModel(config), seed)
    processor = transformers.CLIPImageProcessor(size={"shortest_edge": 36}, crop_size={"height": 32, "width": 32})
    tokenizer = word_tokenizer(eos_token="</s>", model_max_length=7)
    for one in (net, processor, tokenizer):
        one.save_pretrained(folder)
    return net, processor, tokenizer


def save_siglip(folder, texts, seed=0):
    """Sixteen tokens are every text's length."""
    pieces = sentence_pieces(
        texts, model_type="unigram", vocab_size=30, byte_fallback=False, pad_id=0, eos_id=1, unk_id=2, bos_id=-1
    )
    folder.mkdir()
    (folder / "spiece.model").write_bytes(pieces)
    about = {"tokenizer_class": "SiglipTokenizer", "model_max_length": 16, "do_lower_case": True}
    (folder / "tokenizer_config.json").write_text(json.dumps(about))
    text = SMALL | {"vocab_size": 30, "max_position_embeddings": 16, "projection_size": 16}
    config = transformers.SiglipConfig(text_config=text, vision_config=SMALL | IMAGES)
    net = seeded(lambda: transformers.SiglipModel(config), seed)
    processor = transformers.SiglipImageProcessor(size={"height": 32, "width": 32})
    net.save_pretrained(folder)
    processor.save_pretrained(folder)
    return net, processor, transformers.SiglipTokenizer.from_pretrained(folder)


def image_net(kind, seed=0):
    """A network and its image processor."""
    size = {"size": {"height": 32, "width": 32}}
    if kind == "vit":
        config = transformers.ViTConfig(**SMALL, **IMAGES)
        return seeded(lambda: transformers.ViTForImageClassification(config), seed), transformers.ViTImageProcessor(
            **size
        )
    if kind == "dinov2":
        config = transformers.Dinov2Config(**SMALL, **IMAGES)
        return seeded(lambda: transformers.Dinov2Model(config), seed), transformers.BitImageProcessor(**size)
    assert kind == "resnet"
    config = transformers.ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic")
    return seeded(lambda: transformers.ResNetModel(config), seed), transformers.ConvNextImageProcessor(
        size={"shortest_edge": 32}
    )


def save_image_net(folder, kind, seed=0):
    net, processor = image_net(kind, seed)
    net.save_pretrained(folder)
    processor.save_pretrained(folder)
    return net, processor
