"""The checks of an upload: each shown as it is made, and made once however often it is shown."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import streamlit as st

from harness.evidence.record import RunRecord
from harness.verify import Check, Finder, failures
from harness.verify.receive import verify_bundle
from leaderboard_app.shared.data import plugins
from leaderboard_app.shared.text import literal

# Characters of a problem: an archive of a stranger may hold long names.
_SHOWN = 400
_DONE = "verified-upload"


class Outcome(NamedTuple):
    """What the checks came to."""

    checks: list[Check]
    record: RunRecord | None
    """None where a check fails."""


def checked(upload: str, path: Path) -> Outcome:
    """What the checks of an upload come to; done once, however often the page is drawn."""
    known: dict[str, Outcome] = st.session_state.get(_DONE, {})
    # Open while it works; afterwards what fails is said below, and the rest is a click away.
    with st.status("Verifying", expanded=True) as status, st.container(gap="xsmall"):
        if upload in known:
            for check in known[upload].checks:
                _show_check(check)
        else:
            known = {upload: _verified(path)}
            st.session_state[_DONE] = known
        words, fine = _in_words(known[upload].checks)
        status.update(label=words, state="complete" if fine else "error", expanded=False)
    for check in failures(known[upload].checks):
        _show_check(check)
    return known[upload]


def _verified(path: Path) -> Outcome:
    """Check the bundle step by step, each shown as it is done."""
    checks: list[Check] = []
    steps = verify_bundle(path, Finder(plugins()))
    while True:
        try:
            check = next(steps)
        except StopIteration as stop:
            return Outcome(checks, None if failures(checks) else stop.value)
        checks.append(check)
        _show_check(check)


def _in_words(checks: list[Check]) -> tuple[str, bool]:
    """What they come to, and whether none fails."""
    wrong = len(failures(checks))
    if wrong:
        return f"{wrong} of {len(checks)} checks fail: this is not accepted", False
    open_ = sum(check.status == "not checked" for check in checks)
    rest = f"; {open_} more could not be made here" if open_ else ""
    return f"{len(checks) - open_} checks hold{rest}", True


def _show_check(check: Check) -> None:
    mark = {"holds": ":green[✓]", "fails": ":red[✗]", "not checked": ":gray[–]"}[check.status]
    why = check.problem or check.unchecked
    st.markdown(f"{mark} {literal(check.name)}{': ' if why else ''}{literal(why[:_SHOWN])}")
