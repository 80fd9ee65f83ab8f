"""`typosentinel corpus update`."""

import asyncio
import hashlib
from pathlib import Path

import click

from typosentinel_server.bundles.archive import MAX_ARCHIVE_BYTES, open_archive, unpack
from typosentinel_server.bundles.errors import CHECKSUM, refused
from typosentinel_server.bundles.store import publish, signature
from typosentinel_server.commands.corpus.opening import read
from typosentinel_server.engines import Library, refuse_loss, sizes_of
from typosentinel_server.errors import CorpusUnreadable, shown
from typosentinel_server.scan.model import Ecosystem


def _sha256(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    if value is not None and (len(value) != 64 or value.strip("0123456789abcdef")):  # noqa: PLR2004 - as SHA-256 has it
        raise click.BadParameter("a SHA-256 is 64 hexadecimal digits in lower case")
    return value


@click.command("update")
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--url", help="Where the archive is; only http:// and https://.")
@click.option("--file", type=click.Path(path_type=Path), help="The archive as a file, where there is no network.")
@click.option("--sha256", callback=_sha256, help="Its hash. Default with --url: what URL.sha256 says.")
@click.option(
    "--max-loss",
    type=click.IntRange(0, 100),
    default=50,
    show_default=True,
    metavar="PERCENT",
    help="Refuse a list that lost more of its names than this.",
)
def update(directory: Path, url: str | None, file: Path | None, sha256: str | None, max_loss: int) -> None:
    """Put an archive's lists in the place of those in DIRECTORY, all at once.

    Nothing is changed where the archive cannot be had, is not what its hash says, is damaged or has lost too many
    names. A server whose lists come from DIRECTORY takes the new ones by itself.

    \b
    Examples:
      typosentinel corpus update lists --url https://example.org/lists.tar
      typosentinel corpus update lists --file lists.tar
    """  # noqa: D301 - \b is click's mark for "leave these lines alone"
    if (url is None) == (file is None):
        raise click.UsageError("give --url or --file, and not both")
    content, where = _fetched(url, sha256) if url is not None else _read(Path(file or ""), sha256)
    library = Library(bundle=open_archive(content, where))
    lists = [library.read(ecosystem) for ecosystem in library.ecosystems]
    refuse_loss(_held(directory), {found.ecosystem: len(found.entries) for found in lists}, max_loss)
    members = unpack(content, where)
    publish({name: member.read() for name, member in members.items()}, directory)
    for found in lists:
        click.echo(f"{found.ecosystem}: {len(found.entries)} names, {found.version}")
    click.echo(f"{directory}: {len(lists)} lists from {where}")


def _held(directory: Path) -> dict[Ecosystem, int]:
    """How many names each list in the directory holds; none where there is nothing to fall back on."""
    if not signature(directory):
        return {}
    try:
        return sizes_of(Library(directory))
    except CorpusUnreadable as error:
        click.echo(f"what is there is replaced: {error.message}", err=True)
        return {}


def _fetched(url: str, sha256: str | None) -> tuple[bytes, str]:
    # Loading the HTTP library takes longer than most other commands do.
    from typosentinel_server.download import Limits, checksum_of, fetch  # noqa: PLC0415
    from typosentinel_server.sections.corpus import CorpusSource  # noqa: PLC0415

    try:
        CorpusSource.model_validate({"url": url})
    except ValueError as error:
        raise click.BadParameter(f"{shown(url)} is no http:// or https:// address of a file") from error

    async def fetched() -> tuple[bytes, str]:
        limits = Limits(MAX_ARCHIVE_BYTES)
        found = await fetch(url, limits)
        return found.content if found else b"", sha256 or await checksum_of(url, limits)

    content, wanted = asyncio.run(fetched())
    _verify(content, wanted, url)
    return content, url


def _read(file: Path, sha256: str | None) -> tuple[bytes, str]:
    content = read(file, MAX_ARCHIVE_BYTES)
    if sha256 is not None:
        _verify(content, sha256, str(file))
    return content, str(file)


def _verify(content: bytes, wanted: str, where: str) -> None:
    actual = hashlib.sha256(content).hexdigest()
    if actual != wanted:
        raise refused(CHECKSUM, where, f"its SHA-256 is {actual[:12]}…, and it should be {wanted[:12]}…")
