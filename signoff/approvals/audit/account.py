"""An approval's lines, added up: what its rows have to hold; pure.

Lines of an earlier Signoff say less, and some of it by other names: what a line does not say is not held
against a row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from signoff.approvals.audit import kept
from signoff.approvals.audit.fits import (
    Claims,
    Exactly,
    Fits,
    Judged,
    Near,
    OneOf,
    Reported,
    Salted,
    Signed,
)
from signoff.approvals.audit.told import Contradiction, Row, Said, Told


@dataclass
class Account:
    """What the rows of one approval have to hold. `salts` are those of its payloads, by version."""

    approval_id: str
    salts: Mapping[int, str | None]
    approval: Row = field(default_factory=dict)
    payloads: dict[int, Row] = field(default_factory=dict)
    decisions: list[Row] = field(default_factory=list)
    cards: dict[int | None, Row] = field(default_factory=dict)
    """By the card's number; lines of before do not give it."""
    feedback: Row = field(default_factory=dict)
    """Empty where nobody has said whether it was right."""
    talks: dict[str, Row] = field(default_factory=dict)
    notes: dict[str, Row] = field(default_factory=dict)
    """Both by their ids."""
    receipt: Said | None = None
    """The line of the receipt that it ended with."""
    _in_batch: bool = False
    _version: int = 1
    _expires_at: int | None = None

    def add(self, lines: Iterable[Said], of_all: Sequence[Said]) -> Account:
        """Read its lines, and those about all that waited, in order; raises Contradiction."""
        for line in sorted([*lines, *of_all], key=lambda one: one.seq):
            if not self.approval and line.kind not in ("submit", *OF_ALL):
                raise Contradiction(line.seq, f"a line {line.kind!r} comes before the request")
            if line.kind not in OF_ALL or self._pending:
                try:
                    _READ[line.kind](self, line)
                except KeyError as error:
                    what = "kind is not known" if line.kind not in _READ else f"data has no {error}"
                    raise Contradiction(line.seq, f"its {what}") from None
        return self

    @property
    def _pending(self) -> bool:
        return bool(self.approval) and self.receipt is None

    def _expect(self, line: Said, **columns: Any) -> None:
        for name, value in columns.items():
            fit: Fits = value if isinstance(value, Fits) else Exactly(value)
            self.approval[name] = Told(fit, line.seq)

    def _salted(self, told: str) -> Salted:
        return Salted(told, self.salts.get(self._version))

    def _optional(self, told: str | None) -> Fits:
        return Exactly(None) if told is None else self._salted(told)

    def _submit(self, line: Said) -> None:
        data = line.data
        if self.approval:
            raise Contradiction(line.seq, "the same request was submitted before")
        self._expect(
            line, id=self.approval_id, agent=line.actor, action=data["action"], version=1, status="pending",
            created_at=line.at, reason="", ended_at=None, receipt=None, receipt_expires_at=None, outcome=None,
            outcome_at=None, shown_at=None, closed_in=None, spent_by=None, spent_at=None,
            handed_to=None, handed_by=None,
        )  # fmt: skip
        self._expect(line, undoes=data.get("undoes"), batch_id=data.get("batch"))
        if "request" in data:
            self._expect(line, request_id=data["request"], digest_sent=self._salted(data["digest_sent"]))
            self._expect(line, key=self._optional(data["key"]), run=self._optional(data["run"]))
        self.payloads[1] = self._payload(line, 1, Claims(data["claims"], self.salts.get(1)))

    def _payload(self, line: Said, version: int, claims: Fits) -> Row:
        fits: dict[str, Fits] = {
            "approval_id": Exactly(self.approval_id),
            "version": Exactly(version),
            "text": Salted(line.data["payload"], self.salts.get(version)),
            "claims": claims,
        }
        if version == 1 or "by" in line.data:
            fits["by_id"] = Exactly(line.data.get("by"))
        return {name: Told(fit, line.seq) for name, fit in fits.items()}

    def _verdict(self, line: Said) -> None:
        told = line.data
        if "verdict" not in self.approval:  # a later one changes neither until when nor where it is asked
            self._expires_at = told["expires_at"]
            where = told["conversation"] if "conversation" in told else told["channel"]
            self._expect(line, expires_at=self._expires_at, conversation=where)
            waits = told.get("effect", told.get("answer")) == "allow" and told.get("after") is not None
            self._expect(line, runs_at=0 if waits else None)
        self._expect(line, verdict=Judged(told, self.salts.get(self._version)))

    def _restored(self, line: Said) -> None:
        self._expires_at = min(self._expires_at or line.at, line.at)
        self._expect(line, closed_in=line.data["epoch"], expires_at=self._expires_at)

    def _held(self, line: Said) -> None:
        self._expect(line, runs_at=None)

    def _grace(self, line: Said) -> None:
        self._expect(line, runs_at=line.data["runs_at"])

    def _shown(self, line: Said) -> None:
        data = line.data
        if "runs_at" in data:
            self._expect(line, runs_at=data["runs_at"])
        if "expires_at" in data:
            self._expires_at = data["expires_at"]
            self._expect(line, expires_at=self._expires_at)
        if "batch" in data:
            if not self.cards and not self._in_batch:
                self._expect(line, shown_at=Near(line.at))
            self._in_batch = True
            return
        if "card" in data and data["card"] is None:
            return  # a message beside the card, which no row's card is
        if not self.cards and not self._in_batch:
            self._expect(line, shown_at=Near(line.at))
        where = data["conversation"] if "conversation" in data else data["channel"]
        message = data["message"] if "message" in data else data["ts"]
        fits: dict[str, Fits] = {"conversation": Exactly(where), "message": Exactly(message)}
        if "thread" in data:
            fits |= {"thread": Exactly(data["thread"]), "channel": Exactly(data["channel"])}
            fits["permalink"] = self._optional(data["permalink"])
        fits["approval_id"] = Exactly(self.approval_id)
        self.cards[data.get("card")] = {name: Told(fit, line.seq) for name, fit in fits.items()}

    def _edit(self, line: Said) -> None:
        if self.receipt:
            raise Contradiction(line.seq, "it was edited after it had ended")
        self._version = line.data["version"]
        if self._version != max(self.payloads) + 1:
            raise Contradiction(line.seq, "its version does not follow")
        self.payloads[self._version] = self._payload(line, self._version, Exactly(None))
        self._expect(line, version=self._version)
        if "verdict" in line.data:
            salt = self.salts.get(self._version)
            self._expect(line, verdict=Judged(line.data["verdict"], salt))

    def _decision(self, line: Said) -> None:
        if self.receipt:
            raise Contradiction(line.seq, "somebody voted after it had ended")
        self._vote(line, line.data, line.actor, line.at)

    def _vote(self, line: Said, data: Mapping[str, Any], approver: str, at: int) -> None:
        told = kept.given(line, data, approver, at, self._salted)
        self.decisions.append({"approval_id": Told(Exactly(self.approval_id), line.seq), **told})

    def _kept(self, line: Said) -> None:
        """A vote that ended nothing."""
        if self.receipt:
            raise Contradiction(line.seq, "somebody voted after it had ended")
        self._vote(line, line.data, line.actor, line.at)

    def _void(self, line: Said) -> None:
        kept.void(self.decisions, line)

    def _moved(self, line: Said) -> None:
        self._expect(line, conversation=line.data["conversation"])
        self.cards[line.data["card"]] = dict.fromkeys(kept.PLACE, Told(Exactly(None), line.seq))

    def _handed(self, line: Said) -> None:
        if self.receipt:
            raise Contradiction(line.seq, "it was handed to somebody after it had ended")
        self._expect(line, handed_to=line.data["to"], handed_by=line.actor)

    def _left(self, line: Said) -> None:
        """It left a batch, for a card of its own."""
        self._expect(line, batch_id=None)

    def _cancel(self, line: Said) -> None:
        self._expect(line, reason=self._salted(line.data["reason"]))

    def _receipt(self, line: Said) -> None:
        data = line.data
        self._ended(line, line.at)
        if "reason" in data:
            self._expect(line, reason=self._salted(data["reason"]), receipt_expires_at=data["expires"])
            return
        self.approval.pop("receipt_expires_at", None)
        if data["status"] != "cancelled":  # lines of before left it to the vote, if there was one
            self.approval.pop("reason", None)

    def _adopted(self, line: Said) -> None:
        data = line.data
        self._ended(line, data["decided_at"])
        self._expect(line, reason=self._salted(data["reason"]))
        if data["by"]:
            vote = "approve" if data["status"] == "approved" else "reject"
            self._vote(line, data.get("voted") or {"vote": vote, "reason": data["reason"]}, data["by"],
                       data["decided_at"])  # fmt: skip
        if "closed_in" in data:
            self._expect(line, closed_in=data["closed_in"], receipt_expires_at=data["expires"])
        else:
            self.approval.pop("closed_in", None)
            self.approval.pop("receipt_expires_at", None)

    def _ended(self, line: Said, at: int) -> None:
        if self.receipt:
            raise Contradiction(line.seq, "it ended twice")
        data = line.data
        self.receipt = line
        self._expect(line, status=data["status"], version=data["version"], ended_at=at)
        self._expect(line, receipt=Signed(data["signed"]))
        if data["version"] != max(self.payloads):
            raise Contradiction(line.seq, "it ended with a version that no line tells of")

    def _outcome(self, line: Said) -> None:
        note, result = self._salted(line.data["note"]), line.data.get("result")
        reported = Reported(line.data["succeeded"], note, None if result is None else self._salted(result))
        self._expect(line, outcome=reported, outcome_at=Near(line.at))

    def _spend(self, line: Said) -> None:
        self._expect(line, spent_by=self._salted(line.data["by"]), spent_at=line.data["spent_at"])

    def _feedback(self, line: Said) -> None:
        if self.feedback:
            raise Contradiction(line.seq, "somebody said twice whether it was right")
        fits: dict[str, Fits] = {
            "approval_id": Exactly(self.approval_id),
            "by_id": Exactly(line.actor),
            "answer": Exactly(line.data["answer"]),
            "text": self._salted(line.data["text"]),
            "name": self._salted(line.data["name"]),
            "at": Near(line.at),
        }
        self.feedback = {name: Told(fit, line.seq) for name, fit in fits.items()}

    def _talk(self, line: Said) -> None:
        """A question of a person's, or its answer."""
        data, text = line.data, self._salted(line.data["text"])
        if data["said"] != "question":
            fits: dict[str, Fits] = {"state": Exactly(data["said"]), "answer": text}
            fits["answered_at"] = Exactly(line.at)
        else:
            state = OneOf(("asked", "silent") if data["heard"] else ("unheard",))
            exactly = {
                "id": data["talk"], "approval_id": self.approval_id, "version": data["version"],
                "by_id": line.actor, "asked_at": line.at, "until": data["until"], "answer": None,
                "answered_at": None,
            }  # fmt: skip
            fits = {name: Exactly(value) for name, value in exactly.items()}
            fits |= {"name": self._salted(data["name"]), "question": text, "state": state}
            if "signed" in data:
                fits["token"] = Signed(data["signed"])
        told = {name: Told(fit, line.seq) for name, fit in fits.items()}
        self.talks[data["talk"]] = self.talks.get(data["talk"], {}) | told
        if "expires_at" in data:
            self._expires_at = data["expires_at"]
            self._expect(line, expires_at=self._expires_at)

    def _note(self, line: Said) -> None:
        exactly = {
            "id": line.data["note"], "approval_id": self.approval_id, "by_id": line.actor, "at": line.at
        }  # fmt: skip
        fits: dict[str, Fits] = {name: Exactly(value) for name, value in exactly.items()}
        fits |= {name: self._salted(line.data[name]) for name in ("name", "text")}
        self.notes[line.data["note"]] = {name: Told(fit, line.seq) for name, fit in fits.items()}

    def _migrated(self, line: Said) -> None:
        """A new version of the tables ended what it could not take over."""
        self._expires_at = min(self._expires_at or line.at, line.data["expires_at"])
        self._expect(line, expires_at=self._expires_at)


def _passed(_: Account, __: Said) -> None:
    """What it says stands in no row of an approval by itself."""


_READ: Mapping[str, Callable[[Account, Said], None]] = {
    **dict.fromkeys(("expiry", "file", "guard", "called", "escalated"), _passed),
    "submit": Account._submit,
    "verdict": Account._verdict,
    "restored": Account._restored,
    "shown": Account._shown,
    "edit": Account._edit,
    "decision": Account._decision,
    "vote": Account._kept,
    "void": Account._void,
    "moved": Account._moved,
    "cancel": Account._cancel,
    "handed": Account._handed,
    "receipt": Account._receipt,
    "adopted": Account._adopted,
    "outcome": Account._outcome,
    "spend": Account._spend,
    "migrated": Account._migrated,
    "talk": Account._talk,
    "note": Account._note,
    "feedback": Account._feedback,
    "held": Account._held,
    "grace": Account._grace,
    "batch": Account._left,
}
OF_ALL = ("restored", "migrated")
"""Kinds of lines about whatever waited then."""
OF_AN_APPROVAL = frozenset(_READ)
"""The kinds of lines that an account is made of."""
