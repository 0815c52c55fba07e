"""One published number: what was reached, by what, on what, and where it is printed."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

METRICS = ("mAP", "R1", "R5", "R10", "mINP")
NUMBERS = (*METRICS, "params_m", "flops_g")


class PublishedClaim(BaseModel):
    """A row of a claims file. What a source does not say is empty, or None for a number.

    Attributes:
        id: Unique among all claims in use; stable, because links name it.
        method: As printed, without what makes it a variant.
        method_key: The name of our method of that paper, where there is one.
        variant: Which ablation, backbone or re-run it is; empty for the method itself.
        year, venue: Of the method, not of the source.
        backbone: The network.
        dataset: Our name of the data set, or another where we do not have it.
        protocol: Our name of the protocol; empty where none means the same.
        protocol_text: The protocol in the source's terms.
        mAP, R1, R5, R10, mINP: In percent.
        params_m, flops_g: Millions of parameters, and 10^9 operations as the source counts them.
        pretraining: What the backbone's weights were learnt on; also a tag.
        tags: What a reader must know of the number (`docs/claims.md`).
        source: The paper, README or log that it was read in.
        source_detail: Where in it.
        source_url: Its address.
        conflict: The group of claims that contradict one another, this one among them.
        note: What else there is to know.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=120)
    method: str = Field(min_length=1)
    method_key: str = ""
    variant: str = ""
    year: int | None = Field(default=None, ge=1990, le=2100)
    venue: str = ""
    backbone: str = ""
    dataset: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    protocol: str = ""
    protocol_text: str = ""
    mAP: float | None = Field(default=None, ge=0, le=100, allow_inf_nan=False)
    R1: float | None = Field(default=None, ge=0, le=100, allow_inf_nan=False)
    R5: float | None = Field(default=None, ge=0, le=100, allow_inf_nan=False)
    R10: float | None = Field(default=None, ge=0, le=100, allow_inf_nan=False)
    mINP: float | None = Field(default=None, ge=0, le=100, allow_inf_nan=False)
    params_m: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    flops_g: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    pretraining: str = ""
    tags: tuple[str, ...] = ()
    source: str = Field(min_length=1)
    source_detail: str = ""
    source_url: str = Field(default="", pattern=r"^(https?://\S+)?$")
    conflict: str = ""
    note: str = ""

    @field_validator("*", mode="before")
    @classmethod
    def _no_control_characters(cls, value: Any) -> Any:
        # A table or a terminal would obey them.
        if isinstance(value, str) and any(ord(c) < 32 or 127 <= ord(c) < 160 for c in value):
            raise ValueError("control characters")
        return value

    @field_validator("tags")
    @classmethod
    def _plain_tags(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for tag in value:
            if not tag or any(c.isspace() or c in ";," for c in tag):
                raise ValueError(f"{tag!r} is no tag: words with hyphens, such as text-at-test")
        return value

    @model_validator(mode="after")
    def _adds_up(self) -> PublishedClaim:
        ranks = [r for r in (self.R1, self.R5, self.R10) if r is not None]
        if ranks != sorted(ranks):
            raise ValueError("R1 <= R5 <= R10 does not hold")
        if self.mAP is None and not self.note:
            if any(getattr(self, name) is not None for name in METRICS):
                raise ValueError("there are ranks and no mAP, and the note does not say why")
            if self.params_m is None and self.flops_g is None:
                raise ValueError("there is neither mAP nor a count of parameters or operations")
        learnt = [t for t in self.tags if t.startswith("pretraining:")]
        if learnt != ([f"pretraining:{self.pretraining}"] if self.pretraining else []):
            raise ValueError("the pretraining and its tag differ")
        return self

    @property
    def numbers(self) -> dict[str, float]:
        """The numbers that are printed, by name."""
        found = {name: getattr(self, name) for name in NUMBERS}
        return {name: value for name, value in found.items() if value is not None}
