"""The people whom `faults.asking_agent` has to do with: one for each kind of thing, by its card's `wish:`.

Each looks at the stand-in's channel and does what there is to do, again and again: where a bot dies under a
click, that is pressed once more, as people do.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from faults.people import LOOK_SECONDS, WISH, Told, Window
from flows.person import Someone, buttons, can, text_of
from support import eventually

from signoff.sandbox.server import Sandbox
from signoff.sandbox.team import BOT_USER_ID

JSON = dict[str, Any]
KINDS = ("question", "batch", "talk", "hush", "undo", "orphan", "feedback", "held", "free", "alone")
OWNER = "U0FEEDBACK"
VIEW_SECONDS = 3.0
AGAIN_SECONDS = 0.1
UNDONE = ("Being undone", "*Undone*", "Nobody took the undo", "The undo ")
CORRECTION = "What_would_have_been_right?"


class Askers:
    """In the place of `faults.people.Reviewers`."""

    def __init__(self, slack: Sandbox, channel: str) -> None:
        self.slack = slack
        self.window = Window(slack, channel)
        self.users = [f"U0{kind.upper()}" for kind in KINDS]
        slack.team(users={user: {"name": kind} for user, kind in zip(self.users, KINDS, strict=True)})
        members = slack._service.workspace.team.channels[channel].members
        slack.team(channels={channel: {"members": [*members, *self.users]}})
        slack.faults(redelivery_seconds=[0.3, 1.0, 3.0])  # what is written comes again to who is back
        self.told: list[Told] = []
        self.saved: list[Told] = []
        self.faults: list[str] = []
        self.pressed: Counter[tuple[str, str]] = Counter()
        """How often somebody pressed something of a card for good: (its ts, what)."""
        self.noted: Counter[str] = Counter()
        """How often somebody was told that a note of theirs was taken, by the card's ts."""
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(kind,), daemon=True) for kind in KINDS]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(30)

    def press_what_is_over(self, over: Callable[[str], bool]) -> int:
        """There are no doubles where cards are found again."""
        return 0

    def _work(self, kind: str) -> None:
        someone = Someone(self.slack, f"U0{kind.upper()}", self.window.channel)
        act: Callable[[Someone, JSON], object] = getattr(self, f"_{kind}")
        seen, mine = 0, list[str]()
        while not self._stop.wait(AGAIN_SECONDS if mine else LOOK_SECONDS):
            messages = self.window.messages(seen)
            seen += len(messages)
            mine += [one["ts"] for one in messages if _kind(one) == kind]
            for ts in list(mine):
                message = self.slack._service.workspace.message(self.window.channel, ts)
                try:
                    if message is None or act(someone, message) == "done":
                        mine.remove(ts)
                except AssertionError:  # nobody acknowledged it, or no view came: they try again
                    with suppress(AssertionError):
                        someone.close_all()
                except Exception as error:
                    self.faults.append(f"{kind}: {type(error).__name__}: {error}")

    def _press(self, someone: Someone, message: JSON, what: str) -> None:
        self.pressed[message["ts"], what] += 1
        someone.click(message, what)

    def _question(self, someone: Someone, message: JSON) -> str:
        if not can(message, "option_1"):
            return _unless_open(message)
        if not self.pressed[message["ts"], "hand"]:
            self.pressed[message["ts"], "hand"] += 1
            someone.click(message, "hand")
            form = self._view(someone, "hand")
            chosen = {"type": "users_select", "selected_user": "U0BATCH"}
            someone.slack.act(
                type="submit", user=someone.user, view_id=form["id"], state={"to": {"value": chosen}}
            )
            someone.close_all()
            return ""
        self._press(someone, message, "option_1")
        return ""

    def _batch(self, someone: Someone, message: JSON) -> str:
        if not can(message, "batch_review"):
            return "done" if can(message, "batch_look") else ""
        if int(float(message["ts"]) * 1_000_000) % 3 == 0 and can(message, "batch_approve"):
            self._press(someone, message, "batch_approve")
            return ""
        someone.click(message, "batch_review")
        form = self._view(someone, "batch_review")
        someone.press(form, "batch_approve_seen")
        self._view(someone, "batch_result")
        someone.close_all()
        return ""

    def _talk(self, someone: Someone, message: JSON) -> str:
        return self._asks(someone, message, "answered", note=True)

    def _hush(self, someone: Someone, message: JSON) -> str:
        return self._asks(someone, message, "has not answered")

    def _asks(self, someone: Someone, message: JSON, wanted: str, note: bool = False) -> str:
        """A question to the agent; what came of it is on the card; a note, and the decision."""
        if not can(message, "approve"):
            return _unless_open(message)
        shown, ts = text_of(message), message["ts"]
        if f"{someone.user[2:].lower()} asked" not in shown:
            self.pressed[ts, "ask"] += 1
            someone.choose(message, "ask")
            form = self._view(someone, "ask")
            answer = someone.submit(form, Your_question=f"{ts} {self.pressed[ts, 'ask']}")
            assert (answer["response"] or {}).get("response_action") in (None, "clear"), answer
            eventually(lambda: "asked" in text_of(self._now(ts)), VIEW_SECONDS)
            return ""
        if wanted not in shown and "cannot answer" not in shown and "not listening" not in shown:
            return ""
        if note and not self.noted[ts]:
            before = len(someone.told())
            self.pressed[ts, "note"] += 1
            someone.write(f"<@{BOT_USER_ID}> note Book it {self.pressed[ts, 'note']}.", ts)
            eventually(
                lambda: any("Noted" in one["text"] + text_of(one) for one in someone.told()[before:]),
                VIEW_SECONDS,
            )
            self.noted[ts] += 1
        self._press(someone, message, "approve")
        return ""

    def _undo(self, someone: Someone, message: JSON) -> str:
        if not can(message, "undo"):
            return "done" if any(word in text_of(message) for word in UNDONE) else ""
        someone.click(message, "undo")
        form = self._view(someone, "undo")
        self.pressed[message["ts"], "undo"] += 1
        someone.submit(form)
        someone.close_all()
        return ""

    def _orphan(self, someone: Someone, message: JSON) -> str:
        return self._undo(someone, message)

    def _feedback(self, someone: Someone, message: JSON) -> str:
        if not can(message, "feedback_wrong"):
            return "done" if "Correction" in text_of(message) else ""
        someone.click(message, "feedback_wrong")
        form = self._view(someone, "feedback")
        self.pressed[message["ts"], "wrong"] += 1
        someone.submit(form, **{CORRECTION: "It was net."})
        someone.close_all()
        return ""

    def _held(self, someone: Someone, message: JSON) -> str:
        if can(message, "hold"):
            self._press(someone, message, "hold")
            return ""
        return self._free(someone, message)

    def _free(self, someone: Someone, message: JSON) -> str:
        """Nobody holds it; where people were away again and again, it is asked about."""
        if can(message, "approve"):
            self._press(someone, message, "approve")
            return ""
        return "" if can(message, "hold") else _unless_open(message)

    def _alone(self, someone: Someone, message: JSON) -> str:
        """Of a batch, and arrived once that had its card: an intake died with it in its hands."""
        return self._free(someone, message)

    def _now(self, ts: str) -> JSON:
        found = self.slack._service.workspace.message(self.window.channel, ts)
        assert found is not None
        return found

    def _view(self, someone: Someone, callback_id: str) -> JSON:
        """What is open on top, once it is this and filled."""

        def look() -> JSON | None:
            stack = self.slack._service.workspace.views.stacks.get(someone.user) or []
            return stack[-1] if stack and stack[-1]["callback_id"] == callback_id else None

        found: JSON = eventually(look, VIEW_SECONDS)
        return found


def _unless_open(message: JSON) -> str:
    """Done, where nothing on it decides any more."""
    left = {"approve", "reject", "hold", "option_1", "answer"} & set(buttons(message))
    return "" if left else "done"


def _kind(message: JSON) -> str:
    """Of which kind a card is; empty where it is none."""
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") not in ("signoff_approval", "signoff_batch"):
        return ""
    found = WISH.search(json.dumps(message["blocks"]))
    return found.group(1) if found else ""
