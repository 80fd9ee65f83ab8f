"""Names to measure with: questions that nothing answers early, and lists of any length. Seeded, so always the same."""

import csv
import random
import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from typosentinel_server.errors import DomainError
from typosentinel_server.scan.corpus import FILE_STEMS, Corpus
from typosentinel_server.scan.model import Ecosystem, parse_ecosystem
from typosentinel_server.scan.naming import parse_name

SEED = 20261121


@dataclass(frozen=True, slots=True)
class Query:
    """A name to ask about.

    Attributes:
        ecosystem: whose name it is.
        raw: the spelling that we are asked in.
        text: the normalised form that peers are asked in, so that they need not normalise.
    """

    ecosystem: Ecosystem
    raw: str
    text: str


def unlisted(rows: Iterable[Mapping[str, str]], corpora: Mapping[Ecosystem, Corpus]) -> list[Query]:
    """The names of a bench that are on no list and that their registry could hold, shuffled, each once.

    Args:
        rows: with the columns ecosystem and name.
        corpora: the lists; rows of other ecosystems are left out.
    """
    listed = {e: {entry.name.identity for entry in corpus.entries} for e, corpus in corpora.items()}
    found: dict[tuple[Ecosystem, str], Query] = {}
    for row in rows:
        try:
            ecosystem = parse_ecosystem(row["ecosystem"])
            name = parse_name(ecosystem, row["name"])
        except DomainError:
            continue
        if ecosystem in listed and name.identity not in listed[ecosystem]:
            found.setdefault((ecosystem, name.identity), Query(ecosystem, row["name"], name.text))
    queries = list(found.values())
    _chance().shuffle(queries)
    return queries


def write_lists(corpora: Mapping[Ecosystem, Corpus], directory: Path) -> None:
    """Write what peers compare with: one normalised name a line, most popular first, in `<ecosystem>.txt`."""
    directory.mkdir(parents=True, exist_ok=True)
    for ecosystem, corpus in corpora.items():
        texts = dict.fromkeys(entry.name.text for entry in corpus.entries)
        (directory / f"{FILE_STEMS[ecosystem]}.txt").write_text("\n".join(texts) + "\n", encoding="utf-8")


def edited(name: str, chance: random.Random) -> str:
    """The name with one or two letters changed, left out, added or swapped."""
    letters = list(name)
    for _ in range(chance.choice((1, 1, 2))):
        at = chance.randrange(len(letters))
        letter = chance.choice(string.ascii_lowercase)
        match chance.randrange(4):
            case 0:
                letters[at] = letter
            case 1 if len(letters) > 1:
                del letters[at]
            case 2:
                letters.insert(at, letter)
            case _:
                letters[at], letters[at - 1] = letters[at - 1], letters[at]
    return "".join(letters)


def grown(corpora: Sequence[Corpus], count: int, without: Iterable[str]) -> list[tuple[str, bool]]:
    """A list of PyPI names of any length, with whether each is protected; a longer one begins with a shorter one.

    Args:
        corpora: their names come first, in this order, as far as PyPI allows them; then edits of these.
        count: of names wanted; more than the corpora hold takes edits.
        without: identities that must not be on the list.

    Raises:
        ValueError: there is no name to edit.
    """
    names: dict[str, bool] = {}
    taken = set(without)
    for text, protected in _listed_then_edited(corpora):
        if len(names) == count:
            break
        try:
            identity = parse_name(Ecosystem.PYPI, text).identity
        except DomainError:
            continue
        if identity not in taken:
            names.setdefault(identity, protected)
    return list(names.items())


def write_corpus(names: Sequence[tuple[str, bool]], path: Path) -> None:
    """Write a list in the form that `--corpus` reads, ranked as given."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("rank", "name", "tier"))
        for rank, (name, protected) in enumerate(names, start=1):
            writer.writerow((rank, name, "protected" if protected else "known"))


def _listed_then_edited(corpora: Sequence[Corpus]) -> Iterator[tuple[str, bool]]:
    texts = []
    for corpus in corpora:
        for entry in corpus.entries:
            texts.append(entry.name.text)
            yield entry.name.text, entry.protected
    if not texts:
        raise ValueError("there is no name to edit")
    chance = _chance()
    while True:
        yield edited(chance.choice(texts), chance), False


def _chance() -> random.Random:
    return random.Random(SEED)  # noqa: S311 - repeatable, not secret
