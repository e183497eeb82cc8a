"""`builtin/vit`: a vision transformer whose blocks are a language model's, to be fine-tuned (UML, sec. 4.3)."""

from pathlib import Path
from typing import Any, Literal

import torch
from PIL import Image
from pydantic import Field, ValidationError
from torch import Tensor, nn

from uml_pipeline.config import Config
from uml_pipeline.errors import UserError
from uml_pipeline.features.encoders import WEIGHTS, Spec, digest
from uml_pipeline.features.torch_images import Channels, ImageEncoder, ready, state_bytes


class Options(Config):
    """What may follow the question mark."""

    init: Literal["minilm", "scratch"] = "minilm"
    """`minilm`: the blocks are those of all-MiniLM-L6-v2, trained on texts; `scratch`: at random."""
    img_size: int = Field(default=224, ge=8, le=1024)
    """Pixels of a side."""
    patch: int = Field(default=16, ge=2, le=64)
    """Pixels of a patch's side."""
    seed: int = Field(default=0, ge=0)
    """Of what begins at random."""


class LanguageVit(nn.Module):
    """Patches to vectors, a class token and learned places, then MiniLM's six post-norm blocks with full attention:
    [image, 3, side, side] -> [image, 384], the class token. Patches, token and places begin at random in any case.
    """

    def __init__(self, options: Options) -> None:
        from transformers.models.bert.modeling_bert import BertEncoder

        super().__init__()
        config = _config()
        width, places = config.hidden_size, (options.img_size // options.patch) ** 2 + 1
        self.patch_embed = nn.Conv2d(3, width, options.patch, options.patch)
        self.class_embed = nn.Parameter(0.02 * torch.randn(1, 1, width))
        self.place_embed = nn.Parameter(0.02 * torch.randn(1, places, width))
        self.embed_norm = nn.LayerNorm(width, eps=config.layer_norm_eps)  # as BERT's: its blocks expect such input
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.blocks = BertEncoder(config)

    def forward(self, images: Tensor) -> Tensor:
        """See the class."""
        patches = self.patch_embed(images).flatten(2).mT
        tokens = torch.cat([self.class_embed.expand(len(patches), -1, -1), patches], 1) + self.place_embed
        return self.blocks(self.dropout(self.embed_norm(tokens))).last_hidden_state[:, 0]

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        """As timm's networks have it: activations are computed again."""
        for block in self.blocks.layer:
            block.gradient_checkpointing = enable


class LanguageVitEncoder(ImageEncoder):
    """Squares of any side that is a multiple of the patch's."""

    mean: Channels = (0.485, 0.456, 0.406)
    std: Channels = (0.229, 0.224, 0.225)

    def __init__(self, spec: Spec) -> None:
        """Build the network; `checkpoint` is one that was exported.

        Raises:
            UserError: an option makes no sense.
        """
        import timm

        super().__init__(spec)
        options = _read(spec)
        self.net = _build(options, spec.checkpoint)
        ready(self.net)
        self.dim = self.net.embed_norm.normalized_shape[0]
        size = (3, options.img_size, options.img_size)
        self._pixels = timm.data.create_transform(size, crop_pct=1.0, interpolation="bicubic", normalize=False)
        self.recipe = " ".join(str(self._pixels).split())
        words = f"vit 1 {options.img_size} {options.patch}".encode()
        self.fingerprint = digest([words, *state_bytes(self.net.state_dict())])
        self.space = self.fingerprint

    def pixels(self, image: Image.Image) -> Tensor:
        """See ImageEncoder."""
        return self._pixels(image)

    def export(self, folder: Path) -> None:
        """Write the weights as `folder`/encoder.safetensors."""
        from safetensors.torch import save_file

        save_file({key: value.contiguous() for key, value in self.net.state_dict().items()}, folder / WEIGHTS)


def _read(spec: Spec) -> Options:
    try:
        options = Options(**spec.chosen(*Options.model_fields))
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        where, fix = f"encoder: {spec.name}", "correct what follows the `?` in `encoder`"
        raise UserError(f"`{problem['loc'][0]}` makes no sense: {problem['msg']}", where=where, fix=fix) from None
    if options.img_size % options.patch:
        fix = "choose a side that is a multiple of the patch's"
        where = f"img_size={options.img_size}, patch={options.patch}"
        raise UserError("the image cannot be cut into whole patches", where=where, fix=fix)
    return options


def _build(options: Options, checkpoint: Path | None) -> Any:
    from safetensors.torch import load_file

    from uml_pipeline.features.minilm import load_pretrained

    with torch.random.fork_rng([]):
        torch.manual_seed(options.seed)
        net = LanguageVit(options)
        net.blocks.apply(_as_bert)
    if checkpoint:
        net.load_state_dict(load_file(checkpoint))
    elif options.init == "minilm":
        net.blocks.load_state_dict(load_pretrained()[1].encoder.state_dict())
    return net


def _as_bert(part: nn.Module) -> None:
    """How BERT's own weights begin."""
    if isinstance(part, nn.Linear):
        nn.init.normal_(part.weight, std=_config().initializer_range)
        nn.init.zeros_(part.bias)


def _config() -> Any:
    """MiniLM's."""
    from transformers import BertConfig

    from uml_pipeline.features.minilm import folder

    return BertConfig.from_pretrained(folder(), attn_implementation="sdpa")
