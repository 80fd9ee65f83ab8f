"""Bundles: what vouches for lists, the archive's form, and how one bundle takes another's place."""

import hashlib
import io
import json
import random
import re
import tarfile
from pathlib import Path
from typing import Any

import pytest

from origin import CREATED, archive, bundle_files
from typosentinel_server.bundles import archive as archives
from typosentinel_server.bundles.archive import open_archive, pack, unpack
from typosentinel_server.bundles.bundle import Bundle
from typosentinel_server.bundles.errors import CHECKSUM, DAMAGED, MISSING, TOO_LARGE
from typosentinel_server.bundles.manifest import MAX_MANIFEST_BYTES
from typosentinel_server.bundles.store import NOT_WRITABLE, publish, signature, write, write_file
from typosentinel_server.engines import Library, sizes_of
from typosentinel_server.errors import CorpusUnreadable, DomainError
from typosentinel_server.scan.model import Ecosystem

PLAIN = b"rank,name,tier\n1,requests,protected\n"
SUM = hashlib.sha256(PLAIN).hexdigest()


def folder(root: Path, files: dict[str, bytes]) -> Path:
    """A directory with these files."""
    for name, content in files.items():
        (root / name).write_bytes(content)
    return root


def refusal(directory: Path) -> CorpusUnreadable:
    """Why a directory is not taken."""
    with pytest.raises(CorpusUnreadable) as refused:
        sizes_of(Library(directory))
    return refused.value


def test_bare_list_is_taken_as_it_is(tmp_path: Path) -> None:
    """Nothing else is needed, and other files there are nobody's business."""
    library = Library(folder(tmp_path, {"pypi.csv": PLAIN, "README.md": b"", "downloads.json": b"["}))

    assert library.ecosystems == (Ecosystem.PYPI,)
    assert library.read(Ecosystem.PYPI).version == f"sha256:{SUM[:12]}"
    assert library.bundle.vouched_by is None


def test_manifest_gives_date_and_completeness(tmp_path: Path) -> None:
    """The age counts from when the list was drawn up, not from when a kubelet wrote the file."""
    read = Library(folder(tmp_path, bundle_files())).read(Ecosystem.RUBYGEMS)

    assert (read.created, read.partial, read.skipped) == (CREATED, False, 0)


@pytest.mark.parametrize(
    "line",
    [f"{SUM}  pypi.csv", f"{SUM} *pypi.csv", f"{SUM}  ./pypi.csv", f"{SUM}  pypi.csv\n" + "a" * 64 + "  README"],
)
def test_sums_of_sha256sum_vouch_too(tmp_path: Path, line: str) -> None:
    """`sha256sum *.csv > SHA256SUMS` is all that is needed; other files may stand there."""
    library = Library(folder(tmp_path, {"pypi.csv": PLAIN, "SHA256SUMS": line.encode() + b"\n"}))

    assert library.read(Ecosystem.PYPI).version == f"sha256:{SUM[:12]}"
    assert library.bundle.vouched_by == "SHA256SUMS"


def manifest(**changes: Any) -> bytes:
    """A manifest of one list, changed."""
    entry = {"file": "pypi.csv", "created": "2026-05-01T00:00:00Z", "sha256": SUM, "partial": False}
    return json.dumps({"format": 1, "corpora": {"PyPI": entry | changes}}).encode()


