"""The forms of a name under which confusable names meet.

All of them are of ASCII letters and digits once look-alike letters are folded; every function is linear in the
length of its argument.
"""

import re
from collections.abc import Iterator

from typosentinel_server.scan.model import Ecosystem

TOKEN = re.compile(r"[a-z0-9]+")
_KEEP = "abcdefghijklmnopqrstuvwxyz0123456789"
_TO_FLAT = {n: None for n in range(128) if chr(n) not in _KEEP}
_DIGITS_AT_END = re.compile(r"(.*?[a-z])[0-9]+")
_RELEASE = re.compile(r"(.{3,}?)[-_.@]?v?[0-9]++(?:\.[0-9]++)*+")

# Marks of a language or a registry, which say nothing about what a package does.
LANGUAGE_MARKS = frozenset(
    {
        "js", "node", "nodejs", "npm", "ts", "py", "python", "python3", "rb", "ruby", "gem", "rs", "rust", "crate",
        "go", "golang", "net", "java", "lib", "io", "cli", "api", "sdk", "ng", "es",
    }
)  # fmt: skip
# Words that promise a repair, a newer edition or an official one: what squatters put beside a brand.
LURES = frozenset(
    {
        "fix", "fixed", "patch", "patched", "hotfix", "update", "updated", "updater", "upgrade", "latest", "new",
        "next", "stable", "release", "dist", "build", "official", "original", "real", "mirror", "clone", "copy",
        "fork", "secure", "security", "safe", "pro", "plus", "premium", "free", "lite", "fast", "better", "helper",
        "helpers", "support", "dev", "develop", "beta", "alpha", "compat", "tool", "tools", "util", "utils",
        "install", "installer", "loader",
    }
)  # fmt: skip
AFFIXES = LANGUAGE_MARKS | LURES
_MARKS = tuple(LANGUAGE_MARKS)
_GLUED = tuple(sorted({len(mark) for mark in LANGUAGE_MARKS}))
MIN_CORE = 3
# Registries in which a name begins with its owner.
OWNING = frozenset((Ecosystem.NPM, Ecosystem.MAVEN, Ecosystem.GO))
MAX_TOKENS = 16


def flat(text: str) -> str:
    """The letters and digits of a lower-case text, nothing between them."""
    return text.translate(_TO_FLAT)


def tokens(text: str) -> list[str]:
    """The runs of letters and digits of a lower-case text, at most 16 of them."""
    if text.isascii() and text.isalnum():
        return [text]
    return TOKEN.findall(text)[:MAX_TOKENS]


def word_order(parts: list[str]) -> str:
    """A form that names of the same tokens in any order share."""
    return " ".join(sorted(parts))


def owner(ecosystem: Ecosystem, text: str) -> str:
    """The part of a name that one owner holds, so that nobody else can publish beside it; empty without one.

    That is npm's scope, Maven's groupId and, in Go, the host with the account. It is always a beginning of
    the name, followed by one mark.
    """
    if ecosystem is Ecosystem.NPM and text.startswith("@"):
        return text.partition("/")[0]
    if ecosystem is Ecosystem.MAVEN:
        return text.partition(":")[0]
    if ecosystem is Ecosystem.GO:
        return "/".join(text.split("/")[:2]) if text.count("/") > 1 else ""
    return ""


def base(ecosystem: Ecosystem, text: str) -> str:
    """What is left of a name without its owner: `core` of `@babel/core`; the whole name where there is none."""
    held = owner(ecosystem, text)
    return text[len(held) + 1 :] if held else text


def cores(parts: list[str]) -> Iterator[tuple[str, str, bool]]:
    """What is left of a name without an affix that says little: (core, affix, whether it stood in front).

    Both `discord.js` and `discordjs` have the core `discord`; so has `discord-fix`. Cores are flat. Bound: two tokens
    and twelve glued marks.

    Args:
        parts: the name's tokens.
    """
    if not parts:
        return
    first, last = parts[0], parts[-1]
    if len(parts) > 1:
        if last in AFFIXES:
            yield "".join(parts[:-1]), last, False
        if first in AFFIXES:
            yield "".join(parts[1:]), first, True
    # Most names have none, and this is how to see that quickest.
    in_front, behind = first.startswith(_MARKS), last.endswith(_MARKS)
    if not in_front and not behind:
        return
    whole = "".join(parts)
    for length in _GLUED:
        if len(whole) - length < MIN_CORE:
            break
        # A mark that is a word of its own is told already.
        if behind and len(last) > length and last[-length:] in LANGUAGE_MARKS:
            yield whole[:-length], last[-length:], False
        if in_front and len(first) > length and first[:length] in LANGUAGE_MARKS:
            yield whole[length:], first[:length], True


def unversioned(text: str) -> str:
    """A name without the version at its end: `colors` of `colors-2.2.0`; empty where there is none."""
    found = _RELEASE.fullmatch(text) if text[-1:].isdigit() else None
    return found[1] if found else ""


def undigited(flat_text: str) -> str:
    """A flat name without the digits at its end; empty where there are none."""
    found = _DIGITS_AT_END.fullmatch(flat_text)
    return found[1] if found else ""
