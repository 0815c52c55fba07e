"""One run of a sweep, in words that a file and another machine can keep."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict


class SweepRun(BaseModel):
    """One run of a sweep, as its folder keeps it.

    Attributes:
        id: Short and stable: the beginning of the recipe's hash, and the seed.
        label: For people.
        changes: Of the recipe.
        folder: Of the run, under `--out`.
        words: After `harness`, what makes it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    label: str
    method: str
    dataset: str
    seed: int
    recipe_hash: str
    changes: tuple[str, ...]
    folder: str
    words: tuple[str, ...]

    def lock(self, out: Path) -> Path:
        """The file that a process holds while it works on the run."""
        return (out / self.folder).with_name(f".{self.seed}.lock")
