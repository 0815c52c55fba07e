"""Which protocols the words after `--protocol` mean: names, and groups of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from harness.base.errors import UnknownNameError
from harness.base.progress import say
from harness.spec.plugins import Plugins
from harness.spec.protocol import Protocol

EVERY = "all"

# A group this large is an experiment of its own; `all` names it instead of starting it.
_LARGE = 50


class Asked(NamedTuple):
    """The protocols asked for, each once, in the order of the list."""

    protocols: list[Protocol]
    alone: bool
    """One protocol by its own name: its error ends the command instead of one row."""


def groups_of(plugins: Plugins) -> dict[str, list[Protocol]]:
    """The members of every group, in the order of the protocols."""
    found: dict[str, list[Protocol]] = {}
    for protocol in plugins.protocols.values():
        for group in protocol.groups:
            found.setdefault(group, []).append(protocol)
    return found


def asked_for(words: Sequence[str], plugins: Plugins) -> Asked:
    """Protocols by name, by group, or all of them.

    Raises:
        UnknownNameError: Neither a protocol nor a group.
    """
    groups = groups_of(plugins)
    found: dict[str, Protocol] = {}
    for word in words:
        if word in plugins.protocols:
            members = [plugins.protocols[word]]
        elif word in groups:
            members = groups[word]
        elif word == EVERY:
            members = _every(plugins, groups)
        else:
            raise _unknown(word, plugins, groups)
        found |= {p.name: p for p in members}
    alone = len(words) == 1 and words[0] in plugins.protocols
    return Asked(list(found.values()), alone)


def _every(plugins: Plugins, groups: dict[str, list[Protocol]]) -> list[Protocol]:
    large = {name for name, members in groups.items() if len(members) > _LARGE}
    for name in sorted(large):
        say(
            f"all leaves out the {len(groups[name])} protocols of {name}; --protocol {name} runs it"
        )
    return [p for p in plugins.protocols.values() if not large & set(p.groups)]


def _unknown(word: str, plugins: Plugins, groups: dict[str, list[Protocol]]) -> UnknownNameError:
    error = UnknownNameError("protocol", word, [*plugins.protocols, *groups, EVERY])
    error.expected = (
        f"one of the {len(plugins.protocols)} names of harness list protocols, or a group: "
        + ", ".join([*groups, EVERY])
    )
    return error
