"""The token of the administrative port in real pods."""

import base64

from fleet import Fleet

FILE = "/etc/typosentinel-admin/token"
# A Secret is offered every ten seconds at most, at each resync of half a minute; then a kubelet has to look.
ROTATED_SECONDS = 120.0


def in_secret(fleet: Fleet) -> str:
    """The token in the Secret; nothing where there is none."""
    found = fleet.kubectl.get_json("secret", f"{fleet.child}-admin", fleet.namespace)
    return base64.b64decode(found["data"]["token"]).decode() if found else ""


def in_pods(fleet: Fleet) -> set[str]:
    """What the pods have of it."""
    program = f"print(open('{FILE}').read(), end='')"
    return {
        fleet.kubectl.attempt(
            "exec",
            pod["metadata"]["name"],
            f"-n={fleet.namespace}",
            "--",
            "/opt/typosentinel/bin/python",
            "-c",
            program,
        ).out
        for pod in fleet.pods()
    }


def test_pods_have_the_token_and_follow_its_rotation(fleet: Fleet) -> None:
    """Who deletes the Secret has another one, in the same pods, without a restart."""
    before = in_secret(fleet)
    pods = {pod["metadata"]["uid"] for pod in fleet.pods()}
    assert len(before) == 43
    assert in_pods(fleet) == {before}

    fleet.kubectl.delete("secret", f"{fleet.child}-admin", fleet.namespace)
    fleet.kubectl.wait_until(
        lambda: in_secret(fleet) not in {"", before} and in_pods(fleet) == {in_secret(fleet)},
        ROTATED_SECONDS,
        "every pod has the new token",
    )

    assert {pod["metadata"]["uid"] for pod in fleet.pods()} == pods
    assert all(
        container["restartCount"] == 0 for pod in fleet.pods() for container in pod["status"]["containerStatuses"]
    )


def test_the_service_does_not_lead_to_the_administrative_port(fleet: Fleet) -> None:
    """Whoever may scan may not knock there."""
    service = fleet.kubectl.require("service", fleet.child, fleet.namespace)
    assert [port["targetPort"] for port in service["spec"]["ports"]] == ["http"]
