"""The same cluster by kind, where Docker answers. Not exercised: no Docker ran where this was written."""

from pathlib import Path

from hack.cluster import kubeconfig, metricspod, processes, state, toolchain


class KindCluster:
    """Starts and stops a cluster in Docker, without root and without anything outside the cache."""

    def __init__(self, cache: Path) -> None:
        self.cache, self.name = cache, f"--name={state.CONTEXT}"
        self.kubeconfig, self.wrappers = cache / "kind" / "kubeconfig", cache / "kind" / "bin"

    def _kind(self, *arguments: str) -> str:
        return processes.run([str(toolchain.ensure(["kind"], self.cache)["kind"]), *arguments], "kind", seconds=900)

    def up(self) -> None:
        """Start the cluster unless there is one."""
        binaries = toolchain.ensure(["kubectl", "helm"], self.cache)
        if not self.status():
            self._kind("create", "cluster", self.name, f"--kubeconfig={self.kubeconfig}", "--wait=180s")
            rename = ["config", "rename-context", f"kind-{state.CONTEXT}", state.CONTEXT]
            processes.run([str(binaries["kubectl"]), f"--kubeconfig={self.kubeconfig}", *rename], "naming the context")
            metricspod.install(self.cache, self.kubeconfig, self.load)
        for name, program in binaries.items():
            state.write(self.wrappers / name, kubeconfig.wrapper(program, self.kubeconfig), 0o755)

    def status(self) -> bool:
        """Tell whether there is a cluster."""
        return state.CONTEXT in self._kind("get", "clusters").split()

    def down(self) -> None:
        """Remove the cluster."""
        self._kind("delete", "cluster", self.name, f"--kubeconfig={self.kubeconfig}")

    def load(self, archives: list[Path]) -> None:
        """Import images."""
        for file in archives:
            self._kind("load", "image-archive", self.name, str(file))
