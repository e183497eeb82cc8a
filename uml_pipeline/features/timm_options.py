"""What may follow the question mark of a `timm/` name: how images are prepared, and keywords of the network."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError

from uml_pipeline.config import Config
from uml_pipeline.errors import UserError
from uml_pipeline.features.encoders import Spec


def _three(value: Any) -> Any:
    return [value] * 3 if isinstance(value, int | float) else value


_Side = Annotated[int, Field(ge=1, le=4096)]
_Number = Annotated[float, Field(allow_inf_nan=False)]
_AboveZero = Annotated[_Number, Field(gt=0)]
_ABSENT: Any = Field(default=None)  # `None` itself is no value


class Preprocessing(Config):
    """In timm's own words, for timm.data.resolve_model_data_config; what is absent, the network's name decides."""

    mean: Annotated[tuple[_Number, _Number, _Number], BeforeValidator(_three)] = _ABSENT
    """Of each channel, or one for all; pixels are in [0, 1]."""
    std: Annotated[tuple[_AboveZero, _AboveZero, _AboveZero], BeforeValidator(_three)] = _ABSENT
    interpolation: Literal["nearest", "bilinear", "bicubic", "box", "hamming", "lanczos"] = _ABSENT
    crop_pct: Annotated[_AboveZero, Field(le=1)] = _ABSENT
    """Side of the central square that is seen, as a share of the short side."""
    crop_mode: Literal["center", "squash", "border"] = _ABSENT
    img_size: _Side = _ABSENT
    """Pixels of a side. A network that is built for one size (a vision transformer) is built for this one."""
    input_size: tuple[Literal[3], _Side, _Side] = _ABSENT
    """Channels, height, width."""


def split(spec: Spec) -> tuple[dict[str, Any], dict[str, Any]]:
    """Preprocessing, and the keywords for timm.create_model.

    Raises:
        UserError: a value makes no sense.
    """
    options = spec.options
    wanted = {name: options.pop(name) for name in Preprocessing.model_fields if name in options}
    try:
        return Preprocessing(**wanted).model_dump(exclude_unset=True), options
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        name = problem["loc"][0]
        raise UserError(
            f"`{name}={wanted[str(name)]}` makes no sense: {problem['msg']}",
            where=f"encoder: {spec.name}",
            fix="correct what follows the `?` in `encoder`",
        ) from None
