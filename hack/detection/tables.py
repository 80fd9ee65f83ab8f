"""What a detection run brought, as figures with names of their own and as tables for people."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hack.bench.report import Bound, Figures, Wanted, bound_said, columns, falls_short, said
from hack.detection.runs import Row

# At the default threshold, with the lists that the labels refer to.
WANTED: Wanted = {
    "recall.listed": ("at least", 0.78),
    "recall.non_edit_with_advisory": ("at least", 0.40),
    "fpr.tail": ("at most", 0.01),
    "fpr.longtail": ("at most", 0.01),
    "fpr.worst_ecosystem": ("at most", 0.02),
    "fpr.tail_with_advisory": ("at most", 0.03),
    "fpr.analyst": ("at most", 0.03),
    "target_first": ("at least", 0.96),
    "malicious": ("at most", 0),
}
SINGLE_EDITS = ("transposition", "omission", "insertion", "repetition", "keyboard_sub", "homoglyph", "delimiter")
SINGLE_EDITS_IN = ("crates", "go", "maven", "nuget")
SINGLE_EDIT_WANTED: Bound = ("at least", 0.95)
FLAGGED = frozenset({"suspicious", "malicious"})
ADVISED = FLAGGED | {"advisory"}
PREFIX = "synth_"

Shares = dict[str, dict[str, tuple[float, float]]]


def figures_of(scored: Mapping[str, Any], prefix: str = "") -> dict[str, float | None]:
    """The scorer's figures under dotted names; counts by category and by ecosystem are left out."""
    found: dict[str, float | None] = {}
    for key, value in scored.items():
        if key.startswith("by_"):
            continue
        if isinstance(value, Mapping):
            found |= figures_of(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = value
    return found


def score_table(runs: Sequence[tuple[str, Figures, Wanted]]) -> str:
    """Figures in rows, a column for each run.

    Args:
        runs: title, figures and bounds of each; bounds of a run mark its figures.
    """
    names = dict.fromkeys(name for _, figures, _ in runs for name in figures)
    bounds = {name: bound for _, _, wanted in runs for name, bound in wanted.items()}
    rows = [["figure", "wanted", *(f"{title}      " for title, _, _ in runs)]]
    for name in names:
        cells = [_cell(figures.get(name), wanted.get(name)) for _, figures, wanted in runs]
        rows.append([name, bound_said(bounds.get(name)), *cells])
    return columns(rows)


def counts_table(heading: str, key: str, runs: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    """How many listed attacks of how many were flagged, in rows by category or ecosystem, a column for each run.

    Args:
        heading: of the first column.
        key: "by_category" or "by_ecosystem".
        runs: title and the scorer's object of each.
    """
    names = dict.fromkeys(name for _, scored in runs for name in scored[key])
    rows = [[heading, *(title for title, _ in runs)]]
    for name in names:
        counts = [scored[key].get(name) for _, scored in runs]
        rows.append([name, *(f"{count[0]} of {count[1]}" if count else "-" for count in counts)])
    return columns(rows)


def shares(rows: Iterable[Row], answers: Mapping[tuple[str, str], Mapping[str, Any]]) -> Shares:
    """By category, then by ecosystem: the share of names flagged, and the share flagged or advised against.

    Args:
        rows: of the generated bench, all of them attacks.
        answers: predictions by ecosystem and name; a refusal or a missing one is no flag.
    """
    verdicts: dict[str, dict[str, list[str]]] = {}
    for row in rows:
        verdict = answers.get((row["ecosystem"], row["name"]), {}).get("verdict", "refused")
        category = row["category"].removeprefix(PREFIX)
        verdicts.setdefault(category, {}).setdefault(row["ecosystem"], []).append(verdict)
    return {
        category: {e: (_share(found, FLAGGED), _share(found, ADVISED)) for e, found in by_ecosystem.items()}
        for category, by_ecosystem in verdicts.items()
    }


def single_edits(found: Shares) -> dict[str, float]:
    """The shares flagged that are bounded, under dotted names: single edits where no labelled attacks exist."""
    return {
        f"synth.{category}.{ecosystem}": found[category][ecosystem][0]
        for category in SINGLE_EDITS
        for ecosystem in SINGLE_EDITS_IN
        if ecosystem in found.get(category, {})
    }


def synth_table(found: Shares) -> str:
    """Categories in rows, ecosystems in columns; a star marks a single edit's share that falls short."""
    ecosystems = list(dict.fromkeys(e for by_ecosystem in found.values() for e in by_ecosystem))
    bounded = single_edits(found)
    rows = [["category", *(f"{ecosystem} " for ecosystem in ecosystems)]]
    for category, by_ecosystem in found.items():
        cells = []
        for ecosystem in ecosystems:
            share = bounded.get(f"synth.{category}.{ecosystem}")
            mark = "*" if falls_short(share, SINGLE_EDIT_WANTED) else " "
            pair = by_ecosystem.get(ecosystem)
            cells.append((f"{pair[0]:.2f}/{pair[1]:.2f}" if pair else "-") + mark)
        rows.append([category, *cells])
    return columns(rows)


def _cell(value: float | None, bound: Bound | None) -> str:
    mark = "SHORT" if bound and falls_short(value, bound) else ""
    return f"{said(value)} {mark:<5}"


def _share(verdicts: Sequence[str], among: frozenset[str]) -> float:
    return sum(verdict in among for verdict in verdicts) / len(verdicts)
