"""What is said to a provider of each shape, from the first question to the evidence."""

from collections.abc import Awaitable, Callable
from typing import Final

from typosentinel_server.providers.asking import Subject, address
from typosentinel_server.providers.gleaned import Gleaned
from typosentinel_server.providers.reading import PARSERS
from typosentinel_server.providers.shapes import goproxy, osv
from typosentinel_server.sections.providers import VERSION_LIST, RegistryProvider, Shape

# Gives the body of the answer to a GET of an address, or to a POST of a body. Raises Failure.
Ask = Callable[[str, bytes | None], Awaitable[bytes]]
Conversation = Callable[[Ask, Subject], Awaitable[Gleaned]]

MAX_PAGES: Final = 4


def with_registry(provider: RegistryProvider) -> Conversation:
    """What is said to a registry."""
    return _with_go_proxy(provider.url) if provider.kind is Shape.GO_PROXY else _one_answer(provider)


def with_vulnerabilities(url: str) -> Conversation:
    """What is said to a source that speaks as OSV does: at most four pages are read."""

    async def converse(ask: Ask, asked: Subject) -> Gleaned:
        found, token = Gleaned(), None
        for _ in range(MAX_PAGES):
            page = osv.page(await ask(url, osv.query(asked, token)), asked)
            found, token = found.or_else(page.gleaned), page.token
            if token is None:
                break
        return found

    return converse


def _one_answer(provider: RegistryProvider) -> Conversation:
    parse = PARSERS[provider.kind]

    async def converse(ask: Ask, asked: Subject) -> Gleaned:
        return parse(await ask(address(provider.url, asked), None), asked)

    return converse


def _with_go_proxy(template: str) -> Conversation:
    async def converse(ask: Ask, asked: Subject) -> Gleaned:
        listed = address(template, asked)
        first = goproxy.first_version(await ask(listed, None))
        if first is None:
            return Gleaned()
        # A version is digits, letters, dots and signs, as its pattern says: it stays one part of the path.
        return goproxy.info(await ask(f"{listed.removesuffix(VERSION_LIST)}/@v/{first}.info", None), asked)

    return converse
