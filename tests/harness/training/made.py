"""A recipe for tests that train nothing."""

from __future__ import annotations

from harness.spec.recipe import Optimiser, Recipe, Sampler


def a_recipe(identities: int = 1) -> Recipe:
    """Of batches of so many single images."""
    return Recipe(
        name="r",
        track="smoke",
        method="m",
        dataset="d",
        protocol="full",
        epochs=1,
        sampler=Sampler(identities=identities, instances=1),
        optimiser=Optimiser(lr=1),
    )
