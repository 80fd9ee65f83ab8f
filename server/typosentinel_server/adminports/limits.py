"""The limits as the administrative routes want to see them."""

from typosentinel_server.adminports.ports import LimitedPrincipal, LimitReport
from typosentinel_server.limiting import RateLimits


class LimitPort:
    """Tells of the limits.

    Args:
        limits: of this server.
    """

    def __init__(self, limits: RateLimits) -> None:
        self._limits = limits

    def report(self) -> LimitReport:
        """How it stands with them."""
        found = self._limits.report()
        return LimitReport(
            shared=found.shared,
            principals=found.principals,
            top=tuple(LimitedPrincipal(one.limit, one.principal, one.refused) for one in found.top),
            complaint=found.complaint,
        )
