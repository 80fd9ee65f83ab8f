"""Write the table of letters that look like ASCII ones: `python -m hack.detection.confusables [--check]`.

The facts are Unicode's confusables data (UTS #39), out of a package pinned by version and hash. Left out is what the
scanner finds by itself: characters whose compatibility decomposition is ASCII, and marks. Added are the letters that
Unicode keeps apart because the lower-case form has the shape of a capital (small capitals, Cyrillic `в`, `м`, `т`), and
Latin letters that differ from an ASCII one by a hook, a tail or a stroke.
"""

import argparse
import hashlib
import re
import sys
import tempfile
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from hack.corpora.sources import UNICODE_SECURITY, fetch, from_tarball

OUT = Path(__file__).resolve().parents[2] / "server" / "typosentinel_server" / "scan" / "confusables.txt"
NAME = re.compile(r"[a-z0-9]{1,4}|[-_.]")
ROW = re.compile(r"\('\\u\{([0-9a-f]+)\}',\s*&\[([^]]*)\]\)")
CODE_POINT = re.compile(r"\\u\{([0-9a-f]+)\}")
VERSION = re.compile(r"UNICODE_VERSION: \(u64, u64, u64\) = \((\d+), (\d+), (\d+)\)")
LETTER = re.compile(r"LATIN (?:SMALL LETTER|CAPITAL LETTER|LETTER SMALL CAPITAL) ([A-Z])(?: WITH .+)?")
# Prototypes of Unicode's that are no ASCII though a reader of code takes them for it: kra stands for `к` and `κ`, the
# turned w for `м` and the small capital M, tone six for `ь`; chi is nobody's look-alike there.
CLOSE = {"\u0138": "k", "\u028d": "m", "\u0185": "b", "\u03c7": "x"}


def main() -> int:
    """Writes or checks the table; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="only say whether the committed table is as it was written"
    )
    if parser.parse_args().check:
        return check(OUT.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as work:
        crate = fetch(UNICODE_SECURITY, Path(work))
        member = f"{UNICODE_SECURITY.name}-{UNICODE_SECURITY.version}/src/tables.rs"
        rust = from_tarball(crate, member).decode("utf-8")
    version, prototypes = read(rust)
    table = derive((chr(n) for n in range(0x80, sys.maxunicode + 1)), prototypes)
    OUT.write_text(render(table, version), encoding="utf-8")
    print(f"[confusables] Unicode {version}: {len(table):,} characters, {OUT.stat().st_size:,} bytes")
    return 0


def read(rust: str) -> tuple[str, dict[str, str]]:
    """The Unicode version and every character's prototype, from the table in Rust.

    Raises:
        SystemExit: the source is no such table.
    """
    version = VERSION.search(rust)
    start = rust.find("const CONFUSABLES: &'static [(char, &'static [char])]")
    if version is None or start < 0:
        sys.exit("the source holds no confusables table: has its layout changed?")
    rows = ROW.findall(rust[start : rust.index("];", start)])
    return ".".join(version.groups()), {chr(int(c, 16)): _text(CODE_POINT.findall(to)) for c, to in rows}


def derive(characters: Iterable[str], prototypes: Mapping[str, str]) -> dict[str, str]:
    """What each character looks like: up to four letters or digits, or one of `-_.`. Others are left out."""
    wanted = (c for c in characters if unicodedata.category(c) not in {"Mn", "Me", "Cs"} and not plain(c).isascii())
    found = ((c, look(c, prototypes)) for c in wanted)
    return {c: ascii_name for c, ascii_name in found if ascii_name}


def look(character: str, prototypes: Mapping[str, str]) -> str:
    """The ASCII that a character looks like; empty if it looks like none."""
    own = _own_look(character, prototypes)
    lower = character.lower()
    of_lower = _own_look(lower, prototypes) if len(lower) == 1 and lower != character else ""
    # Unicode's prototype l stands for I, l, 1 and | alike; the lower-case form tells I and l apart.
    return of_lower if not own or (own, of_lower) == ("l", "i") else own


def plain(text: str) -> str:
    """Lower-case compatibility decomposition without marks."""
    parts = unicodedata.normalize("NFKD", text).lower()
    return "".join(c for c in parts if unicodedata.category(c) not in {"Mn", "Me"})


def render(table: Mapping[str, str], version: str) -> str:
    """The file: a head of four lines, then a line for each look with its characters' code points in hex."""
    by_look: dict[str, list[str]] = defaultdict(list)
    for character, ascii_name in table.items():
        by_look[ascii_name].append(f"{ord(character):x}")
    body = "".join(f"{ascii_name} {' '.join(codes)}\n" for ascii_name, codes in sorted(by_look.items()))
    return (
        "# What letters of other scripts look like. Written by hack/detection/confusables.py: run it, don't edit.\n"
        f"# Unicode {version} confusables (Unicode License v3, see NOTICE), names of {unicodedata.unidata_version}.\n"
        f"# {_source()}\n"
        f"# sha256 of the lines below: {_digest(body)}\n{body}"
    )


def check(content: str) -> int:
    """0 if the lines are those that the head vouches for and come from the pinned source, else 1 with a word why."""
    head, body = content.splitlines()[:4], content.split("\n", 4)[-1]
    if len(head) < 4 or head[2] != f"# {_source()}" or head[3].rpartition(" ")[2] != _digest(body):  # noqa: PLR2004
        print(f"{OUT.name} is not what its script wrote from the pinned source; run make corpora", file=sys.stderr)
        return 1
    return 0


def _own_look(character: str, prototypes: Mapping[str, str]) -> str:
    text = plain(prototypes.get(character, character))
    text = "".join(c if c.isascii() else _by_name(c) or c for c in text)
    if not NAME.fullmatch(text):
        text = _by_name(character)
    # Unicode's prototype of m is rn; a single sign that looks like either is an m.
    return "m" if text == "rn" else text


def _by_name(character: str) -> str:
    if character in CLOSE:
        return CLOSE[character]
    found = LETTER.fullmatch(unicodedata.name(character, ""))
    return found[1].lower() if found else ""


def _source() -> str:
    return f"{UNICODE_SECURITY.name} {UNICODE_SECURITY.version} by {UNICODE_SECURITY.client}, {UNICODE_SECURITY.sha256}"


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()


def _text(codes: list[str]) -> str:
    return "".join(chr(int(code, 16)) for code in codes)


if __name__ == "__main__":
    sys.exit(main())
