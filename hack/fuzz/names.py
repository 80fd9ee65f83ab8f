"""Any name in any ecosystem: a verdict or a refusal, the same each time.

An input is a byte that chooses the ecosystem, one that chooses how the rest becomes a name, and the rest.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from hack.fuzz.claims import claim, claim_judgement, claim_refusal
from hack.fuzz.lists import ECOSYSTEMS, NAMES, write_lists
from typosentinel_server.answers import Question, answer_of
from typosentinel_server.engines import Engines, Library, build_engines
from typosentinel_server.errors import NameRefused
from typosentinel_server.reports.json import line
from typosentinel_server.scan.model import Ecosystem, Package
from typosentinel_server.scan.naming import parse_name

LONGEST = 10_000
AS_IT_IS, WIDE, EDITED, LONG = range(4)

TEXTS = (
    *("reqeusts", "lodahs", "serde-json", "rial", "NewtonsoftJson", "github.com/spf13/corba", "junit:jnuit"),
    *("r\u0435quests", "@bable/core", "t0kio", "rack\u202e", "a\x00b", "golang.org/x/nett", "a.b:guav\u0430"),
    *("\u212aelvin", "rn\ufb01", "\ud800", "\U000e0001", "_" * 40, "x" * 300),
)
SEEDS = (
    *(bytes((n % 7, AS_IT_IS)) + text.encode("utf-8", "surrogatepass") for n, text in enumerate(TEXTS)),
    bytes((0, EDITED, 2, 5, 1)) + b"x",
    bytes((1, EDITED, 3, 0, 2)),
    bytes((5, EDITED, 0, 12, 0)) + "\u0131".encode(),
    bytes((0, WIDE)) + "requ\ud800ests".encode("utf-16-le", "surrogatepass"),
    bytes((1, LONG)) + b"ab-",
)


def make(work: Path) -> Callable[[bytes], None]:
    """The target; `work` is a folder for its lists."""
    return partial(_one, build_engines(Library(write_lists(work))))


def _one(engines: Engines, data: bytes) -> None:
    ecosystem, name = _name(data)
    package = Package(ecosystem, name)
    engine = engines.engine(ecosystem)
    try:
        result = engine.scan(package)
    except NameRefused as error:
        claim_refusal(error)
        return
    claim_judgement(result)
    claim("a judgement is the same each time", holds=engine.scan(package) == result)
    claim("it is the same for a parsed name", holds=engine.judge(package, parse_name(ecosystem, name)) == result)
    question = Question(ecosystem.value, name)
    claim("its line is ASCII", holds=line(question, answer_of(question, result)).isascii())


def _name(data: bytes) -> tuple[Ecosystem, str]:
    head, rest = data[:2].ljust(2, b"\0"), data[2:]
    ecosystem, how = ECOSYSTEMS[head[0] % len(ECOSYSTEMS)], head[1] % 4
    if how == WIDE:
        return ecosystem, rest[: len(rest) // 2 * 2].decode("utf-16-le", "surrogatepass")
    if how == EDITED:
        return ecosystem, _edited(NAMES[ecosystem], rest)
    text = rest.decode("utf-8", "surrogateescape")
    if how == LONG and text:
        return ecosystem, (text * (LONGEST // len(text) + 1))[:LONGEST]
    return ecosystem, text


def _edited(names: tuple[str, ...], rest: bytes) -> str:
    # Which name, where, how many characters go, and what comes in their place.
    which, at, gone = rest[:3].ljust(3, b"\0")
    name = names[which % len(names)]
    at %= len(name) + 1
    return name[:at] + rest[3:].decode("utf-8", "surrogateescape") + name[at + gone % 4 :]
