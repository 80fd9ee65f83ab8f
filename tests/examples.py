"""How examples are drawn that hypothesis makes up."""

from hypothesis import HealthCheck, settings

# How long an example takes says how busy the machine is.
STEADY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
