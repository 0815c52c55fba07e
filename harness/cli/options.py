"""Options that several commands have."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from harness.base.files import STORE_VARIABLE
from harness.evidence.privacy import without_password

_asked: list[str] = []

# The name of a protocol may begin with a minus, such as -NI, and is no option then.
MINUS = {"ignore_unknown_options": True}


def commands(**settings: Any) -> typer.Typer:
    """Commands that stand beside each other; plain help, since rich would double its time."""
    return typer.Typer(rich_markup_mode=None, **settings)


def group(help: str) -> typer.Typer:
    """Commands under one word, such as `harness data`, whose help that word alone prints."""
    return commands(help=help, no_args_is_help=True)


def use_store(context: typer.Context, url: str | None) -> str | None:
    """Make --store the store of everything this command does, as $HARNESS_STORE would.

    Through the environment, so that the page and other processes that it starts see the URL, and
    their command lines do not show it.
    """
    if url:
        before = os.environ.get(STORE_VARIABLE)
        os.environ[STORE_VARIABLE] = url
        _asked.append(url)
        context.call_on_close(lambda: _restore(before))
    return url


def asked_store() -> str | None:
    """The --store of this command, for the next commands that it suggests; no password in it."""
    return without_password(_asked[-1]) if _asked else None


def with_mode(changes: Sequence[str] | None, mode: str | None) -> list[str]:
    """The changes of --set, and --mode as one more."""
    return [*(changes or []), *([f"mode={mode}"] if mode else [])]


def _restore(before: str | None) -> None:
    _asked.pop()
    if before is None:
        del os.environ[STORE_VARIABLE]
    else:
        os.environ[STORE_VARIABLE] = before


Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
Plugin = Annotated[
    list[Path] | None,
    typer.Option("--plugin", help="A .py file or folder with more methods; may be repeated."),
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a recipe key; may be repeated."),
]
Mode = Annotated[
    str | None,
    typer.Option("--mode", help="exact or fast; a short word for --set mode=..."),
]
Data = Annotated[
    str | None,
    typer.Option("--dataset", help="A name or a folder; without it, the embedded synthetic set."),
]
DataPlace = Annotated[str, typer.Argument(help="A name or a folder.")]
Device = Annotated[str, typer.Option("--device", help="auto, cpu or cuda.")]
OnlyDataset = Annotated[
    str | None, typer.Option("--dataset", help="Only this data set, as tables name it.")
]
OnlyProtocol = Annotated[str | None, typer.Option("--protocol", help="Only this protocol.")]
Out = Annotated[Path, typer.Option("--out", help="Where runs and their store are kept.")]
StoreUrl = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="URL",
        callback=use_store,
        help="postgresql://USER@HOST/DATABASE instead of OUT/store.db; also $HARNESS_STORE.",
    ),
]
