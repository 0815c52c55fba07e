"""The README of a method's folder, as text that fetches nothing."""

from __future__ import annotations

import re

from harness.spec.method import MethodInfo
from harness.spec.plugins import source_of

_PICTURE = re.compile(r"!\[([^\]]*)\]\([^)]*\)")
_ELSEWHERE = re.compile(r"\[([^\]]*)\]\((?!https?://)[^)]*\)")
_MOST_BYTES = 200_000


def readme_of(info: MethodInfo) -> str:
    """What the README beside a method's code says; empty where there is none."""
    try:
        place = source_of(info.target)
        folder = place if place.is_dir() else place.parent
        text = (folder / "README.md").read_bytes()[:_MOST_BYTES].decode("utf-8", "replace")
    except (OSError, ImportError):
        return ""
    return text


def words_alone(text: str) -> str:
    """Markdown whose pictures are their words, and its links too that do not lead into the web.

    A page must not fetch what a plugin names, and other files of its folder are not served.
    """
    return _ELSEWHERE.sub(r"\1", _PICTURE.sub(r"\1", text))


def as_html(text: str) -> str:
    """Markdown as HTML that holds no HTML of the text, no picture and no script."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    return str(parser.render(words_alone(text)))
