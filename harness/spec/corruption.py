"""What a protocol says of corruptions, and what is drawn for each image; no pixels here."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

from pydantic import BaseModel, ConfigDict, Field

from harness.base.hashing import derive_seed
from harness.spec.modality import MODALITIES, Modality

Noise = Literal["gaussian-noise", "shot-noise", "impulse-noise", "speckle-noise"]
Blur = Literal["defocus-blur", "glass-blur", "motion-blur", "zoom-blur", "gaussian-blur"]
Weather = Literal["snow", "frost", "fog", "rain"]
Digital = Literal["brightness", "contrast", "saturate", "elastic", "pixelate", "jpeg", "spatter"]
Kind = Noise | Blur | Weather | Digital

NOISES: tuple[Kind, ...] = get_args(Noise)
BLURS: tuple[Kind, ...] = get_args(Blur)
WEATHERS: tuple[Kind, ...] = get_args(Weather)
DIGITALS: tuple[Kind, ...] = get_args(Digital)
KINDS: tuple[Kind, ...] = NOISES + BLURS + WEATHERS + DIGITALS
"""The twenty kinds of CIL's benchmark (Chen et al., NeurIPS 2021), drawn by our own code."""

# What hits one sensor alone, so that cameras that look together still differ in it.
_OF_ONE_SENSOR = tuple(k for k in NOISES + DIGITALS if k != "spatter")


class Corruption(BaseModel):
    """Which images of a side are corrupted, and how, as data.

    Attributes:
        kind: One of the twenty, or `mixed`: drawn for each image.
        severity: 1 to 5, or `mixed`: drawn for each image.
        modalities: Those whose images are corrupted; the others stay clean.
        mode: `independent` draws for each modality of a sample by itself. `correlated` lets the
            cameras of a sample share what they would share outdoors: weather has one kind,
            severity and random field for all; blur and spatter one kind, each camera its own
            severity; everything else each camera draws itself (the scheme CCD of Josi et al.).
        sides: `both`, or `query` against a clean gallery.
        seed: Of everything drawn.
        version: Raised when the pixels of any kind change.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind | Literal["mixed"]
    severity: Literal[1, 2, 3, 4, 5, "mixed"]
    modalities: tuple[Modality, ...] = Field(default=MODALITIES, min_length=1)
    mode: Literal["independent", "correlated"] = "independent"
    sides: Literal["query", "both"] = "both"
    seed: int = 0
    version: int = 1

    def drawn(self, name: str, modality: Modality) -> Drawn | None:
        """What happens to one image; None when it stays as it is.

        The draw depends on the arguments and this object alone: no order, batch or machine.

        Args:
            name: The sample's name.
            modality: Which of its images.
        """
        if modality not in self.modalities:
            return None
        kind, shares_field = self._kind(name, modality)
        if kind == "saturate" and modality != "RGB":
            return None  # a camera of one channel has no saturation
        severity = self._severity(name, "all" if shares_field else modality)
        field = derive_seed(
            "corruption", name, "all" if shares_field else modality, kind, severity, self.seed
        )
        return Drawn(kind, severity, field)

    def _kind(self, name: str, modality: Modality) -> tuple[Kind, bool]:
        """The kind of one image, and whether all cameras share its field."""
        if self.mode == "independent":
            return self._one_of(KINDS, name, modality), False
        shared = self._one_of(KINDS, name, "all")
        if shared in _OF_ONE_SENSOR and self.kind == "mixed":
            return self._one_of(_OF_ONE_SENSOR, name, modality), False
        return shared, shared in WEATHERS

    def _one_of(self, kinds: tuple[Kind, ...], name: str, who: str) -> Kind:
        if self.kind != "mixed":
            return self.kind
        if who in ("NI", "TI"):
            kinds = tuple(k for k in kinds if k != "saturate")
        return kinds[derive_seed("kind", name, who, self.seed) % len(kinds)]

    def _severity(self, name: str, who: str) -> int:
        if self.severity != "mixed":
            return self.severity
        return 1 + derive_seed("severity", name, who, self.seed) % 5

    def in_words(self) -> str:
        """One sentence for people."""
        kind = "of a kind drawn for each image" if self.kind == "mixed" else f"by {self.kind}"
        severity = "1 to 5, drawn too" if self.severity == "mixed" else str(self.severity)
        sides = "query images" if self.sides == "query" else "query and gallery images"
        together = {
            "independent": "each modality by itself",
            "correlated": "weather alike in all modalities, blur and spatter of one kind",
        }[self.mode]
        return (
            f"Corrupted at test: the {'+'.join(self.modalities)} {sides} {kind}, severity "
            f"{severity}, {together}; seeded by a hash of the sample's name (seed {self.seed})."
        )


class Drawn(NamedTuple):
    """The corruption of one image: its kind, its severity 1 to 5, the seed of its field."""

    kind: Kind
    severity: int
    field: int
