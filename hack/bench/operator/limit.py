"""The limit: nobody with this client library is faster, for it does nothing but the writes that cannot be saved.

Reads ScanServices as they are stored from standard input, a line each, and makes of each what the operator makes of it:
the same manifests by the same calls of the same client. No reads, no watches, no pods, no Secrets, no Events.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from prometheus_client import CollectorRegistry

from hack.bench.operator import fleet
from operator_process import IMAGE
from typosentinel_operator import names, passes, specs, status
from typosentinel_operator.cluster import Cluster
from typosentinel_operator.desired import children, workload
from typosentinel_operator.errors import ClusterError
from typosentinel_operator.observed import Policies
from typosentinel_operator.passes import Pass
from typosentinel_operator.specs import ScanServiceSpec
from typosentinel_operator.telemetry import make_telemetry

Manifest = dict[str, Any]
Answer = TypeVar("Answer")

CONCURRENCY = 32
# The API server creates Services one at a time: who asks for 32 at once waits, and who gives up has it done twice.
TIMEOUT_SECONDS = 60.0
LINE_BYTES = 1024 * 1024
ATTEMPTS, PAUSE_SECONDS = 5, 1.0
_KINDS = {kind.name: kind for kind in names.CHILD_KINDS}


async def realise(cluster: Cluster, policies: dict[str, Any], manifest: Manifest) -> None:
    """All writes for one ScanService, one after another as they depend on each other; again what has failed.

    Args:
        cluster: the client.
        policies: specs of the policies, which are the same in all namespaces, by kind.
        manifest: the ScanService as it is stored.
    """
    now = Pass(manifest, {})
    spec = specs.parse(ScanServiceSpec, manifest)
    scaling = policies[names.SCALING_POLICY.name] if spec.scaling_policy_ref else None
    now.policies = Policies(policies[names.CACHE_POLICY.name], scaling)
    inputs = passes.inputs_of(manifest, spec, now.policies, IMAGE)
    first = passes.first_replicas(inputs, [])
    for child in children.build(inputs):
        made = workload.begun(child, first)
        now.applied.objects[child["kind"]] = await _again(partial(cluster.apply, _KINDS[child["kind"]], made, None))
    seen = passes.observation(now, (), datetime.now(UTC))
    wanted = status.document(seen, manifest["metadata"]["generation"])
    await _again(partial(cluster.apply_status, names.SCAN_SERVICE, manifest, wanted))


async def _again(write: Callable[[], Awaitable[Answer]]) -> Answer:
    """The answer to a write; on a busy machine the API server may be late for the first."""
    for _ in range(ATTEMPTS - 1):
        try:
            return await write()
        except ClusterError as error:
            print(f"limit: {error}; again", file=sys.stderr)
            await asyncio.sleep(PAUSE_SECONDS)
    return await write()


async def work(cluster: Cluster, policies: dict[str, Any], lines: asyncio.StreamReader, turn: asyncio.Lock) -> None:
    """Take one ScanService after another until there are no more; whose turn it is may read."""
    while True:
        async with turn:
            line = await lines.readline()
        if not line:
            return
        await realise(cluster, policies, json.loads(line))


async def run(kubeconfig: Path) -> None:
    """Everything, between a line that says that it can begin and one with the processor time taken, in seconds."""
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader(limit=LINE_BYTES)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    telemetry = make_telemetry(CollectorRegistry())
    cluster = await Cluster.connect(telemetry, TIMEOUT_SECONDS, "bench-limit", str(kubeconfig))
    policies = {
        manifest["kind"]: specs.parse(specs.SPECS[manifest["kind"]], manifest)
        for manifest in fleet.surroundings("any")
        if manifest["kind"] in specs.SPECS
    }
    print("ready", flush=True)
    before = time.process_time()
    turn = asyncio.Lock()
    await asyncio.gather(*(work(cluster, policies, lines, turn) for _ in range(CONCURRENCY)))
    print(time.process_time() - before, flush=True)
    await cluster.close()


def main() -> None:
    """Run, as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kubeconfig", type=Path, required=True)
    asyncio.run(run(parser.parse_args().kubeconfig))


if __name__ == "__main__":
    main()
