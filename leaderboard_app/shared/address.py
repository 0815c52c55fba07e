"""The page's state lives in its address, so a reload or a sent link shows the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

# Longer than any name of ours; an address may hold anything.
_MOST = 400


def asked(name: str) -> str | None:
    """A parameter of the address; anybody may have written it."""
    found = st.query_params.get(name)
    return None if found is None else found[:_MOST]


def asked_all(name: str) -> list[str]:
    """Every value of a parameter that may be repeated."""
    return [value[:_MOST] for value in st.query_params.get_all(name)]


def put(name: str, value: str | Sequence[str] | None) -> None:
    """Write a parameter into the address, or take it out when it is None or empty."""
    if value is None or not value:
        st.query_params.pop(name, None)
    else:
        st.query_params[name] = value if isinstance(value, str) else list(value)


def choice(
    label: str,
    options: Sequence[str],
    name: str,
    default: str | None = None,
    words: Callable[[str], str] = str,
    **box: Any,
) -> str:
    """A select box whose value is the address's, else `default`, else the first option."""
    wanted = [value for value in (asked(name), default) if value in options]
    # Set before the box is drawn: the address decides, the box follows.
    st.session_state[name] = wanted[0] if wanted else options[0]
    return str(
        st.selectbox(
            label, options, key=name, format_func=words, on_change=_keep, args=(name,), **box
        )
    )


def segments(label: str, options: Mapping[str, str], name: str, default: str, **box: Any) -> str:
    """One of a few options side by side, by key; shown by their words."""
    found = asked(name)
    st.session_state[name] = found if found in options else default
    chosen = st.segmented_control(
        label,
        list(options),
        key=name,
        format_func=lambda key: options[key],
        on_change=_keep,
        args=(name, default),
        **box,
    )
    # A click on the chosen segment lets go of it; that means the default.
    return str(chosen or default)


def several(
    label: str,
    options: Sequence[str],
    name: str,
    words: Callable[[str], str] = str,
    most: int | None = None,
    **box: Any,
) -> list[str]:
    """A box for any number of options, or `most`; nothing chosen leaves the parameter out."""
    known = set(options)
    # Streamlit refuses more than it allows, and an address may hold any number.
    st.session_state[name] = [v for v in dict.fromkeys(asked_all(name)) if v in known][:most]
    chosen = st.multiselect(
        label,
        options,
        key=name,
        format_func=words,
        max_selections=most,
        on_change=_keep,
        args=(name,),
        **box,
    )
    return [str(value) for value in chosen]


def switch(label: str, name: str, **box: Any) -> bool:
    """A toggle; on is `1` in the address, off is no parameter."""
    st.session_state[name] = asked(name) == "1"
    return bool(st.toggle(label, key=name, on_change=_keep, args=(name,), **box))


def whole(label: str, name: str, low: int, high: int, default: int, **box: Any) -> int:
    """A number box between `low` and `high`."""
    text = asked(name) or ""
    value = int(text) if text.isdecimal() and len(text) < 10 else default
    st.session_state[name] = min(max(value, low), high)
    return int(
        st.number_input(
            label, low, high, step=1, key=name, on_change=_keep, args=(name, default), **box
        )
    )


def _keep(name: str, default: Any = None) -> None:
    value = st.session_state[name]
    if value == default or value is False or value is None:
        put(name, None)
    elif value is True:
        put(name, "1")
    else:
        put(name, value if isinstance(value, list) else str(value))
