"""`trunk.finetune` of params.yaml."""

from typing import Literal, Self

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveInt, model_validator

from uml_pipeline.learn.engine.config import EngineConfig

ArmName = Literal["unimodal", "unimodal_paper", "unimodal_init", "uml", "uml_init"]


class FinetuneConfig(EngineConfig):
    """How the target's encoder is fine-tuned. The defaults suit a small network on two CPU cores."""

    learning_rate: float = Field(default=3e-4, gt=0)
    """Of the encoder's last layer (AdamW), at the end of the warm-up."""
    head_rate: float = Field(default=1.0, gt=0)
    """Times the learning rate: that of the projection and the shared head."""
    layer_decay: float = Field(default=0.75, gt=0, le=1)
    """Each layer of the encoder learns at this share of the rate of the one after it."""
    batch: PositiveInt = 32
    """Target samples a step, over all processes."""
    auxiliary_batch: PositiveInt = 32
    """Samples a step of each auxiliary silo, over all processes."""
    arms: list[ArmName] = Field(default=["unimodal_paper", "unimodal", "uml", "uml_init"], min_length=1)
    """What is compared. `unimodal`: the target alone, through the same projection; `unimodal_paper`: without the
    projection; `unimodal_init`: the target alone from UML(init)'s head; `uml`; `uml_init`."""
    alphas: list[NonNegativeFloat] = Field(default=[0.3, 1.0], min_length=1, max_length=5)
    """Weights of the auxiliary loss; validation picks one. Arms without that loss pick among as many learning rates."""
    balance: Literal["fixed", "uncertainty"] = "fixed"
    """`uncertainty`: each modality's loss is also divided by a variance that is learnt (Kendall et al., 2018)."""
    standardise: bool = True
    """Whether all vectors are made unit vectors around their modality's centre before projection and head; `false`:
    the paper's form."""
    learnable_scales: bool = True
    """Whether the logit scale of each modality is learnt; it begins at 10, or at 1 where vectors are not standardised.
    """
    augment: Literal["center", "flip", "crop"] = "center"
    """Training images: as the encoder sees them; mirrored or not; a random part (8 to 100% of the area), mirrored or
    not."""
    batch_norm: Literal["train", "frozen"] = "frozen"
    """`train`: the encoder's batch normalisation uses and updates the statistics of its batches; with few samples that
    undoes what it knew (docs/finetuning.md)."""
    probe_steps: NonNegativeInt = 300
    """Steps before, in which the encoder rests and projection and head learn alone, on the features of the stage
    before: quick, and it spares the encoder the gradients of a head that knows nothing (Kumar et al., 2022)."""
    probe_rate: float = Field(default=3e-3, gt=0)
    """The learning rate of these steps."""
    trainable: list[str] = Field(default_factory=list)
    """Auxiliary silos whose encoders learn too; the others' features are those of the stage `features`."""

    @model_validator(mode="after")
    def _baseline(self) -> Self:
        if not {"unimodal", "unimodal_paper"} & set(self.arms):
            raise ValueError("`arms` needs a baseline: `unimodal` or `unimodal_paper`")
        return self
