"""The only room that speaks to scanner pods. A pod that does not answer costs its own row and no more."""

import asyncio
import json
from collections.abc import Iterable
from typing import Any

import aiohttp

from typosentinel_operator import names
from typosentinel_operator.observed import ListReport, NoAnswer, Report

# A pod's word about itself is small; what is larger is not from our server.
MAX_BYTES = 256 * 1024


class Scraper:
    """Asks servers for their health.

    Args:
        session: HTTP session; closed by who made it.
        timeout: seconds allowed to one pod.
        concurrency: pods asked at the same time, over all services.
    """

    def __init__(self, session: aiohttp.ClientSession, timeout: float, concurrency: int = 32) -> None:
        self._session = session
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._slots = asyncio.Semaphore(concurrency)

    async def ask(self, addresses: Iterable[str]) -> dict[str, Report | NoAnswer]:
        """Ask servers at these IP addresses, all at once."""
        wanted = list(dict.fromkeys(addresses))
        answers = await asyncio.gather(*(self._one(address) for address in wanted))
        return dict(zip(wanted, answers, strict=True))

    async def _one(self, address: str) -> Report | NoAnswer:
        host = f"[{address}]" if ":" in address else address
        try:
            async with (
                self._slots,
                self._session.get(
                    f"http://{host}:{names.PORT}/health", timeout=self._timeout, allow_redirects=False
                ) as answer,
            ):
                body = json.loads(await _bounded(answer.content))
            return _report(body)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return NoAnswer(str(error) or type(error).__name__)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            return NoAnswer("the answer is not a server's health report")


def _report(body: Any) -> Report:
    configuration = body["configuration"]
    lists = {
        str(one["name"]): ListReport(one["hash"] and str(one["hash"]), one["lastError"] and str(one["lastError"]))
        for one in body.get("lists", [])
    }
    return Report(str(configuration["hash"]), float(configuration["ageSeconds"]), lists)


async def _bounded(stream: aiohttp.StreamReader) -> bytes:
    body = b""
    async for chunk in stream.iter_any():
        body += chunk
        if len(body) > MAX_BYTES:
            message = "too long"
            raise ValueError(message)
    return body
