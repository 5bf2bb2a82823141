"""Models with `serving.mode: batch`: nothing is deployed, and the newest approved version scores the next files.

Their endpoint of an earlier mode is deleted, as soon as no change of it is in progress: it would cost and serve an old version.
A tag of the model package group says so, and the first message after the mode has changed back creates the endpoint.
"""

from typing import Any

import endpoints
import notices
from messages import Request
from settings import Settings
from shared.alerts import send_alert
from shared.endpoints import CHANGING
from shared.messages import Outcome
from versions import newest_approved


def reconcile(settings: Settings, request: Request, description: dict[str, Any] | None) -> Outcome:
    """Delete the endpoint, described, if there is one; alert when the version that scored was rejected."""
    package = newest_approved(settings.model_package_group, request.model_package)
    version: int | None = package["ModelPackageVersion"] if package else None
    facts: dict[str, Any] = {"version": version}
    if request.kind == "rejected" and request.model_package:
        rejected = int(request.model_package.rpartition("/")[2])
        if rejected > (version or 0):
            send_alert(notices.scoring_version_rejected(settings, rejected, version))
    if description and description["EndpointStatus"] in CHANGING:
        return Outcome("the endpoint is deleted at the end of its change: the mode is batch", facts)
    _note(package)
    if description is None:
        return Outcome("nothing to deploy: the newest approved version scores files", facts)
    endpoints.delete(settings, description, request.id)
    return Outcome("the endpoint is being deleted: the mode is batch", facts)


def _note(package: dict[str, Any] | None) -> None:
    """Note that the mode is why there is no endpoint; without an approved version the next approval creates it anyway."""
    if package:
        endpoints.note(package["ModelPackageArn"], endpoints.WITHDRAWN)
