"""What RQ's workers run in tests: they find functions by a module's name."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from signoff.adapters.rq import action

ran: list[Any] = []
told: list[Any] = []


@dataclass
class Order:
    number: int
    total: Decimal


def refund(customer: str, amount: int, currency: str = "EUR") -> str:
    """Give money back."""
    ran.append((customer, amount, currency))
    return f"refunded {amount} {currency}"


@action("order.ship")
async def ship(order: Order) -> int:
    ran.append(order)
    return order.number


def fail(path: str) -> None:
    ran.append(path)
    raise ValueError("secret")


def wipe(customer: str, amount: int, currency: str) -> None:
    ran.append("wiped")


def failed(job: Any, connection: Any, kind: type, error: Any, trace: Any) -> None:
    """RQ's on_failure."""
    told.append(kind.__name__)


@action("money.back")
def pay(customer: str, amount: int) -> None:
    ran.append(("pay", customer, amount))


@action("money.back")
def pay_from_reserve(customer: str, amount: int) -> None:
    ran.append(("reserve", customer, amount))


pay_too = pay
