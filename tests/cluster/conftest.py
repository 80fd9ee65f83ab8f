"""A real control plane for the session, and the operator as a real process with the chart's own rights."""

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from hack.cluster import toolchain
from hack.cluster.state import cache_directory

from kube import Kubectl, Manifest
from operator_process import Candidacy, Operator
from plane import BUILD_SECONDS, Plane
from probed_process import free_port
from release import ACCOUNT, RIGHTS, SYSTEM, install, kubeconfig_of, rendered
from statuswatch import StatusWatch, watched

Narrow = Callable[..., Operator]


def pytest_addoption(parser: pytest.Parser) -> None:
    """What takes longer than a test of every day may."""
    parser.addoption(
        "--every-removal", action="store_true", help="remove in every order both with and without a living operator"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs the control plane and more than a unit test's time; what looks back comes last."""
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.cluster)
            item.add_marker(pytest.mark.timeout(BUILD_SECONDS if item is items[0] else 120))


@pytest.fixture(scope="session")
def programs() -> dict[str, Path]:
    """Kubectl and helm; compiled where they are missing."""
    return dict(toolchain.ensure(["kubectl", "helm"], cache_directory()))


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Plane]:
    """A control plane that lives as long as the session; each of pytest-xdist's workers has one of its own."""
    made = Plane(tmp_path_factory.mktemp("plane"), f"cluster-{worker_id}")
    try:
        made.up()
        yield made
    finally:
        made.down()


@pytest.fixture(scope="session")
def kubeconfig(plane: Plane) -> Path:
    """The administrator's kubeconfig."""
    return plane.up()


@pytest.fixture(scope="session")
def chart(programs: dict[str, Path]) -> list[Manifest]:
    """What helm makes of the chart with its default values."""
    return rendered(programs)


@pytest.fixture(scope="session")
def kubectl(programs: dict[str, Path], kubeconfig: Path, chart: list[Manifest]) -> Kubectl:
    """The administrator's kubectl, once kinds and rights are installed as the chart has them."""
    made = Kubectl([str(programs["kubectl"]), f"--kubeconfig={kubeconfig}"])
    install(made, chart)
    return made


@pytest.fixture(scope="session")
def operator_kubeconfig(kubectl: Kubectl, kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kubeconfig of the operator's own ServiceAccount."""
    return kubeconfig_of(ACCOUNT, kubectl, kubeconfig, tmp_path_factory.mktemp("operator") / "kubeconfig")


@pytest.fixture(scope="session")
def statuses(kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StatusWatch]:
    """Every state of our objects from here on; at the session's end all of them must have made sense."""
    with watched(kubectl, tmp_path_factory.mktemp("statuses")) as made:
        yield made


@pytest.fixture(scope="session")
def process(operator_kubeconfig: Path, statuses: StatusWatch) -> Iterator[Operator]:
    """The operator, which tests may stop, kill and start."""
    candidacy = Candidacy(SYSTEM, ACCOUNT, f"{ACCOUNT}-0")
    made = Operator(operator_kubeconfig, candidacy, free_port(), operator_kubeconfig.parent / "log")
    try:
        yield made
    finally:
        made.stop()
    assert made.crashes() == []


@pytest.fixture
def operator(process: Operator) -> Operator:
    """The operator at work."""
    process.start()
    return process


@pytest.fixture
def no_operator(process: Operator) -> None:
    """Nobody at work."""
    process.stop()


@pytest.fixture
def narrow(
    no_operator: None,
    programs: dict[str, Path],
    kubectl: Kubectl,
    kubeconfig: Path,
    namespace: str,
    tmp_path: Path,
) -> Iterator[Narrow]:
    """Starts operators of other releases, each installed for this namespace and given ones, without rights beyond."""
    with ExitStack() as stack:

        def started(release: str, selector: str = "", others: Sequence[str] = ()) -> Operator:
            watched = (namespace, *others)
            chart = rendered(programs, release, "--set", f"operator.watchNamespaces={{{','.join(watched)}}}")
            kubectl.apply(*(manifest for manifest in chart if manifest["kind"] in RIGHTS))
            account = f"{release}-operator"
            own = kubeconfig_of(account, kubectl, kubeconfig, tmp_path / f"{release}.kubeconfig")
            candidacy = Candidacy(SYSTEM, account, f"{account}-0")
            variables = {"TYPOSENTINEL_SELECTOR": selector}
            made = Operator(own, candidacy, free_port(), tmp_path / f"{release}.log", watched, others=variables)
            stack.callback(made.stop)
            made.start()
            return made

        yield started


@pytest.fixture
def narrow_operator(narrow: Narrow) -> Operator:
    """An operator of another release, for one namespace."""
    return narrow("narrow")


@pytest.fixture
def shards(narrow: Narrow) -> dict[str, Operator]:
    """Two operators of one namespace, who share its objects by the label `team`."""
    return {team: narrow(f"shard-{team}", f"team={team}") for team in ("red", "blue")}


@pytest.fixture
def namespace(kubectl: Kubectl) -> Iterator[str]:
    """A namespace of the test's own."""
    name = f"t-{uuid.uuid4().hex[:8]}"
    kubectl.run("create", "namespace", name)
    yield name
    kubectl.delete("namespace", name, wait=False)
