"""Captions as ids of CLIP's byte pairs, by open_clip, which is an extra."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from typing import Any

from harness.base.errors import HarnessError


def has_tokenizer() -> bool:
    """Whether captions can be turned into ids here; nothing is imported to find out."""
    return find_spec("open_clip") is not None


def require_tokenizer(what: str) -> None:
    """Stop where open_clip is not installed.

    Args:
        what: What it is wanted for, such as "the captions of RGBNT201".

    Raises:
        HarnessError: It says how to install it.
    """
    if not has_tokenizer():
        raise HarnessError(
            seen=f"{what} want open_clip, which is not installed",
            expected="the extra `text`: open_clip_torch, which has CLIP's merges in it",
            do="pip install 'mmreid-harness[text]'",
        )


def encoded(texts: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """The ids of each text, of any length and without marks.

    As CLIP's own tokenizer: lower case, entities and odd characters mended, words into byte pairs.

    Raises:
        HarnessError: open_clip is not installed.
    """
    require_tokenizer("captions")
    return {text: _ids(text) for text in texts}


# Kept, since a run asks for the captions of its training images a second time.
@cache
def _ids(text: str) -> tuple[int, ...]:
    return tuple(_tokenizer().encode(text))


@cache
def _tokenizer() -> Any:
    from open_clip.tokenizer import SimpleTokenizer

    return SimpleTokenizer()
