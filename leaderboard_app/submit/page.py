"""Upload a bundle, watch it being verified, see the row it would make; maybe add it."""

from __future__ import annotations

import hmac
import tempfile
from pathlib import Path

import streamlit as st

from harness.base.errors import HarnessError
from harness.evidence.record import RunRecord
from harness.verify import Finder
from harness.verify.receive import admit
from leaderboard_app.run.metrics import show_metrics
from leaderboard_app.shared.data import plugins
from leaderboard_app.shared.links import RUN, RUN_PAGE, to_page
from leaderboard_app.shared.settings import Settings, read_settings
from leaderboard_app.shared.states import show_error
from leaderboard_app.shared.text import queries_sentence
from leaderboard_app.submit.checks import checked


def show() -> None:
    """The whole page."""
    st.title("Submit a run", anchor=False)
    settings = read_settings()
    st.markdown(
        "A bundle is one file with a run's record, recipe, descriptors, rank lists and log. "
        "It is verified here as a stranger's: everything that can be computed again is."
    )
    st.code("harness submit RUN", language="bash")
    given = st.file_uploader("Bundle", type=["zip"], key="bundle")
    if given is None:
        st.caption(_rules(settings))
        return
    with tempfile.TemporaryDirectory(prefix="harness-upload-") as folder:
        path = Path(folder) / "bundle.zip"
        path.write_bytes(given.getbuffer())
        outcome = checked(given.file_id, path)
        if outcome.record is not None:
            _show_row(outcome.record)
            _offer(path, settings)


def _rules(settings: Settings) -> str:
    kept = "Nothing that is uploaded is kept"
    if settings.allow_submit:
        return f"{kept} unless you add it with the token of whoever started this page."
    return f"{kept}: this page is read-only. It was started without --allow-submit."


def _show_row(record: RunRecord) -> None:
    st.subheader("The row it makes", anchor=False)
    st.text(
        f"{record.method}, recipe {record.recipe.get('name', '')}, seed {record.seed}, on "
        f"{record.dataset_label}, {record.protocol_name}; trust: rescored"
    )
    show_metrics(record, "Metrics of the bundle")
    st.caption(
        f"{queries_sentence(record.queries, record.valid_queries)} Rescoring proves the "
        "arithmetic from the descriptors, not the descriptors."
    )


def _offer(path: Path, settings: Settings) -> None:
    if not settings.allow_submit or settings.token is None:
        st.info("This page is read-only, so the row is not added. Send the bundle to its owner.")
        return
    token = st.text_input("Token", type="password", key="token")
    if not st.button("Add it to the leaderboard"):
        return
    if not hmac.compare_digest(token.encode(), settings.token.encode()):
        st.error("That is not the token that this page was started with.")
        return
    try:
        kept = admit(path, settings.out, Finder(plugins()))
    except HarnessError as error:
        show_error(error, "It was not added")
        return
    st.success("Added." if kept.fresh else "It was there already.")
    to_page(RUN_PAGE, "Open its page", {RUN: kept.record.run_id})


if __name__ == "__main__":
    show()