@pytest.mark.parametrize(
    ("files", "code", "said"),
    [
        ({"manifest.json": manifest(sha256="0" * 64)}, CHECKSUM, "SHA-256 is .*, and manifest.json says 000000000000"),
        ({"SHA256SUMS": b"0" * 64 + b"  pypi.csv\n"}, CHECKSUM, "and SHA256SUMS says 000000000000"),
        ({"manifest.json": manifest(), "npm.csv": PLAIN}, CHECKSUM, "npm.csv: manifest.json does not vouch for it"),
        ({"SHA256SUMS": b""}, CHECKSUM, "pypi.csv: SHA256SUMS does not vouch for it"),
        ({"SHA256SUMS": f"{SUM}  pypi.csv\n{SUM}  npm.csv".encode()}, MISSING, "names npm.csv, which is not there"),
        ({"SHA256SUMS": b"pypi.csv\n"}, DAMAGED, "line 1 is not a hash and a name"),
        ({"manifest.json": b""}, DAMAGED, "no manifest of lists"),
        ({"manifest.json": b"[" * 100_000}, DAMAGED, "no manifest of lists"),
        ({"manifest.json": b"[]"}, DAMAGED, "no manifest of lists"),
        ({"manifest.json": b'{"format": 2}'}, DAMAGED, 'format is "2", and 1 is read here'),
        ({"manifest.json": b'{"format": 1, "corpora": {"PyPy": {}}}'}, DAMAGED, "no manifest of lists"),
        ({"manifest.json": manifest(sha256="x")}, DAMAGED, "no manifest of lists"),
        ({"manifest.json": manifest(sha256=5)}, DAMAGED, "no manifest of lists"),
        ({"manifest.json": manifest(file=5)}, DAMAGED, "no manifest of lists"),
        ({"manifest.json": manifest(created="soon")}, DAMAGED, "no manifest of lists"),
        ({"manifest.json": b" " * (MAX_MANIFEST_BYTES + 1)}, TOO_LARGE, "larger than"),
    ],
    ids=range(16),
)  # fmt: skip
def test_what_is_not_vouched_for_is_refused(tmp_path: Path, files: dict[str, bytes], code: str, said: str) -> None:
    """Where something vouches for lists, it vouches for all of them, and rightly."""
    found = refusal(folder(tmp_path, {"pypi.csv": PLAIN} | files))

    assert found.code == code
    assert re.search(said, found.message)


def test_plain_list_wins_over_a_packed_one(tmp_path: Path) -> None:
    """Both may be vouched for."""
    sums = f"{SUM}  pypi.csv\n{'a' * 64}  pypi.csv.xz\n".encode()
    found = Library(folder(tmp_path, {"pypi.csv": PLAIN, "pypi.csv.xz": b"", "SHA256SUMS": sums}))

    assert found.read(Ecosystem.PYPI).version == f"sha256:{SUM[:12]}"


def test_vouching_reads_packed_lists_with_bounds(tmp_path: Path) -> None:
    """A list that is cut off is damaged, whatever its manifest says."""
    files = bundle_files()
    found = refusal(folder(tmp_path, files | {"rubygems.csv.xz": files["rubygems.csv.xz"][:-9]}))

    assert found.code == DAMAGED


def test_archive_holds_the_same_as_the_directory(tmp_path: Path) -> None:
    """What is built as one form is read as the other; the same files give the same bytes."""
    directory = Library(folder(tmp_path, bundle_files()))
    packed = Library(bundle=open_archive(archive(), "x.tar"))

    assert archive() == archive()
    assert packed.read(Ecosystem.RUBYGEMS) == directory.read(Ecosystem.RUBYGEMS)
    with tarfile.open(fileobj=io.BytesIO(archive())) as seen:
        assert sorted(seen.getnames()) == ["manifest.json", "rubygems.csv.xz"]


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_archive_of_other_tools_is_read(form: int) -> None:
    """`tar cf lists.tar .` puts the directory itself in front, and some write extended headers."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as made:
        here = tarfile.TarInfo(".")
        here.type = tarfile.DIRTYPE
        made.addfile(here)
        entry = tarfile.TarInfo("./pypi.csv")
        entry.size, entry.mtime = len(PLAIN), 1_700_000_000.5
        made.addfile(entry, io.BytesIO(PLAIN))

    read = open_archive(out.getvalue(), "x.tar").read(Ecosystem.PYPI)
    assert (read.version, int(read.created.timestamp())) == (f"sha256:{SUM[:12]}", 1_700_000_000)


def entry(name: str, content: bytes = PLAIN, kind: bytes = tarfile.REGTYPE, link: str = "", size: int = -1) -> bytes:
    """One member of an archive, as somebody with bad intentions writes it."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, len(content) if size < 0 else size
    return info.tobuf(tarfile.USTAR_FORMAT) + content + bytes(-len(content) % 512)


