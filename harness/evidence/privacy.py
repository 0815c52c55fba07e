"""What a record must not tell: passwords in addresses, and whose machine it was made on."""

from __future__ import annotations

import getpass
import re
from pathlib import Path

_PASSWORD = re.compile(r"(\w://[^\s:/@]*):[^\s@]*@")


def without_password(text: str) -> str:
    """A text with the password of every address in it hidden."""
    return _PASSWORD.sub(r"\1:***@", text)


def without_person(text: str) -> str:
    """A text without passwords, the home folder and the user's name as part of a path.

    The home folder becomes `~` and the name `USER`; the rest of a path stays as it was typed, for
    a run is made again by its command. Bytes that are not UTF-8 are escaped, such as `\\xca`.
    """
    home, user = _who()
    shown = without_password(text)
    if home:
        # Not /data/home/me, where it is in the middle of another path.
        shown = re.sub(rf"(?<![\w./-]){re.escape(home)}(?=/|$)", "~", shown)
    if user not in ("", "root"):
        shown = re.sub(rf"(?<=/){re.escape(user)}(?=/|$)", "USER", shown)
    # A record holds Unicode only, and a word of the command may be any bytes.
    return shown.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _who() -> tuple[str, str]:
    try:
        home = str(Path.home())
    except RuntimeError:
        home = ""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = ""
    return ("" if home == "/" else home), user
