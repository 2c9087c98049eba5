"""What a row's value has to fit, as a line says it: a value, a time nearby, or a text by its digest; pure."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from signoff.approvals.audit.lines import PLAIN, RENAMED, digest
from signoff.errors import Invalid
from signoff.models.log import salted
from signoff.models.verdict import Verdict
from signoff.payload.canonical import canonical, parse

NEAR = 120_000_000
"""Microseconds between what a statement notes by the database's clock, and the line of its transaction: a
process may stand still in between, longer than a lease lasts."""


_DEFAULTS = {
    name: list(field.default) if isinstance(field.default, tuple) else field.default
    for name, field in Verdict.model_fields.items()
}
"""What a verdict holds where nothing is said: lines of before may not tell of a later part."""


class Fits(ABC):
    """Something that a row's value has to fit."""

    @abstractmethod
    def fits(self, value: Any) -> bool:
        """Whether it does."""

    @abstractmethod
    def shown(self) -> str:
        """What was expected, for people; nothing untrusted."""


@dataclass(frozen=True)
class Exactly(Fits):
    """This value."""

    value: Any

    def fits(self, value: Any) -> bool:
        """Equal."""
        return bool(value == self.value)

    def shown(self) -> str:
        """The value."""
        return repr(self.value)


@dataclass(frozen=True)
class OneOf(Fits):
    """One of these values."""

    values: tuple[Any, ...]

    def fits(self, value: Any) -> bool:
        """Equal to one of them."""
        return value in self.values

    def shown(self) -> str:
        """The values."""
        return " or ".join(map(repr, self.values))


@dataclass(frozen=True)
class Near(Fits):
    """A time within the same transaction."""

    at: int

    def fits(self, value: Any) -> bool:
        """At most `NEAR` away."""
        return isinstance(value, int) and abs(value - self.at) <= NEAR

    def shown(self) -> str:
        """The time."""
        return str(self.at)


@dataclass(frozen=True)
class Salted(Fits):
    """A text with this digest; `salt` is None where its payload has none, which is a fault by itself."""

    digest: str
    salt: str | None

    def fits(self, value: Any) -> bool:
        """The digest is the value's."""
        if self.salt is None:
            return True
        return isinstance(value, str) and salted(self.salt, value) == self.digest

    def shown(self) -> str:
        """Only that it is another."""
        return "another text, by its digest"


@dataclass(frozen=True)
class Claims(Salted):
    """The same of claims, one of whose names a migration has changed since."""

    def fits(self, value: Any) -> bool:
        """The digest is the value's, as it is or as it was written."""
        return super().fits(value) or super().fits(_before_renaming(value))


@dataclass(frozen=True)
class Signed(Fits):
    """A token with this SHA-256."""

    digest: str

    def fits(self, value: Any) -> bool:
        """The digest is the value's."""
        return isinstance(value, str) and hashlib.sha256(value.encode()).hexdigest() == self.digest

    def shown(self) -> str:
        """Only that it is another."""
        return "another one, by its digest"


@dataclass(frozen=True)
class Reported(Fits):
    """An outcome; `result` is None where it came without one."""

    succeeded: bool
    note: Salted
    result: Salted | None = None

    def fits(self, value: Any) -> bool:
        """Both parts are."""
        try:
            found = parse(value)
            same = found["succeeded"] is self.succeeded and self.note.fits(found.get("note", ""))
            result = found.get("result")
            if self.result is None or result is None:
                return same and self.result is None and result is None
            return same and self.result.fits(canonical(result))
        except (Invalid, TypeError, KeyError):
            return False

    def shown(self) -> str:
        """Whether it succeeded."""
        return f"succeeded: {self.succeeded}"


@dataclass(frozen=True)
class Judged(Fits):
    """A verdict, as far as a line tells it."""

    told: Mapping[str, Any]
    salt: str | None

    def fits(self, value: Any) -> bool:
        """Every field is, that the line tells."""
        return not self.differing(value)

    def differing(self, value: Any) -> list[str]:
        """The fields that are not."""
        try:
            found = parse(value)
        except (Invalid, TypeError):
            return ["its form"]
        if not isinstance(found, dict):
            return ["its form"]
        names = {RENAMED.get(name, name): told for name, told in self.told.items()}
        wrong = [name for name, told in names.items() if not self._field(name, told, found.get(name))]
        whole = "headline" in names  # lines of before told less
        more = [name for name in found.keys() - names.keys() if found[name] != _DEFAULTS.get(name)]
        return wrong + sorted(more if whole else ())

    def _field(self, name: str, told: Any, found: Any) -> bool:
        if name == "expires_at":
            return True  # it is the approval's, and not the verdict's
        if name in PLAIN:
            return bool(told == found)
        return self.salt is None or digest(self.salt, found) == told

    def shown(self) -> str:
        """What the policy said."""
        names = {RENAMED.get(name, name): told for name, told in self.told.items()}
        return f"{names.get('effect')}, by rule {names.get('rule')!r}"


def _before_renaming(claims: Any) -> Any:
    """Claims as they were written when `conversation` was called `channel`."""
    try:
        held = json.loads(claims)
    except (TypeError, ValueError):
        return claims
    if not isinstance(held, dict) or "conversation" not in held:
        return claims
    was = {"channel" if name == "conversation" else name: value for name, value in held.items()}
    return json.dumps(was, ensure_ascii=False, separators=(",", ":"))
