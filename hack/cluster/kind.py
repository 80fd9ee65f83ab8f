"""The same cluster by kind, where Docker answers; everything else treats both alike.

Not exercised where this was written, as no Docker ran there: the commands follow kind's documentation.
"""

from pathlib import Path

from hack.cluster import kubeconfig, state, toolchain
from hack.cluster.processes import run


class KindCluster:
    """Starts and stops a cluster in Docker, without root and without anything outside the cache."""

    def __init__(self, cache: Path) -> None:
        self.cache, self.kubeconfig, self.wrappers = cache, cache / "kind" / "kubeconfig", cache / "kind" / "bin"

    def _kind(self, *arguments: str, seconds: float = 600) -> str:
        kind = toolchain.ensure(["kind"], self.cache)["kind"]
        named = [str(kind), *arguments, f"--name={state.CONTEXT}"]
        return run(named, f"kind {arguments[0]}", seconds=seconds)

    def up(self) -> None:
        binaries = toolchain.ensure(["kubectl", "helm"], self.cache)
        if state.CONTEXT not in run([str(toolchain.ensure(["kind"], self.cache)["kind"]), "get", "clusters"], "kind"):
            self._kind("create", "cluster", f"--kubeconfig={self.kubeconfig}", "--wait=180s", seconds=900)
            rename = ["config", "rename-context", f"kind-{state.CONTEXT}", state.CONTEXT]
            run([str(binaries["kubectl"]), f"--kubeconfig={self.kubeconfig}", *rename], "naming the context")
        for name, program in binaries.items():
            state.write(self.wrappers / name, kubeconfig.wrapper(program, self.kubeconfig), 0o755)

    def down(self) -> None:
        self._kind("delete", "cluster", f"--kubeconfig={self.kubeconfig}")

    def load(self, archives: list[Path]) -> None:
        for file in archives:
            self._kind("load", "image-archive", str(file))
