"""Checkpoints of TOP-ReID's and EDITOR's authors, whose parameter names ours are."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

from harness.base.errors import CheckpointError


def in_our_names(
    state: Mapping[str, Tensor], title: str, known: str, unused: str
) -> dict[str, Tensor]:
    """The authors' state dict, or ours, without what no forward pass reads.

    Args:
        title: Of the method, for the error.
        known: A pattern (`re.match`) of the names of its parameters and buffers.
        unused: A pattern of what is left out: ImageNet's classifier, constants.

    Raises:
        CheckpointError: There are names that are not the method's.
    """
    kept = {k: v for k, v in state.items() if not re.match(unused, k)}
    odd = [k for k in kept if not re.match(known, k)]
    if odd:
        raise CheckpointError(
            f"{len(odd)} of {len(kept)} parameters bear no name of {title}, such as {odd[0]!r}: "
            f"a checkpoint of another method, or of an older version of its code",
            f"the names of the {title} repository as it is since 2024, which are ours too",
            f"pass a checkpoint of {title}, as its authors' code of 2024 or this project saves it",
        )
    return kept
