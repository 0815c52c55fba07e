"""What a method declares (light, no torch) and the three functions it gives."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from pydantic import BaseModel, ConfigDict, Field, model_validator

from harness.spec.modality import MODALITIES, Modality

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, nn

MissingPolicy = Literal["none", "zero_normalised", "skip_branch", "impute", "native"]
"""What a method does with an absent modality (design rule 5).

`none`: it cannot take one; `zero_normalised`: it sees zeros after normalisation, the authors' grey
image; `skip_branch`: that branch is left out; `impute`: its features are made from the others;
`native`: the method is made for it.
"""


TEST_CAMERA = "test-camera"
"""The tag of a method that is told the camera of each test image."""

TEST_TEXT = "text-at-test"
"""The tag of a method that is given captions of images, in training and at test."""


class Claim(BaseModel):
    """A number printed in a paper, in percent, with the place it was read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    protocol: str
    source: str
    mAP: float
    R1: float
    R5: float | None = None
    R10: float | None = None
    mINP: float | None = None


class NoConfig(BaseModel):
    """The config of a method that has none: every key is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class MethodInfo(BaseModel):
    """The declaration of a method; `info.py` holds one and imports nothing heavy.

    Attributes:
        name: The word after `--method`.
        target: "package.module:Class", imported only when the method is built.
        uses: Packages beside the target's own whose code decides its numbers, so that they are in
            the code's hash.
        title, paper, venue, year, url: Where the method comes from.
        modalities: The modalities it can take; it may be asked for any non-empty subset.
        missing: What it does with an absent modality of a sample at test.
        config: The pydantic model of its options (`extra="forbid"`); the recipe's `[config]`.
        backbone: What a table says of its network, such as "ResNet-50"; empty where it is a choice.
        hub_pretraining: What the weights that a recipe calls `imagenet` were learnt on, as claims
            name it, where that is something else.
        tags: What a reader must know of its numbers, such as `test-camera` (design rule 6). A
            method with that tag is told the camera of each test image, and refused data whose test
            cameras it did not learn. One with `text-at-test` is given captions, and refused data
            without them.
        camera_switch: The config key of such a method that turns its camera embedding off where
            its value is false: then it is told nothing and refused nothing. Tables show the tag
            at all rows of the method.
        input_size: (height, width) of a network made for one size; every recipe is given it.
        common_config: What its descriptor needs under the recipe `common`, which is one for all
            methods and so says nothing of `config`: such as to be divided by its length.
        recipes: The folder with its recipe files, if it has one.
        tables: The folder with its plans for `harness table`, if it has one.
        claims: What the paper says it reaches.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    target: str = Field(pattern=r"^[\w.]+:\w+$")
    uses: tuple[str, ...] = ()
    title: str = ""
    paper: str = ""
    venue: str = ""
    year: int | None = None
    url: str = ""
    modalities: tuple[Modality, ...] = MODALITIES
    missing: MissingPolicy = "none"
    config: type[BaseModel] = NoConfig
    backbone: str = ""
    hub_pretraining: str = "imagenet"
    tags: tuple[str, ...] = ()
    camera_switch: str = ""
    input_size: tuple[int, int] | None = None
    common_config: dict[str, Any] = {}
    recipes: Path | None = None
    tables: Path | None = None
    claims: tuple[Claim, ...] = ()

    @model_validator(mode="after")
    def _switch_is_there(self) -> MethodInfo:
        if self.camera_switch and TEST_CAMERA not in self.tags:
            raise ValueError(f"camera_switch belongs to a method with the tag {TEST_CAMERA!r}")
        if self.camera_switch and self.camera_switch not in self.config.model_fields:
            raise ValueError(f"camera_switch: the config has no key {self.camera_switch!r}")
        return self

    @model_validator(mode="after")
    def _common_config_fits(self) -> MethodInfo:
        self.config.model_validate(self.common_config)
        return self

    def is_told_cameras(self, config: BaseModel) -> bool:
        """Whether this method with this config is told the cameras of test images."""
        switch = self.camera_switch
        return TEST_CAMERA in self.tags and (not switch or bool(getattr(config, switch)))

    @property
    def is_told_text(self) -> bool:
        """Whether this method is given captions."""
        return TEST_TEXT in self.tags


