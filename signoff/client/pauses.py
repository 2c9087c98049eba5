"""When a client sees to a request that no server has marked as received."""

from __future__ import annotations

NOBODY_SECONDS = 10.0
"""After this long without `received`, say so."""
NOBODY = (
    "Nobody has picked request %s up for %.0f s: is `signoff serve` running? "
    "It is sent again until somebody does."
)
RESEND_SECONDS = (2.0, 3.0, 5.0, 10.0, 20.0, 40.0, 60.0)
"""Pauses between seeing to a request that no intake has marked; the last one goes on. Each takes up to a
quarter more, so that what was sent together is not sent again together."""
POINT_SECONDS = (600.0, 1800.0, 3600.0)
"""Before one more pointer is added to a request whose body stands unread: those that went before are most
likely unread, too."""
