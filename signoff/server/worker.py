"""The worker role: jobs as they come, and the timers beside them."""

from __future__ import annotations

import threading

from signoff.approvals.desertion import Desertion
from signoff.approvals.stop_timer import StopTimer
from signoff.approvals.sweep import Sweep
from signoff.bot.delivery.factor_news import FactorNews
from signoff.bot.delivery.homes import Homes
from signoff.queue.jobs import SignoffJob, keep_working
from signoff.queue.wakeups import DELIVER, HOME
from signoff.server.build import Server
from signoff.server.perpetual import perpetual
from signoff.server.witness.timer import Heads
from signoff.web.webhooks.hosts import Hosts
from signoff.web.webhooks.timer import Outbox


def run_worker(server: Server, stop: threading.Event) -> None:
    """The worker role, in the main thread: until `stop` is set, then finishes the job it runs."""
    homes = Homes(server.store, server.lists, server.slack)
    SignoffJob.functions = {DELIVER: server.channel.deliver, HOME: homes.step}
    SignoffJob.mac = server.mac
    sweep = Sweep(server.approvals, server.channel.warn, server.channel.tell_admins)
    settings = server.settings
    heads = Heads(
        server.store, settings.signer(), settings.deployment, server.witnesses, server.channel.tell_admins
    )
    desertion = Desertion(
        server.store, server.approvals.judge, server.channel.directory, server.channel.tell_admins
    )
    webhooks = Outbox(
        server.store, settings.signer(), settings.public_url, Hosts.read(settings.webhook_hosts),
        server.channel.tell_admins,
    )  # fmt: skip
    timers = [
        perpetual(name, part.run, stop)
        for name, part in (
            ("sweep", sweep),
            ("deliver", server.channel),
            ("home", homes),
            ("witness", heads),
            ("desertion", desertion),
            ("webhooks", webhooks),
            ("stops", StopTimer(server.approvals.stopping)),
            ("factors", FactorNews(server.store, server.slack, server.admins)),
        )
    ]
    for timer in timers:
        timer.start()
    try:
        keep_working(server.redis_url, stop)
    finally:
        stop.set()
        for timer in timers:
            timer.join(timeout=15)