class DataInfo(NamedTuple):
    """What a method may know about the data when it is built."""

    classes: int
    """Identities in train; labels are 0..classes-1."""
    modalities: tuple[Modality, ...]
    """Modalities of this run, in order; a method builds one stream for each."""
    height: int
    width: int
    pretrained: str
    """`imagenet` (from the hub), `none`, or the path of a local weights file."""
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    """What images are normalised with, for methods whose weights were trained with others."""
    cameras: int = 0
    """Cameras in train, for a camera embedding; 0 where the data set names none, that is, where
    all its images have one number."""


class Batch(NamedTuple):
    """What a method sees: normalised images by modality, and who is on them."""

    images: dict[Modality, Tensor]
    """Each (n, 3, height, width), float; the rows of an absent image are zero.

    A modality that a whole side lacks (cross-modal, missing at test) is no key at all. A method
    whose policy is not `none` must embed such a batch, and one with single rows absent.
    """
    present: dict[Modality, Tensor]
    """Each (n,) bool, the keys of `images`: whether the sample has this modality at all."""
    pids: Tensor
    """(n,) int64, labels 0..classes-1 in training; at test, -1: a method never sees them."""
    camids: Tensor | None = None
    """(n,) int64, 0-based in the order of the training set's sorted cameras; None where the data
    set names none.

    At test only a method tagged `test-camera` is given them, and every camera is one of train's.
    """
    there: dict[Modality, NDArray[np.bool_]] | None = None
    """`present` again, on the host: what decides a shape can be read here without a wait for the
    device. A batch that the harness makes has it; one made by hand need not.
    """
    text: dict[Modality, Tensor] | None = None
    """Each (n, 77) int64, the ids of a caption as `harness.spec.text.framed` lays them; given to a
    method tagged `text-at-test` alone, in training and at test.

    Where an image or its caption is absent, these are the ids of an empty one. A modality that a
    whole side lacks is no key, unless the protocol keeps the captions of missing images.
    """


class Method(Protocol):
    """The three functions of a method. The class named by `MethodInfo.target` gives them.

    A class may have more, each used where it is there:

    - `train(training, model)`: instead of the harness's loop (`harness.training.loop.Training`).
    - `lr_scales(model) -> list[tuple[float, list[Parameter]]]`: these parameters learn at so many
      times the recipe's rate; the others at the rate itself.
    - `start_epoch(model, epoch)`: called before each epoch, counted from 0. What it keeps must be
      in the model's buffers, so that a training that was cut off goes on alike.
    - `modality_columns(model) -> dict[Modality, tuple[int, int]]`: which columns of the
      descriptor, from and up to, come from one modality alone.
    - `text_prompt(config, modality) -> Sequence[int]`: ids of CLIP's byte pairs that stand before
      each caption of a modality, for a method that is given captions.
    - `import_state(state) -> dict[str, Tensor]`: weights under its authors' names, in ours.
    - `pair(model, slots, query_modalities, gallery_modalities) -> tuple[Tensor, Tensor]`: the
      descriptors of queries and gallery under a protocol that gives the two sides different
      modalities, such as `RGB+TI>NI+TI`, where what is compared depends on both sets. `slots` is
      what `embed` gave of either side, (q, d) and (g, d) float32 on the model's device; the answer
      is (q, e) and (g, e), finite, of any e from 1. It sees all rows of a side, and a row of it may
      depend on that row alone. Kept, scored and re-ranked is what it gives. Where both sides have
      the same modalities it is not asked; a method without it is compared by `embed` alone.
    - `notes(config, device) -> dict[str, str]`: what a record is to say of how it was computed
      here, such as which of two libraries did it.
    """

    def build(self, config: Any, data: DataInfo) -> nn.Module:
        """A new model, randomly initialised from torch's global generator, or pretrained."""
        ...

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """The scalar terms of the loss, already weighted; the harness minimises their sum.

        Under torchrun the model computes a part of the batch in each process, and `loss` sees all
        of it. So what `model(...)`, or a layer of it, gives in training has the images on the first
        axis, and looks at other images by batch normalisation alone; cameras are handed to it
        beside the images (`model(batch.images, batch.camids)`), so that each process has its part
        of them. What looks at the whole batch belongs here, with the layers it needs taken from
        `getattr(model, "module", model)`.

        On a GPU a step is recorded once and repeated: what changes from step to step must be a
        tensor, such as a buffer, and what changes from epoch to epoch is set in `start_epoch`.
        """
        ...

    def embed(self, model: nn.Module, batch: Batch) -> Tensor:
        """The (n, d) descriptors in eval mode, each independent of the rest of the batch."""
        ...
