"""Samples the GPU's load, power, clock and memory while something runs."""

from __future__ import annotations

import contextlib
import threading
from typing import Any

_NAMES = ("load_%", "memory_load_%", "watt", "sm_mhz", "used_mib")


class Watch:
    """Does so in a thread while a block runs; without a GPU or its library it finds nothing."""

    def __init__(self, every: float = 0.2) -> None:
        self.every = every
        self.rows: list[tuple[float, ...]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go, daemon=True)

    def __enter__(self) -> Watch:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._stop.set()
        self._thread.join(2)

    def _go(self) -> None:
        try:
            import pynvml  # type: ignore[import-not-found]

            pynvml.nvmlInit()
            card = pynvml.nvmlDeviceGetHandleByIndex(0)
        except Exception:  # no library, no driver or no card: there is nothing to watch
            return
        while not self._stop.wait(self.every):
            with contextlib.suppress(pynvml.NVMLError):
                load = pynvml.nvmlDeviceGetUtilizationRates(card)
                self.rows.append(
                    (
                        load.gpu,
                        load.memory,
                        pynvml.nvmlDeviceGetPowerUsage(card) / 1e3,
                        pynvml.nvmlDeviceGetClockInfo(card, pynvml.NVML_CLOCK_SM),
                        pynvml.nvmlDeviceGetMemoryInfo(card).used / 2**20,
                    )
                )

    @property
    def found(self) -> dict[str, Any]:
        """The mean of each, and of how many samples."""
        if not self.rows:
            return {}
        columns = zip(*self.rows, strict=True)
        means = {n: round(sum(c) / len(c), 1) for n, c in zip(_NAMES, columns, strict=True)}
        return {**means, "samples": len(self.rows)}
