"""What processes have used up, by /proc."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory of a process in MiB.

    Attributes:
        now: at the moment.
        peak: the most that it ever had.
    """

    now: float
    peak: float


def cpu_seconds(pid: int) -> float:
    """Processor time of a process since its start, in seconds."""
    # The name in parentheses may hold anything; the fields after it do not.
    fields = (PROC / str(pid) / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> Memory:
    """Resident memory of a process."""
    found = dict(
        re.findall(r"^(\w+):\s+(\d+) kB$", (PROC / str(pid) / "status").read_text(encoding="utf-8"), re.MULTILINE)
    )
    return Memory(int(found["VmRSS"]) / 1024, int(found["VmHWM"]) / 1024)
