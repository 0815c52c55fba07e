"""Where the authors' code of a method is, under which licence, and how complete it is."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.base.errors import HarnessError
from harness.claims.files import claim_files, note_broken, read_rows
from harness.spec.plugins import Plugins

FILE = "code.csv"
"""Beside a file of claims."""


class PublicCode(BaseModel):
    """A row of `code.csv`.

    Attributes:
        method: As the claims name it.
        repository: Its address.
        licence: Its licence file's; empty where it has none, so that it is for reading only.
        state: What is in it, in words.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    method: str = Field(min_length=1)
    repository: str = Field(pattern=r"^https://\S+$")
    licence: str = ""
    state: str = Field(min_length=1)

    @property
    def words(self) -> str:
        """Address, licence and state, for one line."""
        return f"{self.repository} ({self.licence or 'no licence'}: {self.state})"


def load_code(plugins: Plugins | None = None) -> dict[str, PublicCode]:
    """The public code of every method that is known, by the name in the claims.

    Args:
        plugins: Where a file or row that cannot be read is noted as broken.
    """
    found: dict[str, PublicCode] = {}
    for path in (claims.with_name(FILE) for claims in claim_files(plugins)):
        if not path.is_file():
            continue
        try:
            for _, row in read_rows(path):
                one = PublicCode.model_validate(row)
                found.setdefault(one.method, one)
        except (HarnessError, ValidationError) as error:
            note_broken(plugins, path, str(error).splitlines()[0])
    return found
