"""A visitor of a served page without a browser: it asks for pages and takes what is sent."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple, Self
from urllib.parse import urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect
from websockets.typing import Subprotocol

_CONTENT = ("dataframe", "vega_lite_chart", "imgs")


class Moment(NamedTuple):
    """When something came: seconds since the request, of the clock and of the server's work."""

    seconds: float
    work: float


class Answer(NamedTuple):
    """What one request for a page came to."""

    first: Moment | None
    """The first table, chart or picture."""
    done: Moment
    size: int
    """Bytes of all messages."""
    problems: tuple[str, ...]
    """Titles of exceptions on the page."""


class Visitor:
    """One session over Streamlit's own WebSocket, as the browser's script has it.

    Args:
        address: Of the page, such as http://127.0.0.1:8501/.
        work: Processor seconds that the server has used up to now.
    """

    def __init__(self, address: str, work: Callable[[], float] = lambda: 0.0) -> None:
        place = address.replace("http", "ws", 1).rstrip("/") + "/_stcore/stream"
        # No pings: a server that is busy for half a minute is slow, and not gone.
        self._socket = connect(
            place,
            max_size=None,
            open_timeout=60,
            ping_interval=None,
            subprotocols=[Subprotocol("streamlit")],
        )
        self._work = work

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()

    def ask(self, page: str = "", patience: float = 120.0, **parameters: str | list[str]) -> Answer:
        """Open a page by its name in the address, and take what comes until its script is done."""
        request = BackMsg()
        request.rerun_script.page_name = page
        request.rerun_script.query_string = urlencode(parameters, doseq=True)
        started, used = time.perf_counter(), self._work()
        self._socket.send(request.SerializeToString())
        first, size, problems = None, 0, []
        while True:
            found = self._socket.recv(timeout=patience)
            now = Moment(time.perf_counter() - started, self._work() - used)
            size += len(found)
            message = ForwardMsg.FromString(
                bytes(found, "utf-8") if isinstance(found, str) else found
            )
            kind = message.WhichOneof("type")
            if kind == "delta":
                element = message.delta.new_element
                name = element.WhichOneof("type")
                first = now if first is None and name in _CONTENT else first
                if name == "exception":
                    problems.append(f"{element.exception.type}: {element.exception.message}")
            elif kind == "script_finished":
                return Answer(first, now, size, tuple(problems))
