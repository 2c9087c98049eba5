"""What is stopped, and whether guards have heard of it."""

from __future__ import annotations

from signoff.cli.doctor.patient import Note, Patient, Skip
from signoff.models import migrate, stop_rows, stopped_rows
from signoff.models.messages import moment
from signoff.models.stops import Stop

NAMED = 5
FIX = "`signoff resume NAME` lets it run again, and `signoff stops` lists all"
LATE = "look whether they run and reach this server: without a fresh word they run nothing"


def stops(patient: Patient) -> str:
    """Nothing is stopped, and all guards that have ever confirmed a stop still do; raises Note."""
    if migrate.pending(patient.engine):
        raise Skip("the database is not up to date")
    with patient.store.reading() as connection:
        found = stop_rows.standing(connection)
        late = stopped_rows.stale(connection)
        guards = len(stopped_rows.seen(connection))
    if found:
        raise Note("; ".join(_said(one) for one in found[:NAMED]) + _more(len(found)), FIX)
    if late:
        names = ", ".join(one.guard for one in late[:NAMED])
        raise Note(f"guards that have not heard of late what is stopped: {names}{_more(len(late))}", LATE)
    return f"nothing is stopped; guards that hear of stops: {guards}"


def _said(stop: Stop) -> str:
    when = f"{moment(stop.at):%Y-%m-%d %H:%M} UTC"
    how = "is resumed in part, and all of it asked about" if stop.staged else f"is {stop.said}"
    return f"{stop.scope} {how}, since {when}"


def _more(count: int) -> str:
    return f", and {count - NAMED} more" if count > NAMED else ""