END = bytes(1024)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (entry("../pypi.csv") + END, DAMAGED),
        (entry("/etc/pypi.csv") + END, DAMAGED),
        (entry("lists/pypi.csv") + END, DAMAGED),
        (entry("pypi.csv", b"", tarfile.SYMTYPE, "/etc/passwd") + END, DAMAGED),
        (entry("pypi.csv", b"", tarfile.LNKTYPE, "/etc/passwd") + END, DAMAGED),
        (entry("pypi.csv", b"", tarfile.CHRTYPE) + END, DAMAGED),
        (entry("pypi.csv", b"", tarfile.FIFOTYPE) + END, DAMAGED),
        (entry("pypi.csv", PLAIN, b"S") + END, DAMAGED),
        (entry("lists", b"", tarfile.DIRTYPE) + END, DAMAGED),
        (entry("x", b"pypi.csv\0", b"L") + END, DAMAGED),
        (entry("pypi.csv") * 2 + END, DAMAGED),
        (entry("pypi.csv", size=8**11 - 1) + END, DAMAGED),
        (entry("pypi.csv")[:540], DAMAGED),
        (entry("pypi.csv")[:500], DAMAGED),
        (entry("pypi.csv"), DAMAGED),
        (entry("x", b"", tarfile.XHDTYPE) * 100, DAMAGED),
        (b"", DAMAGED),
        (b"PK\x03\x04" + bytes(600), DAMAGED),
        (END, MISSING),
        (entry("manifest.json", b"{}") + END, MISSING),
    ],
    ids=range(20),
)
def test_archive_that_is_none_or_points_elsewhere_is_refused(content: bytes, code: str) -> None:
    """No paths, no links, no devices, no tricks with lengths; a refusal and never another error."""
    with pytest.raises(CorpusUnreadable, match=r"from x\.tar: ") as refused:
        open_archive(content, "x.tar")

    assert refused.value.code == code


def test_endless_archive_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is a bound on its size."""
    monkeypatch.setattr(archives, "MAX_ARCHIVE_BYTES", 1000)
    with pytest.raises(CorpusUnreadable) as refused:
        unpack(bytes(1001), "x.tar")

    assert refused.value.code == TOO_LARGE


def test_damage_of_any_kind_is_a_refusal_and_nothing_else() -> None:
    """Thousands of archives with bytes changed, cut or added: read as they were, or refused."""
    chance = random.Random(4)  # noqa: S311 - the same damage in each run
    whole = archive(50, npm=True)
    original = open_archive(whole, "x").read(Ecosystem.RUBYGEMS).version
    outcomes = {"read": 0, "refused": 0}
    for _ in range(1500):
        damaged = bytearray(whole)
        for _ in range(chance.randrange(1, 4)):
            at = chance.randrange(len(damaged))
            damaged[at : at + chance.choice((0, 1, 1, 1, 512))] = chance.randbytes(chance.choice((0, 1, 1, 1, 512)))
        try:
            found = Library(bundle=open_archive(bytes(damaged), "x"))
            assert found.read(Ecosystem.RUBYGEMS).version == original
            outcomes["read"] += 1
        except DomainError:
            outcomes["refused"] += 1

    assert min(outcomes.values()) > 0


def test_publishing_swaps_the_whole_bundle(tmp_path: Path) -> None:
    """Plain lists become links to the new ones, what is gone is gone, nothing is left over."""
    directory = folder(tmp_path, {"pypi.csv": PLAIN, "npm.csv": PLAIN, "notes.txt": b"mine"})
    before = signature(directory)
    publish(bundle_files(10), directory)
    first = Library(directory).read(Ecosystem.RUBYGEMS)
    publish(bundle_files(11), directory)
    publish(bundle_files(11), directory)

    assert Library(directory).ecosystems == (Ecosystem.RUBYGEMS,)
    assert (len(first.entries), len(Library(directory).read(Ecosystem.RUBYGEMS).entries)) == (10, 11)
    assert signature(directory) != before
    assert len(list(directory.glob("..*"))) == 2
    assert (directory / "notes.txt").read_bytes() == b"mine"


def test_place_that_cannot_be_written_keeps_what_it_has(tmp_path: Path) -> None:
    """A file stands where a directory should: both ways of writing say so."""
    (tmp_path / "lists").write_bytes(b"")
    for way in (publish, write):
        with pytest.raises(CorpusUnreadable, match="cannot be written") as refused:
            way(bundle_files(), tmp_path / "lists")
        assert refused.value.code == NOT_WRITABLE
    with pytest.raises(OSError, match="No such file"):
        write_file(tmp_path / "nowhere" / "x", b"")

    assert [path.name for path in tmp_path.iterdir()] == ["lists"]


def test_built_in_lists_are_a_bundle_like_others() -> None:
    """Verified by their manifest, each of them."""
    bundle = Bundle.of_package()

    assert bundle.vouched_by == "manifest.json"
    assert [bundle.plain(ecosystem)[:14] for ecosystem in bundle.ecosystems] == [b"rank,name,tier"] * len(
        bundle.ecosystems
    )


def test_packing_refuses_nothing_that_it_made() -> None:
    """A bundle of many lists, too."""
    assert open_archive(pack(bundle_files(npm=True), CREATED), "x").ecosystems == (
        Ecosystem.NPM,
        Ecosystem.RUBYGEMS,
    )
