"""Which modalities a protocol leaves out of a sample at random, by a fixed draw."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, Field

from harness.base.hashing import derive_seed
from harness.spec.modality import Modality, in_order


class RandomMissing(BaseModel):
    """Each image of query and gallery is absent with this chance, by a fixed draw.

    Attributes:
        percent: The chance of each modality of each sample, 1 to 99.
        seed: Of the draw.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    percent: int = Field(ge=1, le=99)
    seed: int = 0

    def kept(self, name: str, modalities: Iterable[Modality]) -> tuple[Modality, ...]:
        """The modalities that a sample keeps, at least one of those it has.

        The draw depends on the sample's name, the modality, the rate and the seed alone. Where
        all would go, the one drawn highest stays, so a little less is absent than the rate says.

        Args:
            name: The sample's name.
            modalities: Those it has, one or more.
        """
        draws = {
            m: derive_seed("missing", name, m, self.percent, self.seed)
            for m in in_order(modalities)
        }
        stay = [m for m, draw in draws.items() if draw >= self.percent * 2**63 // 100]
        return tuple(stay) or (max(draws, key=lambda m: draws[m]),)

    def in_words(self) -> str:
        """One sentence for people."""
        return (
            f"Left out at test: each image of query and gallery with a chance of {self.percent} %, "
            f"by a hash of the sample's name (seed {self.seed}); every sample keeps at least one."
        )
