"""Why a bundle is not taken: each kind has a code of its own, so that refusals can be counted by reason."""

from typing import Final

from typosentinel_server.errors import CorpusUnreadable

CHECKSUM: Final = "CORPUS_CHECKSUM"
TOO_LARGE: Final = "CORPUS_TOO_LARGE"
UNREACHABLE: Final = "CORPUS_UNREACHABLE"
MISSING: Final = "CORPUS_MISSING"
SHRUNKEN: Final = "CORPUS_SHRUNKEN"
DAMAGED: Final = "CORPUS_UNREADABLE"

# How refusals are counted; what has another code is "damaged".
RESULTS: Final = {
    UNREACHABLE: "unreachable",
    TOO_LARGE: "too_large",
    CHECKSUM: "checksum",
    MISSING: "missing",
    SHRUNKEN: "shrunken",
}
DAMAGED_RESULT: Final = "damaged"

MAKE_ANEW: Final = "Fetch it again, or make it anew with typosentinel corpus build."


def refused(code: str, where: str, why: str, suggestion: str = MAKE_ANEW) -> CorpusUnreadable:
    """The refusal of a bundle, or of one list in it."""
    return CorpusUnreadable(code, f"cannot read popular names from {where}: {why}", suggestion)
