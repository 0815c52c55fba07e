"""Re-ranking by k-reciprocal neighbours, from distances or from descriptors strip by strip."""

from __future__ import annotations

from harness.rerank.reciprocal import Distance, k_reciprocal, k_reciprocal_features

__all__ = ["Distance", "k_reciprocal", "k_reciprocal_features"]
