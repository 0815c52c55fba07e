"""The page's state lives in its address, so a reload or a sent link shows the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import streamlit as st

from harness.base.errors import HarnessError
from leaderboard_app.shared.text import literal

# Longer than the ids of a hundred seeds; an address may hold anything.
_MOST = 2000
_ALL = "all"


class NotHereError(HarnessError):
    """An address that names what is not here; nothing else may be shown under it.

    Args:
        what: The kind of thing, such as "run".
        name: What the address says; anybody may have written it.
        known: How many there are.
        do: The way on.
    """

    def __init__(self, what: str, name: str, known: int, do: str = "") -> None:
        super().__init__(
            seen=f"the address asks for the {what} {name!r}, which is not in this store",
            expected=f"one of the {known} that are here",
            do=do or "check the link, or ask whoever sent it which store it is of",
        )


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
    what: str = "",
    resets: Sequence[str] = (),
    **box: Any,
) -> str:
    """A select box whose value is the address's, else `default`, else the first option.

    Args:
        label: Of the box.
        options: At least one.
        name: Of the parameter.
        default: What is shown where the address says nothing.
        words: What an option is called.
        what: What kind of thing the address names; an address that names another is an error then,
            since under it nothing else may be shown. Empty where it only says how to show things.
        resets: Parameters that mean nothing any more once another option is chosen.
        box: For Streamlit.

    Raises:
        NotHereError: The address names what is not among the options.
    """
    named = asked(name)
    if what and named is not None:
        require_known(what, named, options)
    wanted = [value for value in (named, default) if value in options]
    # Set before the box is drawn: the address decides, the box follows.
    st.session_state[name] = wanted[0] if wanted else options[0]
    return str(
        st.selectbox(
            label,
            options,
            key=name,
            format_func=words,
            on_change=_keep,
            args=(name, None, resets),
            **box,
        )
    )


def require_known(what: str, named: str, known: Iterable[str]) -> None:
    """Refuse a name of the address that is none of ours.

    Raises:
        NotHereError: It is not among the known ones.
    """
    every = set(known)
    if named not in every:
        raise NotHereError(what, named, len(every))


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
    what: str = "",
    **box: Any,
) -> list[str]:
    """A box for any number of options, or `most`; nothing chosen leaves the parameter out.

    Raises:
        NotHereError: With `what` (see `choice`), the address names what is not an option.
    """
    known = set(options)
    unknown = [value for value in asked_all(name) if value not in known]
    if unknown and what:
        require_known(what, unknown[0], known)
    if unknown:
        listed = ", ".join(literal(value) for value in unknown)
        st.warning(f"{literal(label)}: there is no {listed} here, so it is not asked for.")
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


def chips(label: str, options: Mapping[str, str], name: str, **box: Any) -> list[str]:
    """Any number of a few options as chips, by key; the chip All lets go of them."""
    found = [value for value in dict.fromkeys(asked_all(name)) if value in options]
    st.session_state[name] = found or [_ALL]
    st.pills(
        label,
        [_ALL, *options],
        selection_mode="multi",
        key=name,
        format_func=lambda key: options.get(key, "All"),
        on_change=_keep_chips,
        args=(name, bool(found)),
        **box,
    )
    return found


def _keep_chips(name: str, some: bool) -> None:
    chosen = list(st.session_state[name])
    let_go = some and _ALL in chosen
    put(name, [] if let_go else [value for value in chosen if value != _ALL])


def line(label: str, name: str, **box: Any) -> str:
    """A box for a line of text; nothing typed leaves the parameter out."""
    st.session_state[name] = asked(name) or ""
    return str(st.text_input(label, key=name, on_change=_keep, args=(name,), **box)).strip()


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


def _keep(name: str, default: Any = None, resets: Sequence[str] = ()) -> None:
    value = st.session_state[name]
    for other in resets:
        put(other, None)
    if value == default or value is False or value is None:
        put(name, None)
    elif value is True:
        put(name, "1")
    else:
        put(name, value if isinstance(value, list) else str(value))
