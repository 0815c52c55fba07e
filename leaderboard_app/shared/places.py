"""Where the pictures of a run's data set are; what is drawn of them is kept for all sessions."""

from __future__ import annotations

import streamlit as st

from harness.base.errors import HarnessError
from harness.data.open import open_dataset
from harness.data.opened import OpenDataset
from harness.data.validation import held_out
from harness.evidence.record import RunRecord
from harness.spec.modality import Modality
from harness.spec.protocol import BoundProtocol
from leaderboard_app.shared.data import plugins
from leaderboard_app.shared.pictures import Frame, Place, strip
from leaderboard_app.shared.settings import Settings, read_settings


def place_of(record: RunRecord) -> Place | None:
    """Where the pictures of a run's data set are; None where this machine does not have them."""
    data = _pictures(read_settings()).get(record.pictures_hash)
    return (
        None if data is None else _place(record.pictures_hash, record.protocol_hash, data, record)
    )


def picture(
    place: Place | None, name: str, modalities: tuple[Modality, ...], frame: Frame
) -> bytes:
    """A PNG of a sample's images, as `strip` draws it."""
    root = "" if place is None else str(place.root)
    return _cached(root, name, modalities, frame, place)


@st.cache_resource(max_entries=1, show_spinner="Looking for the pictures")
def _pictures(settings: Settings) -> dict[str, OpenDataset]:
    """The data sets whose pictures may be shown, by the hash of their bytes."""
    found: dict[str, OpenDataset] = {}
    for spec in (None, *settings.data):
        try:
            data = open_dataset(spec, plugins())
            found[data.pictures_hash] = data
        except HarnessError as error:
            # A folder that has gone leaves placeholders; the log says why.
            print(f"pictures of {spec}: {error.seen}")
    return found


@st.cache_resource(max_entries=8, show_spinner=False)
def _place(
    data_hash: str, protocol_hash: str, _data: OpenDataset, _record: RunRecord
) -> Place | None:
    try:
        protocol = BoundProtocol.model_validate(_record.protocol)
        seen = held_out(_data, protocol.held_out)
        splits = (protocol.gallery_split, protocol.query_split)
        samples = {s.name: s for split in splits for s in seen.samples(split)}
    except (HarnessError, ValueError):
        return None
    return Place(_data.root, samples)


@st.cache_data(max_entries=600, show_spinner=False)
def _cached(
    root: str, name: str, modalities: tuple[Modality, ...], frame: Frame, _place: Place | None
) -> bytes:
    return strip(_place, name, modalities, frame)
