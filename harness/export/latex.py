"""A LaTeX table for a paper: booktabs, escaped text, compiles under pdfLaTeX."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from itertools import groupby

from harness.export.view import Cell, Column, TableView, Value, one_line, printed

_ESCAPED = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    # A square bracket right after the end of a row would be read as that row's extra space.
    "[": "{[}",
    "]": "{]}",
    "–": r"\textendash{}",
    "—": r"\textemdash{}",
    "’": "'",
    "“": r"\textquotedblleft{}",
    "”": r"\textquotedblright{}",
    "…": r"\dots{}",
    "±": r"$\pm$",
    "×": r"$\times$",
    "·": r"\textperiodcentered{}",
    "→": r"$\rightarrow$",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "∗": r"$\ast$",
    "†": r"\dag{}",
    "‡": r"\ddag{}",
    "−": "$-$",
}
_LIGATURES = {"--": "-{}-", ",,": ",{},"}
# Letters of the Latin alphabet with accents; pdfLaTeX sets them with the T1 fonts.
_LAST_LATIN = 0x17F


def latex(view: TableView) -> str:
    """A `table` environment; its comment says which packages it needs.

    A character that pdfLaTeX cannot set is written as its code point, U+4E2D, so that a name in
    any script compiles.
    """
    sides = "".join("r" if view.numeric(n) else "l" for n in range(len(view.columns)))
    lines = [
        f"% inputs sha256 {view.inputs_hash}",
        r"% needs \usepackage[T1]{fontenc}, \usepackage{textcomp} and \usepackage{booktabs}",
        *(f"% {_comment(line)}" for line in view.details),
        r"\begin{table}[t]",
        r"\centering",
        rf"\caption{{{escaped(view.title)}}}",
        *([rf"\label{{{view.label}}}"] if view.label else []),
        rf"\begin{{tabular}}{{{sides}}}",
        r"\toprule",
        *_over(view.columns),
        _row([escaped(c.title) for c in view.columns]),
        r"\midrule",
    ]
    starts = view.starts()
    for n, row in enumerate(view.rows):
        if n in starts:
            name = rf"\multicolumn{{{len(view.columns)}}}{{l}}{{\emph{{{escaped(starts[n])}}}}}"
            lines += [*([r"\midrule"] if n else []), _row([name])]
        lines.append(_row([_cell(c, column) for c, column in zip(row, view.columns, strict=True)]))
    lines += [r"\bottomrule", r"\end{tabular}"]
    lines += [rf"\par{{\footnotesize {escaped(note)}}}" for note in view.notes]
    return "\n".join([*lines, r"\end{table}"]) + "\n"


def _over(columns: Sequence[Column]) -> list[str]:
    """The heads that several columns share, each with a rule below it."""
    if not any(column.over for column in columns):
        return []
    cells, rules, place = [], [], 1
    for over, run in groupby(columns, key=lambda column: column.over):
        width = len(list(run))
        if over:
            cells.append(rf"\multicolumn{{{width}}}{{c}}{{{escaped(over)}}}")
            rules.append(rf"\cmidrule(lr){{{place}-{place + width - 1}}}")
        else:
            cells += [""] * width
        place += width
    return [_row(cells), "".join(rules)]


def _comment(text: str) -> str:
    """A line that LaTeX does not read; it is set to ASCII, whatever a file is encoded in."""
    plain = one_line(text).replace("·", "-").replace("–", "-").replace("±", "+-").replace("×", "x")
    return plain.encode("ascii", "backslashreplace").decode()


def _row(cells: list[str]) -> str:
    return " & ".join(cells) + r" \\"


def _cell(cell: Cell, column: Column) -> str:
    if not isinstance(cell, Value):
        return escaped(cell) if cell else "--"
    if not cell.known:
        return "--"
    text = _number(cell.value, column.digits)
    text = {"best": rf"\textbf{{{text}}}", "second": rf"\underline{{{text}}}"}.get(
        cell.mark or "", text
    )
    text += r"$^{\dag}$" if cell.differs else ""
    if cell.spread is not None:
        text += rf" $\pm$ {_number(cell.spread, column.digits)}"
    if cell.interval is not None:
        low, high = (_number(end, column.digits) for end in cell.interval)
        text += rf" {{\scriptsize {{[}}{low}, {high}{{]}}}}"
    return text


def _number(number: float, digits: int) -> str:
    return printed(number, digits).replace("-", "$-$")


def escaped(text: str) -> str:
    """Text that LaTeX prints as it stands and cannot take for a command."""
    composed = unicodedata.normalize("NFC", one_line(text))
    letters = "".join(_ESCAPED.get(c) or _settable(c) for c in composed)
    # Two of these side by side are typeset as one other character.
    for double, apart in _LIGATURES.items():
        letters = letters.replace(double, apart)
    return letters


def _settable(letter: str) -> str:
    code = ord(letter)
    latin = code < 0x7F or (0xC0 <= code <= _LAST_LATIN and letter.isalpha())
    return letter if latin else rf"\texttt{{U+{code:04X}}}"
