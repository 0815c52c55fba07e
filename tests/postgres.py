"""A PostgreSQL server of the tests' own: a temporary folder, a free port, a password."""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

PASSWORD = "s3cret/of:tests@home"
_QUOTED = "s3cret%2Fof%3Atests%40home"
_FASTER = "-c fsync=off -c full_page_writes=off -c max_connections=60"
_numbers = itertools.count()


class Server(NamedTuple):
    """A running server; every test takes a database of its own."""

    port: int

    def url(self, database: str) -> str:
        return f"postgresql://keeper:{_QUOTED}@127.0.0.1:{self.port}/{database}"

    def new(self) -> str:
        """The URL of a new, empty database."""
        import psycopg

        name = f"test_{next(_numbers)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.url(name)


@contextlib.contextmanager
def running() -> Iterator[Server]:
    """Start a server, and stop it; skips, with the reason, where there is none to start."""
    pytest.importorskip("psycopg")
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL's initdb and pg_ctl are not installed: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="harness-postgres-"))
    user = _server_user()
    try:
        if user is not None:
            os.chown(folder, user, -1)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        (folder / "password").write_text(PASSWORD)
        (folder / "password").chmod(0o644)
        data, log = folder / "data", folder / "log"
        initdb = ["initdb", "-D", data, "-U", "keeper", "--pwfile", folder / "password"]
        _call(programs, [*initdb, "-A", "scram-sha-256", "-E", "UTF8", "--no-sync"], user)
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 {_FASTER}"
        _call(programs, ["pg_ctl", "-D", data, "-l", log, "-o", options, "-w", "start"], user)
        try:
            yield Server(port)
        finally:
            _call(programs, ["pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"], user)
    finally:
        shutil.rmtree(folder)


def _programs() -> Path | None:
    """The newest folder with the server's programs; Debian keeps them off the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    places = [*([Path(on_path)] if on_path else []), *found]
    return places[-1].parent if places else None


def _server_user() -> int | None:
    """The server refuses to be root: then it is Debian's own user."""
    if os.getuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_uid
    except KeyError:
        pytest.skip("running as root, and there is no user postgres to start a server as")


def _call(programs: Path, words: list[str | Path], user: int | None) -> None:
    program, *rest = map(str, words)
    command = [str(programs / program), *rest]
    # Not captured by a pipe: the server would hold it open for ever.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(
            command, user=user, stdout=output, stderr=output, cwd="/", timeout=60, check=False
        )
        output.seek(0)
        assert done.returncode == 0, output.read().decode()
