"""Made-up requests that are asked together, with what becomes of them; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from signoff.bot.gallery.approval import BEGAN, SECOND, made_up
from signoff.bot.together.review import Looked
from signoff.models.approval import Approval
from signoff.models.batches import Batch, Review
from signoff.models.messages import Decision, Outcome

_SAFE = {"reversibility": "reversible", "reversibility_from": "policy", "risk": "low", "risk_from": "policy"}
_FINAL = {
    "reversibility": "irreversible",
    "reversibility_from": "policy",
    "risk": "high",
    "risk_from": "policy",
}
_NAMES = (
    "login-form", "dark-mode", "invoice-pdf", "search-index", "rate-limit", "new-footer", "csv-export",
    "api-v2", "cookie-banner", "fix-timezone", "sso", "audit-log",
)  # fmt: skip
_PEOPLE = (
    "ann.smith", "b.okafor", "c.sommer", "dana", "e.rossi", "farid", "g.lund", "h.tanaka", "ines", "j.novak",
    "kim", "l.dubois",
)  # fmt: skip
_BECAME = ("status", "decision", "ended_at", "outcome")
_LETTER = "Dear {name},\n\nyour invoice {number} is due on 30 November.\nPlease have a look at it.\n\nAcme\n"


def batch(items: list[Approval], title: str, apart: tuple[Approval, ...] = ()) -> Batch:
    """A batch that is frozen, with a card that is up to date."""
    return Batch(
        id=12,
        agent="ops-bot",
        name="0" * 32,
        title=title,
        run="nightly clean-up",
        size=len(items) + len(apart),
        state="frozen",
        created_at=BEGAN,
        frozen_at=BEGAN,
        wanted="C0APPROVALS",
        conversation="C0APPROVALS",
        message="1.2",
        permalink=None,
        revision=1,
        shown_revision=1,
        shown_at=BEGAN + SECOND,
        items=tuple(items),
        apart=apart,
    )


def looked(of: Batch, came_from: str = "") -> Looked:
    """A review of all of a batch."""
    pairs = tuple((one.id, one.version) for one in of.items)
    review = Review("0123456789abcdef0123456789abcdef", of.id, "U0ANA", pairs, 0)
    return Looked(review, of.items, tuple(range(1, len(of.items) + 1)), of.title, came_from)


def _branches() -> list[Approval]:
    found = [
        _one(at, "branch.delete", {"repo": "acme/shop", "branch": name, "days_unused": 90 + 7 * at})
        for at, name in enumerate(_NAMES)
    ]
    main = {"repo": "acme/shop", "branch": "release-2.0", "days_unused": 2}
    return [*found, _one(12, "branch.delete", main, verdict=_FINAL)]


def _letters() -> list[Approval]:
    return [
        _one(
            at,
            "mail.send",
            {
                "from": "billing@acme.example",
                "to": f"{name}@example.com",
                "subject": f"Invoice {7000 + at}",
                "body": _LETTER.format(name=name.replace(".", " ").title(), number=7000 + at) * 6,
            },
            verdict=_FINAL | {"risk": "medium"},
            reason=f"Invoice {7000 + at} is not paid.",
        )
        for at, name in enumerate(_PEOPLE)
    ]


def _mixed() -> list[Approval]:
    ends: dict[str, Any] = {"ended_at": BEGAN + 60 * SECOND}
    yes = Decision(vote="approve", approver="U0ANA", name="Ana")
    no = Decision(vote="reject", approver="U0BEN", name="Ben", reason="Still used by the mobile app")
    states: list[dict[str, Any]] = [
        {"status": "approved", "decision": yes, **ends, "outcome": Outcome(succeeded=True)},
        {"status": "approved", "decision": yes, **ends},
        {"status": "rejected", "decision": no, **ends},
        {"status": "expired", **ends},
        {"status": "cancelled", **ends},
    ]
    payloads = [{"repo": "acme/shop", "branch": name} for name in _NAMES]
    return [
        _one(at, "branch.delete", one, **(states[at] if at < len(states) else {}))
        for at, one in enumerate(payloads)
    ]


def _over() -> list[Approval]:
    found = _mixed()[:5]
    yes = Decision(vote="approve", approver="U0ANA", name="Ana")
    failed: dict[str, Any] = {"outcome": Outcome(succeeded=False, note="branch is protected")}
    ended = {"status": "approved", "decision": yes, "ended_at": BEGAN + 60 * SECOND, **failed}
    return [*found, _one(39, "branch.delete", found[0].payload, **ended)]


def _misleading() -> list[Approval]:
    hosts = ("https://apple.com/a", "https://\u0430pple.com/a", "https://example.com/\u202egnp.exe")
    return [_one(at, "page.open", {"url": url, "note": "שלום 120"}) for at, url in enumerate(hosts)]


def _one(at: int, action: str, payload: dict[str, Any], **fields: Any) -> Approval:
    """One of them; `status`, `decision`, `ended_at` and `outcome` are what has become of it."""
    became = {name: fields.pop(name) for name in _BECAME if name in fields}
    known = {"verdict": _SAFE, "agent": "ops-bot", "reason": "Merged, and unused for months."}
    found = made_up(payload, **{**known, "id": _id(at), "action": action, **fields})
    decision = became.pop("decision", None)
    return replace(found, decisions=(decision,) if decision else (), **became)


def _id(at: int) -> str:
    """An id, and so a code, of its own."""
    return f"{(at + 1) * 0x9E3779B1 & 0xFFFFFFFF:08x}-0000-7000-8000-000000000001"


BATCHES: Mapping[str, Batch] = {
    "batch-whole": batch(
        _branches(),
        "Clean up old branches",
        (_one(30, "repo.delete", {"repo": "acme/old"}, verdict=_FINAL | {"risk": "critical"}),),
    ),
    "batch-folded": batch(_letters(), "Remind twelve customers"),
    "batch-partly-decided": batch(_mixed(), "Clean up old branches"),
    "batch-over": batch(_over(), "Clean up old branches"),
    "batch-misleading": batch(_misleading(), "Open <https://evil.example|pages> @channel"),
    "batch-one-left": batch(_mixed()[:6], ""),
}
"""By name."""
