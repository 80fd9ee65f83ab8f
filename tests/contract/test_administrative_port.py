"""The variables by which pods open the administrative port."""

import factories
from typosentinel_operator.desired import workload
from typosentinel_server.commands.serve import command


def test_the_server_knows_the_variables_of_pods() -> None:
    """By their names; one that it doesn't know would say nothing."""
    (container,) = workload.deployment(factories.inputs())["spec"]["template"]["spec"]["containers"]
    variables = {str(parameter.envvar) for parameter in command.params if getattr(parameter, "envvar", None)}
    assert {one["name"] for one in container["env"]} <= variables
