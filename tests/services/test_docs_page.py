"""The page of the document in a real browser."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from browser import browsing
from running import Running, listening
from typosentinel_server.administration.app import Administration, administered
from typosentinel_server.app import Setup, make_app
from typosentinel_server.clock import Clock
from typosentinel_server.engines import Library
from typosentinel_server.logs import Log
from typosentinel_server.settings import LogLevel

TOKEN = "x" * 40


@pytest.fixture
async def server(tmp_path: Path, real_clock: Clock) -> AsyncIterator[Running]:
    """A server with one small list."""
    (tmp_path / "pypi.csv").write_text("rank,name,tier\n1,requests,protected\n2,flask,protected\n", encoding="utf-8")
    app = make_app(Setup(name="pod-1", library=Library(tmp_path)), real_clock, Log("json", LogLevel.ERROR))
    async with listening(app) as found:
        yield found


async def test_a_scan_can_be_tried_out(server: Running, tmp_path: Path) -> None:
    """Open an operation, edit its example, send it with a key, read answer and command; no rule of ours is broken."""
    async with browsing(f"{server.url}/docs", tmp_path / "profile") as page:
        assert await page.until("document.querySelectorAll('details.operation').length") >= 15
        await page.evaluate("document.getElementById('scan').open = true")
        await page.until("!!document.querySelector('#scan form button')")
        body = '{"ecosystem": "PyPI", "name": "reqeusts"}'
        await page.evaluate(
            f"document.querySelector('#scan textarea').value = {body!r};"
            "const key = document.getElementById('secret-ApiKey'); key.value = 'very-secret';"
            "key.dispatchEvent(new Event('input')); document.querySelector('#scan form').requestSubmit()"
        )
        shown = await page.until(
            "document.querySelector('#scan .status') && document.querySelector('#scan .answer').innerText"
        )
        stored = await page.evaluate("JSON.stringify([localStorage.length, sessionStorage.length, document.cookie])")

    assert "200 OK" in shown
    assert '"verdict": "suspicious"' in shown
    assert "x-request-id:" in shown
    assert "curl -i -X POST" in shown
    assert "very-secret" not in shown
    assert stored == '[0,0,""]'
    assert page.complaints == []


async def test_operations_are_found_by_a_word(server: Running, tmp_path: Path) -> None:
    """Under the other name of the page, and with a refusal shown as one."""
    async with browsing(f"{server.url}/api/docs#method", tmp_path / "profile") as page:
        await page.until("!!document.querySelector('#method form')")
        await page.evaluate(
            "document.querySelector('#method input').value = 'no/such';"
            "document.querySelector('#method form').requestSubmit()"
        )
        shown = await page.until(
            "document.querySelector('#method .status') && document.querySelector('#method .answer').innerText"
        )
        await page.evaluate(
            "const box = document.getElementById('filter'); box.value = 'judge one';"
            "box.dispatchEvent(new Event('input'))"
        )
        left = await page.evaluate(
            "[...document.querySelectorAll('details.operation')].filter((o) => o.checkVisibility()).map((o) => o.id)"
        )

    assert "404 Not Found" in shown
    assert "UNKNOWN_METHOD" in shown
    assert f"{server.url}/api/v1/methods/no%2Fsuch" in shown
    assert left == ["scan"]


async def test_administration_has_a_page_that_takes_the_token(server: Running, tmp_path: Path) -> None:
    """Without it the answer is a refusal, with it the state."""
    token = tmp_path / "token"
    token.write_text(TOKEN, encoding="ascii")
    async with AsyncExitStack() as stack:
        runner = await stack.enter_async_context(administered(server.parts, Administration(token, port=0)))
        assert runner is not None
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/docs#status"
        page = await stack.enter_async_context(browsing(url, tmp_path / "profile"))
        await page.until("!!document.querySelector('#status form')")
        send = "document.querySelector('#status form').requestSubmit()"
        answer = "document.querySelector('#status .status') && document.querySelector('#status .answer').innerText"
        await page.evaluate(send)
        refused = await page.until(answer)
        await page.evaluate(
            f"const box = document.getElementById('secret-Token'); box.value = '{TOKEN}';"
            f"box.dispatchEvent(new Event('input')); "
            f"document.querySelector('#status .answer').replaceChildren(); {send}"
        )
        shown = await page.until(answer)

    assert "401 Unauthorized" in refused
    assert "200 OK" in shown
    assert '"logLevel"' in shown
    assert TOKEN not in shown


async def test_the_status_page_breaks_no_rule(server: Running, tmp_path: Path) -> None:
    """Its style is loaded, and the policy has nothing to object to."""
    async with browsing(f"{server.url}/status", tmp_path / "profile") as page:
        assert await page.until("document.querySelector('.badge.ok') && document.styleSheets.length") == 1

    assert page.complaints == []
