"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
Plugin = Annotated[
    list[Path] | None,
    typer.Option("--plugin", help="A .py file or folder with more methods; may be repeated."),
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a recipe key; may be repeated."),
]
Data = Annotated[
    str | None,
    typer.Option("--dataset", help="A name or a folder; without it, the embedded synthetic set."),
]
Device = Annotated[str, typer.Option("--device", help="auto, cpu or cuda.")]
Out = Annotated[Path, typer.Option("--out", help="Where runs and their store are kept.")]
