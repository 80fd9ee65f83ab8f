"""Engines as open files, from which another process maps the very same lists.

What a worker judges with is what the server holds, bit for bit: no file is looked up by name, so that none can have
changed meanwhile, and mapped pages are in memory once for all processes.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from typosentinel_server.engines import Engines
from typosentinel_server.scan.elsewhere import Elsewhere
from typosentinel_server.scan.engine import Engine
from typosentinel_server.scan.index import Index
from typosentinel_server.scan.lexicon import Lexicon, open_lexicon
from typosentinel_server.scan.model import Ecosystem
from typosentinel_server.shelf import Mapped, mapped


@dataclass(frozen=True, slots=True)
class ListFile:
    """One compiled list that another process opens.

    Attributes:
        ecosystem: whose names it holds.
        created: when it was drawn up.
        partial: whether it holds a part of the popular names only.
        index: the open file of the list.
        lexicon: the open file of the lexicon.
        elsewhere: the open file of the other registries' names; None without one.
    """

    ecosystem: Ecosystem
    created: datetime
    partial: bool
    index: int
    lexicon: int
    elsewhere: int | None


@contextmanager
def shared(engines: Engines) -> Iterator[tuple[ListFile, ...]]:
    """Yields the lists of engines as files, which are open until the end of the block.

    Raises:
        OSError: no more files can be opened, or there is no memory for those that were in none.
    """
    open_files: dict[int, int] = {}
    try:
        found = []
        for facts in engines.corpora:
            index, lexicon, elsewhere = engines.engine(facts.ecosystem).contents
            found.append(
                ListFile(
                    facts.ecosystem,
                    facts.created,
                    facts.partial,
                    index=_number(open_files, index),
                    lexicon=_number(open_files, lexicon),
                    elsewhere=None if elsewhere is None else _number(open_files, elsewhere),
                )
            )
        yield tuple(found)
    finally:
        for number in open_files.values():
            os.close(number)


def _number(open_files: dict[int, int], content: object) -> int:
    found = open_files.get(id(content))
    if found is None:
        found = open_files[id(content)] = _opened(content)
    return found


def _opened(content: object) -> int:
    if isinstance(content, Mapped):
        return os.dup(content.descriptor)
    if not isinstance(content, bytes):
        raise TypeError(f"a compiled list is bytes or a mapped file, not {type(content).__name__}")
    # Nobody keeps this list in a file; this is one without a name, in memory.
    number = os.memfd_create("typosentinel-list")
    try:
        with os.fdopen(number, "wb", closefd=False) as file:
            file.write(content)
    except BaseException:
        os.close(number)
        raise
    return number


class LazyEngines:
    """The engines of lists given as files; each is read when it is first asked for.

    Args:
        files: the lists.
    """

    def __init__(self, files: Sequence[ListFile]) -> None:
        self._files = {file.ecosystem: file for file in files}
        self._engines: dict[Ecosystem, Engine] = {}
        self._lexicons: dict[int, Lexicon] = {}
        self._elsewheres: dict[int | None, Elsewhere] = {None: Elsewhere()}

    def engine(self, ecosystem: Ecosystem) -> Engine:
        """The engine of an ecosystem that there is a list for. Raises CorpusUnreadable, KeyError."""
        found = self._engines.get(ecosystem)
        if found is None:
            file = self._files[ecosystem]
            if file.lexicon not in self._lexicons:
                self._lexicons[file.lexicon] = open_lexicon(mapped(file.lexicon))
            if file.elsewhere is not None and file.elsewhere not in self._elsewheres:
                self._elsewheres[file.elsewhere] = Elsewhere(mapped(file.elsewhere))
            index = Index(mapped(file.index), file.created, partial=file.partial)
            found = Engine(index, self._lexicons[file.lexicon], elsewhere=self._elsewheres[file.elsewhere])
            self._engines[ecosystem] = found
        return found
