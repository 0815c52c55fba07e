"""What `import harness` promises."""

from __future__ import annotations

import subprocess
import sys

import pytest

import harness


@pytest.mark.parametrize("name", harness.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(harness, name) is not None


def test_the_surface_is_pinned() -> None:
    # A name that comes or goes here is a change for everyone who wrote a plugin.
    assert sorted(harness.__all__) == [
        "Batch",
        "Card",
        "Claim",
        "DataInfo",
        "DatasetInfo",
        "HarnessError",
        "Labels",
        "MODALITIES",
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


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'scores'"):
        harness.scores  # noqa: B018


def test_scoring_needs_no_torch() -> None:
    script = "import sys; from harness import Labels, score; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
