"""Checkouts of other people's code that we are measured beside: named by the user, never ours."""

from __future__ import annotations

import subprocess
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from harness.base.errors import HarnessError, UnknownNameError


class Peer(NamedTuple):
    """What `benchmarks/peers/peers.toml` says of one.

    Attributes:
        repository: Its owner and name at GitHub.
        expects: Files that a checkout of it has.
    """

    repository: str
    expects: tuple[str, ...]


def known_peers(benchmarks: Path) -> dict[str, Peer]:
    """All peers of a benchmarks folder, by the name to give."""
    found = tomllib.loads((benchmarks / "peers" / "peers.toml").read_text())
    return {name: Peer(told["repository"], tuple(told["expects"])) for name, told in found.items()}


def given_peers(words: Sequence[str], known: dict[str, Peer]) -> dict[str, Path]:
    """The checkouts of NAME=PATH words; a bare PATH will do where only one peer is known.

    Raises:
        UnknownNameError: No such peer.
        HarnessError: A word that is no such pair, or a path that is no checkout of the peer.
    """
    found = {}
    for word in words:
        name, sign, path = word.partition("=")
        if not sign and len(known) == 1:
            name, path = next(iter(known)), word
        elif not sign:
            raise HarnessError(
                seen=f"--peer {word}",
                expected=f"NAME=PATH, with a name among {', '.join(sorted(known))}",
                do=f"--peer {min(known, default='NAME')}={word}",
            )
        if name not in known:
            raise UnknownNameError("peer", name, list(known))
        found[name] = _checked(name, known[name], Path(path).expanduser().resolve())
    return found


def _checked(name: str, peer: Peer, path: Path) -> Path:
    missing = [file for file in peer.expects if not (path / file).is_file()]
    if missing:
        there = "which does not exist" if not path.exists() else f"without {', '.join(missing)}"
        raise HarnessError(
            seen=f"--peer {name}={path}, {there}",
            expected=f"a checkout of {peer.repository}",
            do=f"git clone https://github.com/{peer.repository}, and give that folder",
        )
    return path


def commit_of(path: Path) -> str:
    """The first digits of the commit that is checked out at `path`; empty where git knows none."""
    command = ["git", "-C", str(path), "rev-parse", "--short=10", "HEAD", "--show-prefix"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    head, _, prefix = done.stdout.partition("\n")
    # With a prefix, the folder is part of somebody else's repository.
    return head if done.returncode == 0 and not prefix.strip() else ""
