"""Names are resolved once, every address is checked, and connections go to checked addresses only.

A name that leads to a public address when it is checked and to 169.254.169.254 when it is connected to is the oldest
trick on fetchers. So what was checked is what is connected to; names are looked up again on a schedule, with the same
checks, and what fails them leaves the addresses from before in use.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from aiohttp.abc import AbstractResolver, ResolveResult

from typosentinel_server.addresses import Networks, may_connect

# Gives the addresses of a host, as numbers. Raises OSError.
Lookup = Callable[[str], Awaitable[list[str]]]

REFRESH_SECONDS: Final = 300.0
# A host whose look-up failed, or whose addresses do not answer, is looked up again no sooner than this.
AGAIN_SECONDS: Final = 5.0
MAX_ADDRESSES: Final = 16


class Forbidden(OSError):
    """An address that must not be connected to."""


async def system_lookup(host: str) -> list[str]:
    """What the operating system says."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(address[0]) for _, _, _, _, address in found]


@dataclass(slots=True)
class _Pin:
    addresses: tuple[str, ...] = ()
    error: OSError | None = None
    due: float = 0.0
    refresh: "asyncio.Task[None] | None" = None


class Pins(AbstractResolver):
    """Keeps the checked addresses of a few hosts.

    Args:
        allowed: networks that may be connected to although they are not public.
        monotonic: the clock, in seconds.
        lookup: gives a host's addresses.
    """

    def __init__(self, allowed: Networks, monotonic: Callable[[], float], lookup: Lookup = system_lookup) -> None:
        self._allowed = allowed
        self._monotonic = monotonic
        self._lookup = lookup
        self._pins: dict[str, _Pin] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The pinned addresses of a host; looked up first where there are none, behind the scenes where they are old.

        Raises:
            Forbidden: the host leads to where connections must not go.
            OSError: it cannot be looked up.
        """
        pin = self._pins.setdefault(host.lower(), _Pin())
        if pin.refresh is None and self._monotonic() >= pin.due:
            # Nobody's cancellation ends it: a thread that asks for a name cannot be stopped, and must not be doubled.
            pin.refresh = asyncio.create_task(self._look_up(host, pin), name=f"look-up of {host}")
        if not pin.addresses and pin.refresh is not None:
            await asyncio.shield(pin.refresh)
        if not pin.addresses:
            raise pin.error or OSError(f"{host} has no addresses")
        return [_result(host, address, port) for address in pin.addresses if _is_of(address, family)]

    def doubt(self, host: str) -> None:
        """A host's addresses did not answer: they are looked up again soon."""
        pin = self._pins.get(host.lower())
        if pin is not None:
            pin.due = min(pin.due, self._monotonic() + AGAIN_SECONDS)

    def connect(self, address_info: tuple[int, int, int, str, tuple[object, ...]]) -> socket.socket:
        """A socket for one address; what aiohttp calls before it connects, whatever led it there. Raises Forbidden."""
        family, kind, protocol, _, address = address_info
        if not may_connect(str(address[0]), self._allowed):
            raise Forbidden(f"{address[0]} must not be connected to")
        return socket.socket(family, kind, protocol)

    async def close(self) -> None:
        """Ends look-ups that are under way."""
        tasks = [pin.refresh for pin in self._pins.values() if pin.refresh is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _look_up(self, host: str, pin: _Pin) -> None:
        try:
            found = tuple(dict.fromkeys(await self._lookup(host)))[:MAX_ADDRESSES]
            forbidden = [address for address in found if not may_connect(address, self._allowed)]
            if forbidden:
                # One is enough: a name that leads inside and outside is on its way from one to the other.
                raise Forbidden(f"{host} leads to {forbidden[0]}, which must not be connected to")
            pin.addresses = found or pin.addresses
            pin.error = None
            pin.due = self._monotonic() + (REFRESH_SECONDS if found else AGAIN_SECONDS)
        except (OSError, UnicodeError) as error:
            pin.error = error if isinstance(error, OSError) else OSError(f"{host} is no name of a host")
            pin.due = self._monotonic() + AGAIN_SECONDS
        finally:
            pin.refresh = None


def _is_of(address: str, family: socket.AddressFamily) -> bool:
    return family is socket.AF_UNSPEC or family is (socket.AF_INET6 if ":" in address else socket.AF_INET)


def _result(host: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return ResolveResult(
        hostname=host,
        host=address,
        port=port,
        family=family,
        proto=0,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )
