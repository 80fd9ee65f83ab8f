"""The one kind of error a person sees: what failed, what its log says last and what to do about it."""

from pathlib import Path

LINES_SHOWN = 15


class ClusterError(Exception):
    """Something a person has to know or to do; shown without a traceback."""

    def __init__(self, what: str, *, log: Path | None = None, advice: str = "") -> None:
        """Keep the parts apart: the log is read only when the error is shown, so that it is complete by then."""
        super().__init__(what)
        self.what = what
        self.log = log
        self.advice = advice

    def report(self) -> str:
        """Return the whole message as it is printed."""
        lines = [f"error: {self.what}"]
        if self.log is not None:
            lines.append(f"  log: {self.log}")
            lines += [f"  | {line}" for line in last_lines(self.log)]
        if self.advice:
            lines.append(f"  {self.advice}")
        return "\n".join(lines)


def last_lines(log: Path, count: int = LINES_SHOWN) -> list[str]:
    """Return the end of a log without reading a large file whole; nothing when it cannot be read."""
    try:
        with log.open("rb") as stream:
            size = stream.seek(0, 2)
            stream.seek(max(0, size - 400 * count))
            text = stream.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [line[:400] for line in text.splitlines()[-count:]]
