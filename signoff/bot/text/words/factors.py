"""What is said of second factors: on cards and in forms, and to whoever has none."""

from __future__ import annotations

from signoff.bot.text.text import Trusted, date, is_id, mention

CODE_LABEL = "Code of your authenticator app"
CODE_HINT = "Six digits. Each code counts once, and for this alone."
SESSION_HINT = "Six digits. For some minutes you are not asked for another one, but for what is final."
CODE_MISSING = "Type the six digits that your authenticator app shows for Signoff now."
CODE_USED = "This code was used already: wait for the next one."
UNREAD = "Signoff cannot read your second factor: its key is not here. Tell whoever runs Signoff."
TITLE = "Second factor"
BATCH_TITLE = "A code for all"
BATCH_SUBMIT = "Approve all"
FIRST_LABEL = "One-time code"
FIRST_HINT = "Whoever runs Signoff, or another admin, gives it to you: by phone or in person, not in Slack."
OLD_LABEL = "Code of a factor that you have"
NEW_LABEL = "The first code that it shows"
NEXT = "Next"
DONE = "Done"
WHERE = "Type this secret into your authenticator app (account Signoff, time based). It is shown this once."
NOT_INVITED = "Nobody has invited you with this code, or it was used, or it is older than a day."
NOT_TAKEN = "That took too long, or was begun anew: close this, and begin once more."
NONE_YET = "You have no second factor."
ADMINS_ALONE = Trusted("Only admins invite others, and nobody invites themselves.")
INVITE_WHOM = Trusted("Say whom: `/approvals factor invite @ana`.")


def typed_label(field: str) -> str:
    """Above the input for a value that is typed; the field as the policy names it, never its value."""
    return f"Type the value of {field.removeprefix('payload.')} to confirm"


TYPED_HINT = "As it stands above. Capitals and spaces make no difference."
TYPED_WRONG = "That is another value than the one above: look again at what will run."
TYPED_MISSING = "Type the value that stands above."


def wrong_code(left: int) -> str:
    """At the field of a code that is none of now."""
    more = "one more" if left == 1 else f"{left} more"
    return f"That is none of your codes of now. After {more} wrong ones none is taken for an hour."


def wants(code: bool, fields: tuple[str, ...]) -> str:
    """On a card: what whoever approves is asked for beside."""
    asked = ["a code of an authenticator app"] if code else []
    asked += [f"the value of {field.removeprefix('payload.')}, typed" for field in fields]
    return f"To approve it takes {' and '.join(asked)}."


def with_factor(factor: str) -> str:
    """After who approved; empty where nothing was asked for beside."""
    return {"totp": " with a code", "totp session": " with a code given shortly before"}.get(factor, "")


def no_factor(from_: int, restored: bool) -> Trusted:
    """To who wants to approve, and has no second factor that counts."""
    if restored:
        return Trusted(
            "Signoff was restored from a backup, and cannot know whether your second factor still is yours. "
            "Whoever runs it says so with `signoff factor affirm`."
        )
    if from_:
        return Trusted(f"Your second factor rests until {date(from_)}: from then on its codes count.")
    return Trusted(
        "This takes a code of an authenticator app, and you have enrolled none. Ask whoever runs Signoff for "
        "a one-time code (`signoff factor invite`), then enter it with `/approvals factor`."
    )


def locked(until: int) -> Trusted:
    """Too many codes were wrong."""
    return Trusted(f"Too many codes were wrong: none is taken until {date(until, 'time')}.")


LOCKED = "Too many codes were wrong: none is taken for an hour. The admins were told."
BY_NOW = Trusted("The policy wants more of who approves by now: see below.")
ASKED = Trusted("This takes a code of your authenticator app, or a value typed: open it with Review…")


def yours(name: str, from_: int, counts: bool, in_force: bool) -> Trusted:
    """A line of somebody's factors."""
    state = "counts" if counts else f"rests until {date(from_)}" if in_force else "waits for the operator"
    return Trusted(f"• authenticator app {name}: {state}")


def enrolled(from_: int) -> Trusted:
    """After the first code."""
    return Trusted(
        f"It is enrolled. It rests, and counts from {date(from_)} on: you and the admins are told."
    )


def invited(user_id: str, code: str) -> Trusted:
    """To the admin who has invited somebody."""
    return Trusted(
        f"{mention(user_id)} enters this one-time code within a day, with `/approvals factor`: `{code}`\n"
        "Give it to them by phone or in person: whoever has their Slack account reads what you write here."
    )


_NEWS = {
    "invited": "may enrol a second factor, with a one-time code",
    "enrolled": "has enrolled a second factor: it counts in 24 hours",
    "removed": "has one second factor less: it counts for nothing from now on",
    "affirmed": "goes on with the second factor from before a restore",
    "locked": "has typed too many wrong codes: none is taken for an hour",
}


def news(what: str, user_id: str, by: str, *, to_them: bool) -> Trusted:
    """What somebody, or the admins, are told of a factor."""
    who = mention(by) if is_id(by) else "the operator"
    said = f"{mention(user_id)} {_NEWS.get(what, 'has another second factor')}."
    said += "" if what == "locked" or by == user_id else f" That was {who}."
    return Trusted(f"{said} If that was not you, tell an admin now." if to_them else said)
