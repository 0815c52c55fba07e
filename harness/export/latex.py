"""A LaTeX table for a paper: booktabs, escaped text, compiles under pdfLaTeX."""

from __future__ import annotations

import unicodedata

from harness.export.view import Cell, Column, Mark, TableView, Value, marks, one_line, printed

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
    marked = marks(view)
    sides = "".join("r" if view.numeric(n) else "l" for n in range(len(view.columns)))
    lines = [
        f"% inputs sha256 {view.inputs_hash}",
        r"% needs \usepackage[T1]{fontenc}, \usepackage{textcomp} and \usepackage{booktabs}",
        r"\begin{table}[t]",
        r"\centering",
        rf"\caption{{{escaped(view.title)}}}",
        rf"\begin{{tabular}}{{{sides}}}",
        r"\toprule",
        _row([escaped(c.title) for c in view.columns]),
        r"\midrule",
    ]
    for n, row in enumerate(view.rows):
        pairs = enumerate(zip(row, view.columns, strict=True))
        lines.append(_row([_cell(c, column, marked.get((n, p))) for p, (c, column) in pairs]))
    lines += [r"\bottomrule", r"\end{tabular}"]
    lines += [rf"\par{{\footnotesize {escaped(note)}}}" for note in view.notes]
    return "\n".join([*lines, r"\end{table}"]) + "\n"


def _row(cells: list[str]) -> str:
    return " & ".join(cells) + r" \\"


def _cell(cell: Cell, column: Column, mark: Mark | None) -> str:
    if not isinstance(cell, Value):
        return escaped(cell) if cell else "--"
    if not cell.known:
        return "--"
    text = _number(cell.value, column.digits)
    text = {"best": rf"\textbf{{{text}}}", "second": rf"\underline{{{text}}}"}.get(mark or "", text)
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
