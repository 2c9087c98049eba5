"""`/metrics`, for Prometheus: counted from rows and the log at each scrape; all processes say the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from signoff.models.figures import Figures, Spread, Waiting
from signoff.web.refusals import Refusals


class Collected(Collector):
    """Everything that is told. `queues` gives what waits and was refused in Redis, by name; it may raise.

    `refusals` are receipts that this process refused.
    """

    def __init__(self, figures: Figures, queues: Callable[[], Mapping[str, int]], refusals: Refusals) -> None:
        self._figures = figures
        self._refusals = refusals
        self._queues = queues

    def collect(self) -> Iterator[Metric]:
        """One scrape."""
        self._figures.read()
        yield from self._counted()
        yield from self._waits(self._figures.waiting())
        found = self._queues()
        yield _gauge("signoff_jobs_waiting", "Jobs that no worker has taken yet.", found["jobs"])
        yield _gauge("signoff_dead_letters", "Entries of agents that could not be taken.", found["dead"])
        yield _counter("signoff_jobs_refused", "Jobs that this server had not signed.", found["refused"])

    def _counted(self) -> Iterator[Metric]:
        figures = self._figures
        yield _counters("signoff_requests", "Requests, by the policy's verdict.", "verdict", figures.verdicts)
        yield _counters("signoff_ended", "Requests that ended, by how.", "status", figures.ends)
        yield _counters("signoff_questions", "Questions, by why agents ask.", "why", figures.questions)
        yield _counters(
            "signoff_outcomes", "What agents reported of what they ran.", "outcome", figures.outcomes
        )
        yield _counters(
            "signoff_undone",
            "What agents reported as undone, by the rule that had let it run.",
            "rule",
            figures.undone,
        )
        yield _counters("signoff_undos", "Undos: asked for, done, failed.", "outcome", figures.undos)
        yield _counters(
            "signoff_held", "What was to run after a while, and is asked about, by why.", "why", figures.held
        )
        yield _counters(
            "signoff_feedback", "Outcomes that people called right or wrong.", "answer", figures.feedback
        )
        yield _counter("signoff_decisions", "Decisions of people.", figures.counts["decision"])
        yield _counter("signoff_spent", "Approvals that a process was told to run.", figures.counts["spend"])
        yield _counter(
            "signoff_receipts_spent", "Receipts that guards spent through the API.", figures.counts["guard"]
        )
        yield _counters(
            "signoff_receipts_refused", "Receipts that this process refused to guards, by why.", "why",
            self._refusals.counts(),
        )  # fmt: skip
        yield _counter("signoff_stops", "Stops that somebody made.", figures.counts["stop"])
        yield _counter("signoff_resumes", "Resumes, in part or for good.", figures.counts["resume"])
        yield _counter("signoff_deliveries", "Cards that were posted or redrawn.", figures.counts["shown"])
        yield _histogram(
            "signoff_decision_seconds", "How long a card stood before somebody decided.", figures.decided
        )
        yield _histogram("signoff_delivery_seconds", "From a request to its card.", figures.delivered)

    def _waits(self, now: Waiting) -> Iterator[Metric]:
        waiting = GaugeMetricFamily(
            "signoff_waiting",
            "Requests that wait for a person, by how long at most (seconds).",
            labels=["le"],
        )
        for bound, count in now.ages.buckets():
            waiting.add_metric([bound], count)
        yield waiting
        yield _gauge("signoff_undelivered", "Requests without their card yet.", now.undelivered)
        yield _gauge("signoff_undelivered_seconds", "The oldest of these waits so long.", now.undelivered_age)
        yield _gauge("signoff_untold", "Decisions that Redis does not have yet.", now.untold)
        yield _gauge("signoff_undos_untaken", "Undos that no process took within 30 s.", now.untaken)
        yield _gauge("signoff_stopped", "Stops that stand, or are resumed in part.", now.stopped)
        yield _gauge(
            "signoff_guards_late", "Guards that have not heard of late what is stopped.", now.late_guards
        )
        yield _gauge("signoff_webhooks_due", "Messages to webhooks that are still to be sent.", now.webhooks)
        yield _gauge("signoff_webhooks_late_seconds", "The oldest of these is due since.", now.webhooks_age)
        yield _gauge("signoff_webhooks_off", "Endpoints that are switched off.", now.webhooks_off)
        yield _gauge("signoff_webhooks_sent", "Messages of 30 days that were taken.", now.webhooks_sent)
        yield _gauge("signoff_webhooks_failed", "Messages of 30 days that were not.", now.webhooks_failed)


def registry(
    figures: Figures, queues: Callable[[], Mapping[str, int]], refusals: Refusals | None = None
) -> CollectorRegistry:
    """A registry of its own: nothing that a library counts is in it."""
    found = CollectorRegistry(auto_describe=False)
    found.register(Collected(figures, queues, refusals or Refusals()))
    return found


def _counter(name: str, about: str, value: float) -> Metric:
    return CounterMetricFamily(name, about, value=value)


def _counters(name: str, about: str, label: str, values: Mapping[str, int]) -> Metric:
    found = CounterMetricFamily(name, about, labels=[label])
    for key, value in sorted(values.items()):
        found.add_metric([key], value)
    return found


def _gauge(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(name, about, value=value)


def _histogram(name: str, about: str, spread: Spread) -> Metric:
    return HistogramMetricFamily(name, about, buckets=spread.buckets(), sum_value=spread.sum)
