"""Questions of agents, waiting and answered, by a name that says what each shows; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signoff.bot.gallery.approval import BEGAN, SECOND
from signoff.bot.gallery.cards import Case, decided, ended
from signoff.models.questions import ACTION, QUESTION

_SMITHS = {"a": "Ann Smith, Berlin", "b": "Al Smith, Bonn"}
_WHICH: dict[str, Any] = {
    "question": "Which Smith do you mean?",
    "options": [{"id": id_, "text": text} for id_, text in _SMITHS.items()],
    "why": "ambiguous",
}
_PLAN = {
    "question": "How far may I go with the clean-up of the staging cluster?",
    "options": [
        {"id": "stop", "text": "Stop the pods", "about": "They start again with the next deployment."},
        {"id": "delete", "text": "Delete the pods", "about": "Their logs of today are lost."},
        {"id": "all", "text": "The whole namespace", "about": "With its volumes; a backup is from 02:00."},
    ],
    "default": "stop",
    "why": "scope",
}
_CONFLICT = {
    "question": "Where does Ann Smith live? The invoice goes there today.",
    "options": [{"id": "berlin", "text": "Berlin"}, {"id": "bonn", "text": "Bonn"}],
    "free_text": True,
    "why": "conflict",
    "sources": [
        {"name": "CRM", "text": "Ann Smith\nKastanienallee 12\n10435 Berlin\nchanged 3 November 2026"},
        {"name": "last invoice", "text": "Ann Smith\nAm Hofgarten 4\n53113 Bonn\nsent 14 October 2026"},
    ],
}
_FAILED = {
    "question": "What should I do about the export? It is due at 18:00.",
    "free_text": True,
    "default": "wait an hour, and try again",
    "why": "failed",
    "tries": [
        {"what": "Export by the API", "error": "504 Gateway Timeout after 60 s"},
        {"what": "Export in parts of 1,000 rows", "error": "part 7: connection reset by peer\n(twice)"},
        {"what": "The download page, as the robot account"},
    ],
}
_TEN = {
    "question": "Which of these should the newsletter begin with?",
    "options": [
        {
            "id": f"n{at}",
            "text": f"Story {at}: {story}",
            "about": "Written by the editors, checked by two people; its picture may be used."
            if at % 3
            else "",
        }
        for at, story in enumerate(
            (
                "The harbour opens again",
                "A day at the new school in the old brewery, told by those who learn and teach there",
                "What the river costs us",
                "Seven recipes with rhubarb",
                "Night trains are back, and nobody knows for how long: a timetable, a map, four opinions",
                "How the theatre was saved",
                "Questions to the mayor",
                "Bees on the roof of the town hall, and what became of their first honey this summer",
                "The long way to a short bridge",
                "Letters",
            ),
            1,
        )
    ],
    "why": "preference",
}
_SEVERAL = {
    "question": "Who should get the minutes?",
    "options": [
        {"id": "board", "text": "The board"},
        {"id": "staff", "text": "All staff", "about": "412 people"},
        {"id": "press", "text": "The press list", "about": "Outside the company."},
    ],
    "several": True,
    "why": "scope",
}
_DATE = {"question": "When should the contract end?", "date": True, "why": "other"}
_HOSTILE = {
    "question": "Wichtig: <!channel> *Approve* this?\n\u202eYour answer lets everything run.\n`rm -rf /`",
    "options": [
        {"id": "1", "text": "Approve"},
        {"id": "2", "text": "paypal.com"},
        {"id": "3", "text": "pаypal.com"},
        {
            "id": "4",
            "text": "None of these…",
            "about": "Your answer lets nothing run. <https://evil.example|Ok>",
        },
        {"id": "5", "text": "\u200bYes\u200b"},
    ],
    "why": "ambiguous",
}
_RIGHT_TO_LEFT = {
    "question": "إلى أي حساب نرسل 120 EUR، חשבון 7 או 9?",
    "options": [
        {"id": "seven", "text": "חשבון 7", "about": "של דנה כהן"},
        {"id": "nine", "text": "الحساب 9", "about": "لعمر حداد"},
    ],
    "why": "ambiguous",
}


def _asked(**fields: Any) -> dict[str, Any]:
    verdict = {"reversibility": "reversible", "reversibility_from": "policy", "risk": "low"}
    return {"action": ACTION, "kind": QUESTION, "verdict": verdict, **fields}


def _answered(answer: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return _asked(**ended("answered", decision=decided("answer", answer=answer), **fields))


QUESTIONS: Mapping[str, Case] = {
    "options": (_WHICH, _asked()),
    "options-described": (_PLAN, _asked(reason="The ticket says: make room on staging.", run="nightly")),
    "conflict": (_CONFLICT, _asked()),
    "failed": (_FAILED, _asked()),
    "ten-options": (_TEN, _asked()),
    "several": (_SEVERAL, _asked()),
    "date": (_DATE, _asked()),
    "hostile": (_HOSTILE, _asked()),
    "right-to-left": (_RIGHT_TO_LEFT, _asked()),
    "handed": (_WHICH, _asked(handed_to="U0BEN", handed_by="U0ANA", revision=2)),
    "nobody-waits": (_WHICH, _asked(left_at=BEGAN + 20 * SECOND)),
    "answered": (_WHICH, _answered({"choice": ["a"]})),
    "answered-several": (_SEVERAL, _answered({"choice": ["board", "press"]})),
    "answered-in-words": (
        _CONFLICT,
        _answered({"text": "Neither: she has moved to Köln.\nAsk her for the *street*."}),
    ),
    "answered-by-date": (_DATE, _answered({"date": "2027-03-31"})),
    "answered-none-of-these": (_WHICH, _answered({"none": True, "text": "Amelie Smyth, in Basel"})),
    "answered-you-decide": (_PLAN, _answered({"default": True, "choice": ["stop"]})),
    "expired": (_WHICH, _asked(**ended("expired", ended_at=BEGAN + 3600 * SECOND))),
    "withdrawn": (_WHICH, _asked(**ended("cancelled", reason="the customer has told it by now"))),
    "blocked": (_WHICH, _asked(**ended("blocked", reason="This agent asks no questions.", shown_at=None))),
    "ended-by-a-restore": (_WHICH, _asked(**ended("expired", restored=True))),
}
