"""AuthZEN's door, put together; and where callers find it: `/.well-known/authzen-configuration`."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from signoff.web.authzen.denials import Denials
from signoff.web.authzen.evaluations import EVALUATION, EVALUATIONS, Evaluations
from signoff.web.authzen.grants import Grants
from signoff.web.authzen.requests import Requests
from signoff.web.authzen.submissions import Submissions
from signoff.web.authzen.tasks import REQUESTS, Tasks
from signoff.web.doors import Doors
from signoff.web.v1 import keys

WELL_KNOWN = "/.well-known/authzen-configuration"
CAPABILITY = "urn:openid:authzen:capability:access-request"


def routes(doors: Doors) -> list[Route]:
    """Where its endpoints are."""
    denials = Denials(doors.signer, doors.public_url, doors.public_url + REQUESTS)
    grants = Grants(doors.approvals, doors.signer, doors.public_url)
    submissions = Submissions(denials, doors.signer.derive("authzen tasks"))
    return [
        *_discovery(doors.public_url),
        *Evaluations(doors, denials, grants).routes(),
        *Requests(doors, submissions, Tasks(doors.public_url, grants)).routes(),
    ]


def _discovery(public_url: str) -> list[Route]:
    """What the decision point says of itself: its identifier is the address that was asked, without a slash.

    Where that has a path, the well-known one stands between the host and it.
    """
    said = {
        "policy_decision_point": public_url,
        "access_evaluation_endpoint": public_url + EVALUATION,
        "access_evaluations_endpoint": public_url + EVALUATIONS,
        "access_request_endpoint": public_url + REQUESTS,
        "jwks_uri": public_url + keys.PATH,
        "capabilities": [CAPABILITY],
    }

    def configuration(_: Request) -> Response:
        return JSONResponse(said, headers={"Cache-Control": f"public, max-age={keys.KEPT_SECONDS}"})

    return [Route(WELL_KNOWN + urlsplit(public_url).path, configuration, methods=["GET"])]
