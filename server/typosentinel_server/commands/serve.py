"""`typosentinel serve`."""

import asyncio
import socket
import sys
from pathlib import Path
from typing import Literal

import click

from typosentinel_server.administration.app import Administration
from typosentinel_server.app import Setup
from typosentinel_server.clock import Clock
from typosentinel_server.engines import Library
from typosentinel_server.lifecycle import Timing
from typosentinel_server.logs import Log
from typosentinel_server.loops import new_event_loop
from typosentinel_server.processes.ports import reserved
from typosentinel_server.processes.supervisor import Supervisor
from typosentinel_server.serve import Address, serve
from typosentinel_server.settings import LogLevel


def _not_empty(_context: click.Context, _option: click.Parameter, value: str) -> str:
    if not value:
        raise click.BadParameter("give an address; 0.0.0.0 stands for every one")
    return value


def _printable_ascii(_context: click.Context, _option: click.Parameter, value: str) -> str:
    # It becomes a header of every answer.
    if not value or not value.isascii() or not value.isprintable():
        raise click.BadParameter("a name is printable ASCII")
    return value


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, callback=_not_empty, help="Address to listen on.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="0: any free one.")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    envvar="TYPOSENTINEL_CONFIG",
    show_envvar=True,
    help="Configuration document; watched while running. Default: none, all defaults.",
)
@click.option(
    "--corpus",
    type=click.Path(path_type=Path),
    help="Directory of lists such as pypi.csv, whatever the configuration says; watched while running.",
)
@click.option(
    "--admin-host",
    default="127.0.0.1",
    show_default=True,
    callback=_not_empty,
    envvar="TYPOSENTINEL_ADMIN_HOST",
    show_envvar=True,
    help="Address of the administrative port.",
)
@click.option(
    "--admin-port",
    default=8081,
    show_default=True,
    type=click.IntRange(0, 65535),
    envvar="TYPOSENTINEL_ADMIN_PORT",
    show_envvar=True,
    help="0: any free one.",
)
@click.option(
    "--admin-token-file",
    type=click.Path(path_type=Path),
    envvar="TYPOSENTINEL_ADMIN_TOKEN_FILE",
    show_envvar=True,
    help="Holds the token for the administrative port; watched while running. Default: none, and no such port.",
)
@click.option("--log-format", type=click.Choice(["json", "console"]), default="json", show_default=True)
@click.option(
    "--drain-seconds",
    type=click.FloatRange(0, 300),
    default=Timing().drain,
    show_default=True,
    help="Time between losing readiness and stopping, for balancers to notice.",
)
@click.option(
    "--name",
    default=socket.gethostname,
    callback=_printable_ascii,
    help="Sent as X-Served-By. Default: the host's name.",
)
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Server processes that share the port; above 1 one more looks after them.",
)
@click.option("--supervised", type=click.IntRange(3), hidden=True)
@click.pass_obj
def command(  # noqa: PLR0913 - one argument an option is click's way
    clock: Clock,
    *,
    host: str,
    port: int,
    config: Path | None,
    corpus: Path | None,
    admin_host: str,
    admin_port: int,
    admin_token_file: Path | None,
    log_format: Literal["json", "console"],
    drain_seconds: float,
    name: str,
    workers: int,
    supervised: int | None,
) -> None:
    """Answer questions about names over HTTP.

    Stops on SIGTERM once balancers have had the time to notice and running requests are answered.
    A configuration that cannot be read ends it at once with exit code 2; a list that the configuration names
    under detection does not: the server answers without it and says so.

    With --workers N the port is shared by N processes, and the lists are in memory once. One that dies is replaced;
    where it dies five times within a minute, the server ends with exit code 2.
    SIGHUP has the configuration looked at at once.

    \b
    Examples:
      typosentinel serve
      typosentinel serve --host 0.0.0.0 --config /etc/typosentinel/config.yaml
      curl -d '{"ecosystem": "PyPI", "name": "reqeusts"}' -H 'Content-Type: application/json' \\
           127.0.0.1:8080/api/v1/scan
    """  # noqa: D301 - \b is click's mark for "leave these lines alone"
    log = Log(log_format, LogLevel.INFO)
    if workers > 1 and supervised is None:
        if admin_token_file:
            log.write.warning(
                "no administrative port with several processes: it would reach only one of them", processes=workers
            )
        code = asyncio.run(_supervised(workers, Address(host, port), clock, log))
        click.get_current_context().exit(code)
    setup = Setup(
        name=name,
        library=Library(corpus) if corpus else None,
        config=config,
        timing=Timing(drain=drain_seconds),
    )
    alone = supervised is None
    administration = Administration(admin_token_file, admin_host, admin_port) if admin_token_file and alone else None
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(serve(setup, Address(host, port), clock, log, administration, supervised))


async def _supervised(workers: int, address: Address, clock: Clock, log: Log) -> int:
    with reserved(address.host, address.port) as held:
        port = held.getsockname()[1]
        log.write.info("starting processes", processes=workers, port=port)
        # The last of two options counts.
        program = (sys.executable, "-m", "typosentinel_server", *sys.argv[1:], "--workers=1", f"--port={port}")
        return await Supervisor(program, workers, clock, log).run()
