"""Rights that no request shows, and requests that are denied on purpose: each with its reason.

An entry stands here as long as it is true. One for a right that is used, or is not granted any more, and one for a
denial that does not happen any more, fails the audit as an unexplained one does.
"""

from typing import Final

from rightsaudit.right import Right
from typosentinel_operator import names

UNUSED: Final = {
    Right(names.GROUP, f"{names.SCAN_SERVICE.plural}/finalizers", "update"): (
        "Asked for by admission and by no request: clusters with OwnerReferencesPermissionEnforcement let only those "
        "set blockOwnerDeletion who have it. The suites' API servers do, so without it no child could be made."
    ),
}

DENIED: Final[dict[Right, str]] = {}
