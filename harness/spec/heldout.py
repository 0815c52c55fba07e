"""Validation made of training identities, as data: who is held out of a training."""

from __future__ import annotations

from collections.abc import Mapping, Set

from pydantic import BaseModel, ConfigDict, Field

from harness.base.errors import ProtocolError
from harness.base.hashing import derive_seed


class HeldOut(BaseModel):
    """Some train identities are not trained on; they are query and gallery instead of test.

    Attributes:
        identities: How many; only those count that are seen in two of what the filter compares
            (cameras, scenes or views), because any other would have no match to find.
        seed: Of the draw.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    identities: int = Field(ge=2)
    seed: int = 0

    def chosen(self, seen_by: Mapping[int, Set[int]]) -> frozenset[int]:
        """The held-out pids, the same on every machine.

        Args:
            seen_by: For each train pid, the cameras (scenes, views) that saw it.

        Raises:
            ProtocolError: Too few identities seen twice, or too few left to train on.
        """
        able = [pid for pid, places in seen_by.items() if len(places) > 1]
        if len(able) < self.identities or len(seen_by) - self.identities < 2:
            raise ProtocolError(
                seen=f"{len(able)} of {len(seen_by)} train identities are seen by two cameras",
                expected=f"{self.identities} of them to hold out, and 2 more to train on",
                do="choose a validation protocol that holds out fewer: harness list protocols",
            )
        able.sort(key=lambda pid: derive_seed("held out", self.seed, pid))
        return frozenset(able[: self.identities])

    def in_words(self) -> str:
        """The sentence of a protocol."""
        return (
            f"Held out of the train split: {self.identities} identities that two cameras (scenes, "
            "views) have seen. They are query and gallery; no test image is looked at."
        )
