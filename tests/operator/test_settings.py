"""Process settings from the environment."""

import pytest

from typosentinel_operator import settings
from typosentinel_operator.errors import SettingsError

VALID = {
    "TYPOSENTINEL_SERVER_IMAGE": "registry.example/server:1",
    "TYPOSENTINEL_POD_NAME": "operator-x",
    "TYPOSENTINEL_POD_NAMESPACE": "team-a",
}


def test_defaults() -> None:
    """Each default is a promise to who runs the operator without the chart."""
    wanted = {
        "server_image": "registry.example/server:1",
        "watch_namespaces": (),
        "resync_seconds": 30.0,
        "workers": 16,
        "selector": "",
        "request_timeout_seconds": 10.0,
        "scrape_timeout_seconds": 1.0,
        "probe_host": "0.0.0.0",
        "probe_port": 8081,
        "leader_election": True,
        "pod_name": "operator-x",
        "pod_namespace": "team-a",
        "lease_name": "typosentinel-operator",
        "lease_duration_seconds": 15,
        "renew_deadline_seconds": 10.0,
        "retry_period_seconds": 2.0,
        "webhook_configuration": "",
        "webhook_secret": "",
        "webhook_hosts": (),
        "log_format": "json",
        "log_level": "info",
    }
    assert wanted == settings.load(VALID).model_dump()


@pytest.mark.parametrize(("raw", "wanted"), [("", ()), ("a", ("a",)), ("a,b", ("a", "b")), (" a , ,b, ", ("a", "b"))])
def test_namespaces_are_separated_by_commas(raw: str, wanted: tuple[str, ...]) -> None:
    """An empty list, as the chart writes it, means all namespaces."""
    assert wanted == settings.load(VALID | {"TYPOSENTINEL_WATCH_NAMESPACES": raw}).watch_namespaces


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("TYPOSENTINEL_SERVER_IMAGE", ""),
        ("TYPOSENTINEL_SERVER_IMAGE", "two words"),
        ("TYPOSENTINEL_RESYNC_SECONDS", "4.9"),
        ("TYPOSENTINEL_RESYNC_SECONDS", "soon"),
        ("TYPOSENTINEL_RESYNC_SECONDS", "nan"),
        ("TYPOSENTINEL_WORKERS", "0"),
        ("TYPOSENTINEL_WORKERS", "65"),
        ("TYPOSENTINEL_REQUEST_TIMEOUT_SECONDS", "0"),
        ("TYPOSENTINEL_REQUEST_TIMEOUT_SECONDS", "61"),
        ("TYPOSENTINEL_SCRAPE_TIMEOUT_SECONDS", "11"),
        ("TYPOSENTINEL_PROBE_PORT", "65536"),
        ("TYPOSENTINEL_PROBE_PORT", "-1"),
        ("TYPOSENTINEL_LEADER_ELECTION", "perhaps"),
        ("TYPOSENTINEL_LEASE_NAME", ""),
        ("TYPOSENTINEL_LEASE_DURATION_SECONDS", "15.5"),
        ("TYPOSENTINEL_LEASE_DURATION_SECONDS", "601"),
        ("TYPOSENTINEL_RENEW_DEADLINE_SECONDS", "0"),
        ("TYPOSENTINEL_RETRY_PERIOD_SECONDS", "0"),
        ("TYPOSENTINEL_LOG_FORMAT", "xml"),
        ("TYPOSENTINEL_LOG_LEVEL", "INFO"),
    ],
)
def test_a_wrong_value_is_named_by_its_variable(variable: str, value: str) -> None:
    """Who reads the message has set a variable and knows nothing of our fields."""
    with pytest.raises(SettingsError, match=f"^{variable}: "):
        settings.load(VALID | {variable: value})


def test_the_image_must_be_given() -> None:
    """It is the only setting for which no default can be right."""
    with pytest.raises(SettingsError, match=r"^TYPOSENTINEL_SERVER_IMAGE: Field required$"):
        settings.load({})


def test_every_wrong_variable_is_named_at_once() -> None:
    """A crash loop per mistake would be a slow teacher."""
    with pytest.raises(SettingsError) as caught:
        settings.load({"TYPOSENTINEL_WORKERS": "0"})
    assert "TYPOSENTINEL_SERVER_IMAGE: " in str(caught.value)
    assert "TYPOSENTINEL_WORKERS: " in str(caught.value)


def test_asking_a_pod_takes_at_most_half_of_a_resync() -> None:
    """Two settings that are right by themselves can be wrong together."""
    with pytest.raises(SettingsError, match="TYPOSENTINEL_SCRAPE_TIMEOUT_SECONDS must be at most half of"):
        settings.load(VALID | {"TYPOSENTINEL_RESYNC_SECONDS": "5", "TYPOSENTINEL_SCRAPE_TIMEOUT_SECONDS": "3"})


