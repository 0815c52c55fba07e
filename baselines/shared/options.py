"""What the options of several methods are made of; imports no torch."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""The weight of a term of the loss, or a margin: finite and not negative."""
