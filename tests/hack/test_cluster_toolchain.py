import stat
from pathlib import Path

import pytest
from hack.cluster import toolchain
from hack.cluster.failures import ClusterError

GO_MOD = """\
module example/x

go 1.26.0

require k8s.io/kubernetes v1.36.3

require (
\tk8s.io/api v0.36.3 // indirect
)

replace (
\tk8s.io/client-go => k8s.io/client-go v0.36.9
)
"""


@pytest.mark.parametrize(("module", "version"), [("k8s.io/kubernetes", "v1.36.3"), ("k8s.io/api", "v0.36.3"), ("", "")])
def test_the_version_is_read_from_go_mod(module: str, version: str) -> None:
    """The version is read from go.mod."""
    assert toolchain.pinned_version(GO_MOD, module) == version


def test_a_replaced_module_is_no_requirement() -> None:
    """A replaced module is no requirement."""
    with pytest.raises(ClusterError, match="not required"):
        toolchain.pinned_version(GO_MOD, "k8s.io/client-go")


def test_every_program_has_a_committed_module_with_its_version_and_sums() -> None:
    """Every program has a committed module with its version and sums."""
    for program in toolchain.PROGRAMS.values():
        folder = toolchain.MODULES / program.folder
        assert program.version()
        assert program.module == "" or (folder / "go.sum").exists(), program.name


def test_kubernetes_is_told_its_version() -> None:
    """Kubernetes is told its version."""
    flags = toolchain.PROGRAMS["kubelet"].linker_flags()
    version = toolchain.PROGRAMS["kubelet"].version()
    assert f"version.gitVersion={version}" in flags
    assert f"version.gitMajor={version[1:].split('.')[0]} " in flags
    assert f"component-base/version.gitVersion={version} " in flags
    assert flags.endswith(f"version.gitMinor={version.split('.')[1]}")


def test_binaries_are_cached_by_version(tmp_path: Path) -> None:
    """Binaries are cached by version."""
    program = toolchain.PROGRAMS["etcd"]
    assert program.path(tmp_path, {}) == tmp_path / "bin" / f"etcd-{program.version()}" / "etcd"


def test_programs_of_our_own_are_cached_by_their_sources() -> None:
    """Programs of our own are cached by their sources."""
    assert len(toolchain.PROGRAMS["pause"].version()) == 8
    assert toolchain.PROGRAMS["coredns"].version().count("-") == 1


def test_given_test_binaries_are_used_where_they_exist(tmp_path: Path) -> None:
    """Given test binaries are used where they exist."""
    assets = tmp_path / "assets"
    assets.mkdir()
    own = assets / "etcd"
    own.write_text("#!/bin/sh\n")
    own.chmod(own.stat().st_mode | stat.S_IXUSR)
    environment = {"KUBEBUILDER_ASSETS": str(assets)}
    assert toolchain.PROGRAMS["etcd"].path(tmp_path, environment) == own
    assert toolchain.PROGRAMS["kubectl"].path(tmp_path, environment).is_relative_to(tmp_path / "bin")
    assert toolchain.PROGRAMS["kubelet"].path(tmp_path, environment).is_relative_to(tmp_path / "bin")


def test_builds_depend_on_the_committed_modules_alone() -> None:
    """Builds depend on the committed modules alone."""
    environment = toolchain.go_environment({"GOFLAGS": "-mod=mod -v", "HOME": "/h", "GOMODCACHE": "/m"})
    assert environment["GOFLAGS"].split() == ["-v", "-mod=readonly", "-buildvcs=false"]
    assert environment["GOWORK"] == "off"
    assert environment["GOMODCACHE"] == "/m"


@pytest.mark.parametrize(("text", "version"), [("go1.26.8\n", (1, 26, 8)), ("go1.27", (1, 27, 0)), ("", ())])
def test_go_versions_compare_as_numbers(text: str, version: tuple[int, ...]) -> None:
    """Go versions compare as numbers."""
    assert toolchain.parse_go_version(text) == version


def test_a_toolchain_that_is_not_there_has_no_version() -> None:
    """A toolchain that is not there has no version."""
    assert toolchain.go_version("/nowhere/go") == ()