@pytest.mark.parametrize(("duration", "deadline", "retry"), [(10, 10, 2), (15, 2, 2), (15, 16, 2), (15, 1, 2)])
def test_a_leader_stops_before_others_begin(duration: int, deadline: float, retry: float) -> None:
    """And it has tried more than once by then."""
    wrong = {
        "TYPOSENTINEL_LEASE_DURATION_SECONDS": str(duration),
        "TYPOSENTINEL_RENEW_DEADLINE_SECONDS": str(deadline),
        "TYPOSENTINEL_RETRY_PERIOD_SECONDS": str(retry),
    }
    with pytest.raises(SettingsError, match="TYPOSENTINEL_LEASE_DURATION_SECONDS must be more than"):
        settings.load(VALID | wrong)


@pytest.mark.parametrize("missing", ["TYPOSENTINEL_POD_NAME", "TYPOSENTINEL_POD_NAMESPACE"])
def test_an_election_needs_a_name_and_a_place(missing: str) -> None:
    """Two processes under one made-up name would both lead; without an election neither is needed."""
    without = {key: value for key, value in VALID.items() if key != missing}
    with pytest.raises(SettingsError, match="TYPOSENTINEL_LEADER_ELECTION=false"):
        settings.load(without)
    assert not settings.load(without | {"TYPOSENTINEL_LEADER_ELECTION": "false"}).leader_election


def test_variables_of_others_do_not_matter() -> None:
    """Kubernetes and the user's shell set many."""
    wanted = settings.load(VALID)
    assert wanted == settings.load(VALID | {"HOME": "/", "TYPOSENTINEL_PORT": "tcp://198.19.0.1:80", "WORKERS": "x"})


@pytest.mark.parametrize(
    ("selector", "wanted"),
    [
        ("", True),
        ("team=a", True),
        ("team == a, !old, tier notin (gold, silver),example.com/x in (y)", True),
        ("team", True),
        ("team=", True),
        ("team=a b", False),
        ("=a", False),
        ("team in a", False),
        ("team in (a,b", False),
        ("team;rm", False),
        ("team=a,", False),
        ("-team=a", False),
    ],
)
def test_a_selector_is_what_kubectl_takes(selector: str, wanted: bool) -> None:  # noqa: FBT001 - a case
    """A wrong one is told at the start, in place of watches that the API server refuses."""
    given = VALID | {"TYPOSENTINEL_SELECTOR": selector}
    if wanted:
        assert settings.load(given).selector == selector
    else:
        with pytest.raises(SettingsError, match=r"TYPOSENTINEL_SELECTOR: .*is no label selector"):
            settings.load(given)


def test_defaults_of_the_webhook() -> None:
    """It can be started without any; a time that is none is named as ever."""
    wanted = {
        "watch_namespaces": (),
        "webhook_host": "0.0.0.0",
        "webhook_port": 9443,
        "webhook_directory": "/etc/typosentinel-webhook",
        "webhook_timeout_seconds": 3.0,
        "webhook_drain_seconds": 5.0,
        "probe_host": "0.0.0.0",
        "probe_port": 8081,
        "log_format": "json",
        "log_level": "info",
    }
    assert wanted == settings.load_webhook({"TYPOSENTINEL_SERVER_IMAGE": "not ours"}).model_dump()
    assert settings.load_webhook({"TYPOSENTINEL_WATCH_NAMESPACES": "a, b"}).watch_namespaces == ("a", "b")
    with pytest.raises(SettingsError, match=r"^TYPOSENTINEL_WEBHOOK_TIMEOUT_SECONDS: "):
        settings.load_webhook({"TYPOSENTINEL_WEBHOOK_TIMEOUT_SECONDS": "0"})


CERTIFIED = {
    "TYPOSENTINEL_WEBHOOK_CONFIGURATION": "sentinel-webhook",
    "TYPOSENTINEL_WEBHOOK_SECRET": "sentinel-webhook",
    "TYPOSENTINEL_WEBHOOK_HOSTS": "sentinel-webhook.team-a.svc,127.0.0.1",
}


def test_certificates_are_made_for_all_hosts() -> None:
    """Names and addresses, separated by commas."""
    assert settings.load(VALID | CERTIFIED).webhook_hosts == ("sentinel-webhook.team-a.svc", "127.0.0.1")


@pytest.mark.parametrize(
    "missing", ["TYPOSENTINEL_WEBHOOK_SECRET", "TYPOSENTINEL_WEBHOOK_HOSTS", "TYPOSENTINEL_POD_NAMESPACE"]
)
def test_who_makes_certificates_is_told_where_and_for_whom(missing: str) -> None:
    """The message names what belongs to it."""
    with pytest.raises(SettingsError, match=missing):
        settings.load(VALID | CERTIFIED | {"TYPOSENTINEL_LEADER_ELECTION": "false", missing: ""})
