"""For tests of agents that use Signoff: the fixture `signoff_approvals`; see `signoff.client.testing`."""

from __future__ import annotations

from signoff.client.testing import Approvals, signoff_approvals

__all__ = ["Approvals", "signoff_approvals"]
