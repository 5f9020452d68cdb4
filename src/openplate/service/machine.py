"""How the machine is, for heartbeats: from Linux's own files; elsewhere what is not known is 0."""

from __future__ import annotations

import os
import shutil
import sys
import time
from datetime import datetime
from pathlib import Path

from openplate.formats.rekor import MachineState

_KIB = 1024


class MachineMeter:
    """Measures again and again; ``folder`` is on the disk that is told of."""

    def __init__(self, folder: Path, system: Path = Path("/proc")) -> None:
        self._folder, self._system = folder, system
        self._times = self._cpu_times()

    def measure(self, now: datetime) -> MachineState:
        """The state now; processor use is that since the last time."""
        before, self._times = self._times, self._cpu_times()
        memory = self._memory()
        total, _, free = self._disk()
        return MachineState(
            measured_at=now,
            cpu_cores=os.cpu_count() or 1,
            cpu_percent=_busy_percent(before, self._times),
            uptime_s=self._uptime_s(),
            memory_total=memory.get("MemTotal", 0),
            memory_used=max(0, memory.get("MemTotal", 0) - memory.get("MemAvailable", 0)),
            swap_total=memory.get("SwapTotal", 0),
            swap_used=max(0, memory.get("SwapTotal", 0) - memory.get("SwapFree", 0)),
            disk_total=total,
            disk_free=free,
            disk_is_writable=os.access(self._folder, os.W_OK),
            os=sys.platform,
        )

    def _read(self, name: str) -> str:
        try:
            return (self._system / name).read_text(encoding="ascii", errors="replace")
        except OSError:
            return ""

    def _cpu_times(self) -> tuple[float, float]:
        """All of the processor's time, and the idle part of it."""
        line = self._read("stat").partition("\n")[0].split()
        numbers = [float(text) for text in line[1:9] if text.isdigit()] if line[:1] == ["cpu"] else []
        return sum(numbers), sum(numbers[3:5])

    def _memory(self) -> dict[str, int]:
        found = {}
        for line in self._read("meminfo").splitlines():
            name, _, rest = line.partition(":")
            number = rest.split()[:1]
            if number and number[0].isdigit():
                found[name] = int(number[0]) * _KIB
        return found

    def _uptime_s(self) -> int:
        words = self._read("uptime").split()
        try:
            return int(float(words[0])) if words else int(time.monotonic())
        except ValueError:
            return int(time.monotonic())

    def _disk(self) -> tuple[int, int, int]:
        try:
            usage = shutil.disk_usage(self._folder)
        except OSError:
            return 0, 0, 0
        return usage.total, usage.used, usage.free


def _busy_percent(before: tuple[float, float], after: tuple[float, float]) -> float:
    passed, idle = after[0] - before[0], after[1] - before[1]
    return min(100.0, max(0.0, 100.0 * (1 - idle / passed))) if passed > 0 else 0.0
