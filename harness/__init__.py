"""A benchmark harness for multi-modal (RGB, NI, TI) re-identification."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.base.errors import HarnessError
    from harness.evidence.record import RunRecord
    from harness.scoring import Score, score
    from harness.scoring.labels import Labels
    from harness.spec.dataset import Card, DatasetInfo, Sample
    from harness.spec.method import Batch, Claim, DataInfo, Method, MethodInfo
    from harness.spec.modality import MODALITIES, Modality
    from harness.spec.protocol import Protocol
    from harness.spec.recipe import Recipe

# Public names and the module each lives in; imported on first use, because importing numpy and
# pydantic for a name nobody asked for would cost the command line its quick answer.
_HOME = {
    "Batch": "spec.method",
    "Card": "spec.dataset",
    "Claim": "spec.method",
    "DataInfo": "spec.method",
    "DatasetInfo": "spec.dataset",
    "HarnessError": "base.errors",
    "Labels": "scoring.labels",
    "MODALITIES": "spec.modality",
    "Method": "spec.method",
    "MethodInfo": "spec.method",
    "Modality": "spec.modality",
    "Protocol": "spec.protocol",
    "Recipe": "spec.recipe",
    "RunRecord": "evidence.record",
    "Sample": "spec.dataset",
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
