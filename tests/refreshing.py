"""Servers that follow lists of popular names: how they are configured, and what they tell."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from running import Running

HEAD = "apiVersion: typosentinel.io/v1alpha1\nkind: ServerConfiguration\n"


def configured(tmp_path: Path, corpus: dict[str, Any], **rest: Any) -> Path:
    """A document that says so."""
    path = tmp_path / "config.yaml"
    lines = [f"{key}: {json.dumps(value)}\n" for key, value in ({"corpus": corpus} | rest).items()]
    path.write_text(HEAD + "".join(lines), encoding="utf-8")
    return path


async def health(server: Running, until: Callable[[dict[str, Any]], bool] = lambda _: True) -> dict[str, Any]:
    """The health report, once it is as wanted."""
    while True:
        async with server.http.get("/health") as response:
            found: dict[str, Any] = await response.json()
        if until(found):
            return found
        await asyncio.sleep(0.01)


def names(found: dict[str, Any]) -> dict[str, int]:
    """How many names each list in use holds."""
    return {entry["ecosystem"]: entry["names"] for entry in found["corpus"]}


def refreshes(found: dict[tuple[str, frozenset[tuple[str, str]]], float]) -> dict[str, float]:
    """Looks at the source by result, those that happened."""
    return {
        dict(labels)["result"]: value
        for (name, labels), value in found.items()
        if name == "typosentinel_corpus_refreshes_total" and value
    }
