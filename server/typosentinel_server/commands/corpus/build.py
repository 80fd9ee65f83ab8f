"""`typosentinel corpus build`."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from typosentinel_server.bundles.archive import pack
from typosentinel_server.bundles.build import DEFAULT_SHARE, Made, Material, files, make, rows_in
from typosentinel_server.bundles.errors import DAMAGED, refused
from typosentinel_server.bundles.store import NOT_WRITABLE, write, write_file
from typosentinel_server.bundles.unwanted import Unwanted, identities, parse
from typosentinel_server.clock import Clock
from typosentinel_server.commands.corpus.opening import ARCHIVE, read
from typosentinel_server.errors import shown
from typosentinel_server.progress import counting
from typosentinel_server.scan.corpus import MAX_BYTES, PROTECTED, TARGET
from typosentinel_server.scan.model import Ecosystem, parse_ecosystem


@click.command("build")
@click.argument("lists", nargs=-1, required=True, metavar="ECOSYSTEM=FILE...")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="A directory, or a .tar archive to serve by URL."
)
@click.option(
    "--protected",
    "share",
    type=click.IntRange(0, 100),
    metavar="PERCENT",
    help=f"Share of the ranked names to protect, the most popular. Default: by the tier column, else {DEFAULT_SHARE}.",
)
@click.option("--unordered", multiple=True, metavar="ECOSYSTEM", help="The order of this list means nothing.")
@click.option("--partial", multiple=True, metavar="ECOSYSTEM", help="This list is known to be far from complete.")
@click.option(
    "--without",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Names to leave out, one a line: a name, or ecosystem, tab and name.",
)
@click.option(
    "--created", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"]), help="When they were drawn up. Default: now."
)
@click.pass_obj
def build(  # noqa: PLR0913 - one argument an option
    clock: Clock,
    *,
    lists: tuple[str, ...],
    out: Path,
    share: int | None,
    unordered: tuple[str, ...],
    partial: tuple[str, ...],
    without: Path | None,
    created: datetime | None,
) -> None:
    """Make a bundle out of lists of names.

    A FILE holds one name a line, most popular first, or CSV with a column called name and perhaps rank and tier.
    Names are brought to their registry's form; what it could not hold and what stands there twice is left out.

    \b
    Examples:
      typosentinel corpus build --out lists pypi=top.csv npm=names.txt
      typosentinel corpus build --out lists.tar nuget=nuget.csv --partial nuget
      typosentinel corpus build --out lists npm=names.txt --without squats.txt
      kubectl create configmap names --from-file=lists
    """  # noqa: D301 - \b is click's mark for "leave these lines alone"
    materials = _materials(lists, _ecosystems(unordered), _ecosystems(partial))
    unwanted = parse(read(without, MAX_BYTES), str(without)) if without else ()
    with counting("building", sum(map(rows_in, materials))) as advance:
        made = [make(m, share, advance, identities(unwanted, m.ecosystem)) for m in materials]
        at = datetime.fromtimestamp(clock.wall(), UTC) if created is None else created.replace(tzinfo=UTC)
        found = files(made, at)
    if out.suffix == ARCHIVE:
        _write_archive(pack(found, at), out)
    else:
        write(found, out)
    for one in made:
        _tell(one)
    _tell_unused(unwanted, made)
    click.echo(f"{out}: {len(made)} lists, {sum(map(len, found.values()))} bytes")


def _materials(
    lists: tuple[str, ...], unordered: frozenset[Ecosystem], partial: frozenset[Ecosystem]
) -> list[Material]:
    found: dict[Ecosystem, Material] = {}
    for argument in lists:
        name, separator, file = argument.partition("=")
        if not separator or not file:
            raise click.UsageError(f"{shown(argument)} is not of the form ECOSYSTEM=FILE, such as pypi=top.csv")
        ecosystem = parse_ecosystem(name)
        if ecosystem in found:
            raise click.UsageError(f"{ecosystem} is named twice; put its names into one file")
        content = read(Path(file), MAX_BYTES)
        if not content:
            raise refused(DAMAGED, file, "it is empty", "Give one name a line, or CSV with a column called name.")
        found[ecosystem] = Material(
            ecosystem, Path(file).name, content, ordered=ecosystem not in unordered, partial=ecosystem in partial
        )
    if missing := (unordered | partial) - set(found):
        raise click.UsageError(f"{min(missing)} is not among the lists")
    return list(found.values())


def _ecosystems(names: tuple[str, ...]) -> frozenset[Ecosystem]:
    return frozenset(parse_ecosystem(name) for name in names)


def _write_archive(archive: bytes, out: Path) -> None:
    beside = out.with_name(out.name + ".sha256")
    try:
        write_file(out, archive)
        write_file(beside, f"{hashlib.sha256(archive).hexdigest()}  {out.name}\n".encode())
    except OSError as error:
        why = f"it cannot be written: {error.strerror or error}"
        raise refused(NOT_WRITABLE, str(out), why, "Name a place that this user may write to.") from error


def _tell(made: Made) -> None:
    protected = sum(row.tier in {PROTECTED, TARGET} for row in made.rows)
    click.echo(f"{made.material.ecosystem}: {len(made.rows)} names, {protected} of them protected ({made.protected})")
    if made.duplicates:
        click.echo(f"  {made.duplicates} left out: there already, perhaps in another spelling")
    if made.unwanted:
        click.echo(f"  {len(made.unwanted)} left out: not wanted")
    if made.refused_count:
        examples = ", ".join(shown(name) for name in made.refused)
        click.echo(f"  {made.refused_count} left out: no names of packages there, such as {examples}")


def _tell_unused(unwanted: Sequence[Unwanted], made: Sequence[Made]) -> None:
    used = {one for m in made for key, one in identities(unwanted, m.material.ecosystem).items() if key in m.unwanted}
    unused = [one.name for one in unwanted if one not in used]
    if unused:
        examples = ", ".join(shown(name) for name in unused[:5])
        click.echo(f"{len(unused)} of the names to leave out are on none of these lists, such as {examples}")
