"""Whether somebody may still decide each request that waits."""

from __future__ import annotations

from signoff.approvals.desertion import deserted, sentence
from signoff.approvals.verdicts import Judge
from signoff.cli.doctor.patient import Fault, Patient, Skip
from signoff.models import migrate

FIX = "name others in the policy or in SIGNOFF_APPROVERS, or let the requests' time run out"
NAMED = 50
"""Requests that are named; the others are counted."""


def deciders(patient: Patient) -> str:
    """Somebody may; raises Fault, naming all requests that nobody may decide any more."""
    if migrate.pending(patient.engine):
        raise Skip("the database is not up to date")
    policy = patient.settings.policy()
    judge = Judge(lambda: policy, patient.directory, patient.store.get)
    groups, unknown = deserted(patient.store, judge, patient.directory)
    if groups:
        raise Fault(" ".join(sentence(patient.store, ids, NAMED) for ids in groups), FIX)
    if unknown:
        raise Skip(f"Slack does not say who may decide {len(unknown):,} requests that wait")
    return "somebody may decide whatever waits"
