"""Which commit the running code is of, and how it differs from it."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from harness.base.hashing import code_digest

# A list that is longer tells nothing more.
_FILES_NAMED = 50


def describe_code() -> dict[str, Any]:
    """The commit, whether the code differs from it, and a hash and a list of how.

    The difference itself is not kept: it may hold anything, and the code that decides the numbers
    has its own hash. Untracked files count where they are Python.
    """
    root = _checkout()
    if root is None:
        return {"commit": _installed_commit(), "uncommitted": False}
    changed = _lines(root, "diff", "--name-only", "HEAD")
    new = _lines(root, "ls-files", "--others", "--exclude-standard", "--", "*.py")
    found: dict[str, Any] = {
        "commit": _git(root, "rev-parse", "HEAD").strip(),
        "uncommitted": bool(changed or new),
    }
    if changed or new:
        found["uncommitted_files"] = sorted([*changed, *new])[:_FILES_NAMED]
        found["uncommitted_sha256"] = _difference(root, new)
    return found


def changed_since(commit: str, places: Sequence[Path]) -> list[str] | None:
    """The files of some folders or files that are not as a commit had them, renamed ones included.

    Args:
        commit: As a record names it.
        places: Of this checkout; others are left out.

    Returns:
        Paths from the root, sorted; None where that cannot be told: no checkout, or one that does
        not have the commit.
    """
    root = _checkout()
    # Only a hash: the word comes from a record, and git would take others for options.
    if root is None or not re.fullmatch("[0-9a-f]{7,64}", commit):
        return None
    if not _git(root, "rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}"):
        return None
    inside = [str(p) for p in places if p.resolve().is_relative_to(root.resolve())]
    if not inside:
        return []
    new = _lines(root, "ls-files", "--others", "--exclude-standard", "--", *inside)
    return sorted({*_lines(root, "diff", "--name-only", "-M", commit, "--", *inside), *new})


def _difference(root: Path, new: list[str]) -> str:
    """SHA-256 of the difference to the commit, and of the new files with their names."""
    found = hashlib.sha256(_git(root, "diff", "--binary", "--no-ext-diff", "HEAD").encode())
    for name in sorted(new):
        found.update(b"\0" + name.encode("utf-8", "surrogateescape") + b"\0")
        try:
            found.update((root / name).read_bytes())
        except OSError:
            continue
    return found.hexdigest()


def _checkout() -> Path | None:
    """The root of the git checkout that this code is of; None where that is not sure.

    A virtual environment inside somebody's own repository is no checkout of ours. A copy that was
    installed from a folder is of that folder's commit as long as the two are alike.
    """
    here = Path(__file__)
    core = here.parents[1]
    if _git(here.parent, "ls-files", "--error-unmatch", here.name):
        return Path(_git(core, "rev-parse", "--show-toplevel").strip())
    origin = urlsplit(str(_origin().get("url", "")))
    source = Path(unquote(origin.path))
    if origin.scheme != "file" or not (source / "harness").is_dir():
        return None
    alike = code_digest([source / "harness"]) == code_digest([core])
    return source if alike and _git(source, "ls-files", "--error-unmatch", "harness") else None


def _installed_commit() -> str:
    """The commit that a package manager wrote down, or nothing."""
    about = _origin().get("vcs_info")
    return str(about.get("commit_id", "")) if isinstance(about, dict) else ""


def _origin() -> dict[str, Any]:
    """What the installation says of where it came from (PEP 610)."""
    try:
        found = json.loads(distribution("mmreid-harness").read_text("direct_url.json") or "{}")
    except (PackageNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _lines(root: Path, *words: str) -> list[str]:
    first, *rest = words
    return [name for name in _git(root, first, "-z", *rest).split("\0") if name]


def _git(folder: Path, *words: str) -> str:
    """What git answers, or nothing when it cannot."""
    command = ["git", "-C", str(folder), *words]
    try:
        done = subprocess.run(command, capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""
