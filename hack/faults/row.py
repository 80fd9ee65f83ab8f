"""What one fault or attack came to, for people and for the last line of a campaign."""

from dataclasses import dataclass, field


@dataclass
class Row:
    """What a fault came to.

    Attributes:
        name: of the fault.
        figures: what was measured.
        failed: what did not hold, in words.
    """

    name: str
    figures: dict[str, float] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    def wants(self, fact: object, otherwise: str) -> None:
        """Notes a failure where a fact is none."""
        if not fact:
            self.failed.append(otherwise)

    def within(self, figure: str, seconds: float | None, most: float) -> None:
        """Notes how long something took, None for never, which is -1, and how long it may take."""
        self.figures[figure] = -1 if seconds is None else round(seconds, 1)
        took = "never" if seconds is None else f"{seconds:.1f}"
        self.wants(seconds is not None and seconds <= most, f"{figure} is {took}, wanted {most:g}")

    def __str__(self) -> str:
        figures = ", ".join(f"{name} {value}" for name, value in self.figures.items())
        return f"{self.name}: {'; '.join(self.failed) or 'held'} ({figures})"
