"""A benchmark harness for multi-modal (RGB, NI, TI) re-identification."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.dataset import Card, DatasetInfo, Sample
    from harness.errors import HarnessError
    from harness.labels import Labels
    from harness.method import Batch, Claim, DataInfo, Method, MethodInfo
    from harness.modality import MODALITIES, Modality
    from harness.protocol import Protocol
    from harness.recipe import Recipe
    from harness.record import RunRecord
    from harness.scoring import Score, score

# Public names and the module each lives in; imported on first use, because importing numpy and
# pydantic for a name nobody asked for would cost the command line its quick answer.
_HOME = {
    "Batch": "method",
    "Card": "dataset",
    "Claim": "method",
    "DataInfo": "method",
    "DatasetInfo": "dataset",
    "HarnessError": "errors",
    "Labels": "labels",
    "MODALITIES": "modality",
    "Method": "method",
    "MethodInfo": "method",
    "Modality": "modality",
    "Protocol": "protocol",
    "Recipe": "recipe",
    "RunRecord": "record",
    "Sample": "dataset",
    "Score": "scoring",
    "score": "scoring",
}

__all__ = [
    "MODALITIES",
    "Batch",
    "Card",
    "Claim",
    "DataInfo",
    "DatasetInfo",
    "HarnessError",
    "Labels",
    "Method",
    "MethodInfo",
    "Modality",
    "Protocol",
    "Recipe",
    "RunRecord",
    "Sample",
    "Score",
    "score",
]


def __getattr__(name: str) -> object:
    """Import a public name from its module when it is first asked for."""
    if name not in _HOME:
        raise AttributeError(f"module 'harness' has no attribute {name!r}")
    return getattr(importlib.import_module(f"harness.{_HOME[name]}"), name)
