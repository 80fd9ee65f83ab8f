"""Runs a target for a while and reads off what came of it."""

import importlib
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[2]
# To start up, to try old inputs again, and to finish the one at hand.
GRACE_SECONDS = 120
# An input of ten seconds or two gigabytes is a finding.
LIMITS = ("-timeout=10", "-rss_limit_mb=2048", "-max_len=4096", "-print_final_stats=1")
SHOWN_LINES = 25


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one target.

    Attributes:
        executions: inputs tried.
        coverage: edges of the scanner's own code that they reached.
        findings: files with inputs that broke something.
        told: the end of the fuzzer's output, where it did not end well.
    """

    executions: int
    coverage: int
    findings: tuple[Path, ...]
    told: str

    @property
    def well(self) -> bool:
        """Whether it ran, saw the scanner's code and broke nothing."""
        return not self.findings and not self.told and self.executions > 0 and self.coverage > 0


def run_target(module: str, seconds: int, folder: Path) -> Outcome:
    """Fuzzes one target.

    Args:
        module: has SEEDS and `make`.
        seconds: how long.
        folder: keeps its inputs, the log, and what was found, each under the target's name.
    """
    name = module.rpartition(".")[2]
    corpus, findings = folder / "corpus" / name, folder / "findings" / name
    for place in (corpus, findings):
        place.mkdir(parents=True, exist_ok=True)
    for n, seed in enumerate(importlib.import_module(module).SEEDS):
        (corpus / f"seed-{n:02}").write_bytes(seed)
    # What was found before is tried first.
    for old in findings.iterdir():
        old.rename(corpus / old.name)
    options = (*LIMITS, f"-max_total_time={seconds}", f"-artifact_prefix={findings}/")
    with TemporaryDirectory(prefix="fuzz-") as work, (folder / f"{name}.log").open("w+b") as log:
        command = [sys.executable, "-m", "hack.fuzz.child", module, work, *options, str(corpus)]
        try:
            code = subprocess.run(
                command, cwd=ROOT, stdout=log, stderr=log, timeout=seconds + GRACE_SECONDS, check=False
            ).returncode
        except subprocess.TimeoutExpired:
            code = -1
        log.seek(0)
        told = log.read().decode("utf-8", "replace")
    return Outcome(
        executions=_last(r"stat::number_of_executed_units:\s+(\d+)", told),
        coverage=_last(r"\bcov: (\d+)", told),
        findings=tuple(sorted(findings.iterdir())),
        told="\n".join(told.splitlines()[-SHOWN_LINES:]) if code else "",
    )


def _last(pattern: str, text: str) -> int:
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0
