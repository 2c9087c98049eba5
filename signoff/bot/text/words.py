"""Every text that a reviewer reads, in one file, so that it can be read in one go and translated.

A function that returns `Trusted` gives mrkdwn: it takes ids, times and numbers, never names, reasons or
anything else that somebody wrote. The rest is plain text. Times are microseconds since 1970; a card shows
them in the reader's own zone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from signoff.bot.text.text import Trusted, date, escape, is_id, mention, sentence, visible
from signoff.models.approval import Approval
from signoff.models.people import MEMBERS

# Buttons, menus and titles. Slack: a title or a submit holds 24 characters, an option 75.
APPROVE = "Approve"
REJECT = "Reject"
REJECT_MORE = "Reject…"
EDIT_MORE = "Edit…"
REVIEW_MORE = "Review…"
NOTE_MORE = "Approve with note…"
DETAILS_MORE = "Details…"
APPROVE_CHANGES = "Approve these changes"
CLOSE = "Close"
CANCEL = "Cancel"
BACK = "Back"
NEXT = "Next"
SHOW_CHANGES = "Show changes"
CHECKING = "Checking…"
DETAILS = "Details"
NOT_POSSIBLE = "Not possible"
YES = "Yes"
EMPTY_CHOICE = "null (nothing)"

# Headings.
AGENT_SAYS = "The agent says"
CHANGED = "Changed by the approver"
ABSENT = "(not given)"
NOTE = "Note"
REASON = "Reason"
WITH_CHANGES = "Approve with these changes?"
AS_A_WHOLE = "What will run, as a whole"
EMPTY_PAYLOAD = "No arguments: the action runs as it is."
CLAIM_LABELS = {"impact": "Touches", "undo": "To undo", "alternatives": "Instead", "context": "Context"}

# Forms.
NOTE_LABEL = "Note to the agent and the record"
REJECT_LABEL = "Which is it?"
REJECT_FINAL = "Don't do this"
REJECT_CHANGES = "Come back with changes"
REASON_LABEL = "Why, or what to change"
REASON_HINT = "The agent reads this, and it is kept with the decision."
REASON_MISSING = "Say in a few words why, or what to change."
REASON_TOO_LONG = "At most 3,000 characters."
NOTHING_CHANGED = "Nothing has changed. Change a field, or close this form."
NOT_EDITABLE = "not open to changes"
TOO_LONG_TO_EDIT = "too long to change here; it stays as it is"
BYTES_STAY = "a file or other bytes; it stays as it is"
CHANGES_TOO_LARGE = (
    "These changes are too long to approve together. Change less, or reject the request and ask the agent "
    "to come back with changes."
)
AS_JSON = "Written as JSON."
ONE_A_LINE = "One a line."
NOT_A_MOMENT = "Choose a date and a time."
YOUR_ZONE = "Shown and chosen in your own time zone."
LEAVE_OUT = "Leave all of this out"
MAKE_NULL = "Set all of this to null (nothing)"
PICK = "Type to search"
FIELDS_LEFT = "There are more fields than a form takes: the others stay as they are."
DRAFT_TOO_LARGE = "That is more than one form can keep. Change less, or reject and ask for changes."
NOT_USED = "What you had typed was not used:"
WHAT_CHANGED = "What changed:"
UNCHANGED_REST = "All else runs as the card shows it."

CODE_FORMATS = {"diff": "a diff", "sql": "SQL", "markdown": "Markdown", "code": "code"}
"""Formats of a schema's texts that are shown as code, and what to call them."""


def code_mark(form: str) -> str:
    """After the name of a text shown as code: whose word that is."""
    return f"(the agent calls it {CODE_FORMATS[form]})"


def agent_title(title: str) -> str:
    """A field's title, which is the agent's; `title` is visible text."""
    return f"The agent calls it “{title}”."


def at_line(number: int, fault: str) -> str:
    """What is wrong with one line of a list."""
    return f"Line {number}: {fault}"


def fields_of(first: int, last: int, count: int) -> str:
    """Which fields a page of a form holds, counted from 1."""
    return f"Fields {first:,} to {last:,} of {count:,}. What you type on one page is kept on the next."


def unchanged_lines(count: int) -> str:
    """Between the changed lines of a long text."""
    return f"… {count:,} line{'' if count == 1 else 's'} unchanged"


ESCAPES_HINT = "Characters that cannot be seen are written as \\u{202e}; leave them, or delete them."
CHECKING_TEXT = "One moment: Signoff is checking whether you may decide this."


def agent_hint(description: str) -> str:
    """A field's description, which is the agent's; `description` is visible text."""
    return f"The agent describes it so: {description}"


def tell(agent: str) -> str:
    """The heading of the form that rejects."""
    return f"Tell {agent}"


# The card.
_RISK_FROM = {"policy": "policy", "agent": "the agent says so", "nobody": "no policy rates this action"}


def asks(agent: str, approvers: Sequence[str], ends: int) -> Trusted:
    """The line under the header while somebody may decide. It stands for hours: so no time that is left."""
    return Trusted(f"{agent} asks {audience(approvers)} · {until(ends)}")


def asked(agent: str, at: int) -> Trusted:
    """The same line afterwards: it mentions nobody again."""
    return Trusted(f"{agent} asked · {date(at)}")


def audience(approvers: Sequence[str], most: int = 20) -> Trusted:
    """Who may decide, as mentions."""
    named = [mention(approver) for approver in approvers if is_id(approver)]
    if MEMBERS in approvers:
        named.append(Trusted("any member of this workspace"))
    if not named:
        return Trusted("its approvers")
    more = f" and {len(named) - most} more" if len(named) > most else ""
    return Trusted(", ".join(named[:most]) + more)


def undoable(reversibility: str, source: str) -> str:
    """Whether it can be undone, and who says so."""
    if source == "nobody":
        return "Nobody said whether it can be undone: treat as final"
    word = {"reversible": "Can be undone", "costly": "Costly to undo"}.get(reversibility, "Cannot be undone")
    return f"{word} (the agent says so)" if source == "agent" else word


def stakes(reversibility: str, reversibility_from: str, risk: str, risk_from: str) -> Trusted:
    """What Signoff knows of reversibility and risk, and from where."""
    undo = undoable(reversibility, reversibility_from)
    return Trusted(f"*{undo}* · {risk} risk ({_RISK_FROM.get(risk_from, risk_from)})")


def misleading(hides: bool, mixed: bool) -> str:
    """The line above the buttons where text could mislead."""
    lines = []
    if hides:
        lines.append("Contains characters that can mislead: shown as \\u{202e}.")
    if mixed:
        lines.append("Contains words that mix alphabets, so that letters can pass for others.")
    return " ".join(lines)


def folded(lines: int, size: int) -> str:
    """What of a payload is not on the card; `size` in bytes."""
    rest = f"… {lines:,} more line{'' if lines == 1 else 's'} ({kilobytes(size)})"
    return f"{rest}. {REVIEW_MORE} shows everything."


BYTES_FOLDED = f"The file stands here by its digest. {REVIEW_MORE} shows its bytes before you approve."


def folded_after(lines: int, size: int) -> str:
    """The same once it is decided."""
    return f"… {lines:,} more line{'' if lines == 1 else 's'} ({kilobytes(size)})."


def more_claims() -> str:
    """Where the rest of the agent's words stands."""
    return f"… more in {DETAILS_MORE}"


FILE_KINDS = {
    b"\x89PNG\r\n\x1a\n": "PNG image",
    b"\xff\xd8\xff": "JPEG image",
    b"GIF8": "GIF image",
    b"%PDF-": "PDF",
    b"PK\x03\x04": "ZIP archive",
    b"\x1f\x8b": "gzip archive",
}
TEXT_FILE = "Text"
BYTES = "Bytes"


def octets(kind: str, size: int, sha256: str) -> str:
    """Bytes in a payload: their type, size and digest."""
    return f"{kind}, {size:,} byte{'' if size == 1 else 's'}, SHA-256 {sha256}"


def confirm_title(action: str) -> str:
    """Above the question that Approve asks."""
    return f"Approve {action}?"


def confirm_text(reversibility: str, source: str, action: str, arguments: str) -> str:
    """The question that Approve asks; `arguments` is visible text such as `amount 120, customer cus_42`."""
    if source == "nobody":
        first = "Nobody said whether this can be undone."
    else:
        first = "This is costly to undo." if reversibility == "costly" else "This cannot be undone."
    return f"{first} Run {action}{f' with {arguments}' if arguments else ''}?"


# The notification and what screen readers read: they get nothing else of a card.
_PLAIN_ACTION = re.compile(r"[A-Za-z0-9.-]+(?:_[A-Za-z0-9.-]+)*")


def action_name(action: str) -> Trusted:
    """An action in mrkdwn: its charset has no markup, and in code `@`, `:` and `/` do nothing either."""
    return Trusted(action if _PLAIN_ACTION.fullmatch(action) else f"`{action}`")


def named(action: str, headline: str) -> Trusted:
    """What a request is called: the policy's headline (visible text), else its action."""
    return sentence(headline) if headline else action_name(action)


def notification(agent: str, what: Trusted, ends: int, now: int | None, stakes_line: str) -> Trusted:
    """The top-level text of a card that waits: its first line decides whether a phone is unlocked."""
    first = f"{agent} asks: {what} · {until(ends, now)}"
    return Trusted(f"{first}\n{stakes_line.replace('*', '')}. Open the message to see it and to decide.")


def notification_after(agent: str, what: Trusted, *state: Trusted) -> Trusted:
    """The top-level text of a card that waits no more."""
    return Trusted("\n".join([f"{agent} asked: {what}", *state]))


def let_through(agent: str, at: int) -> Trusted:
    """On the card of what the policy lets run and has reported."""
    return Trusted(f"{agent} · ran without asking, as the policy lets it · {date(at)}")


def notification_report(agent: str, what: Trusted, outcome: Trusted | None) -> Trusted:
    """The top-level text of that card."""
    return Trusted("\n".join([f"{agent} ran without asking: {what}", *([outcome] if outcome else [])]))


# States.
def decided(answer: str, by_id: str, at: int, after: int | None) -> Trusted:
    """Approved, rejected or sent back: who, when, and after how long (microseconds)."""
    by = f" by {mention(by_id)}" if is_id(by_id) else ""
    took = f", after {duration(after)}" if after is not None else ""
    ran = "" if answer in (APPROVED, APPROVED_BY_POLICY) else ". Nothing ran."
    return Trusted(f"*{answer}*{by} · {date(at)}{took}{ran}")


APPROVED = "Approved"
REJECTED = "Rejected"
SENT_BACK = "Sent back"
RUNNING = Trusted("Running…")
APPROVED_BY_POLICY = "Approved by policy"


def expired(at: int) -> Trusted:
    """A timeout is never told to anyone as a rejection."""
    return Trusted(f"*Nobody answered by {date(at)}.* The agent was told so. Nothing ran.")


def restored(at: int) -> Trusted:
    """Ended by a restore: whether somebody had answered after the backup, nobody can tell any more."""
    return Trusted(
        f"*Ended when Signoff was restored from a backup · {date(at)}.* The agent was told to ask again. "
        "What was decided here since that backup is not known."
    )


def withdrawn(at: int) -> Trusted:
    """Cancelled by its agent."""
    return Trusted(f"*Withdrawn by the agent* · {date(at)}. Nothing ran.")


def blocked(action: str) -> Trusted:
    """Refused by a rule, without asking anyone."""
    return Trusted(f"*Blocked by policy:* {action_name(action)}. Nothing ran.")


def outcome(succeeded: bool, at: int | None, by_id: str = "") -> Trusted:
    """What became of it, as its agent reports; a failure mentions who approved."""
    when = f" · {date(at)}" if at is not None else ""
    who = f" · {mention(by_id)}, please have a look" if not succeeded and is_id(by_id) else ""
    return Trusted(f"*{'Done' if succeeded else 'Failed'}*{when}{who}")


# The log.
def log_received(agent: str, at: int) -> Trusted:
    """The request arrived."""
    return Trusted(f"{date(at)} · Received from {agent}")


def log_shown(at: int) -> Trusted:
    """A card first showed it."""
    return Trusted(f"{date(at)} · Shown here")


def log_edited(at: int, by_id: str, fields: int) -> Trusted:
    """An approver changed the payload."""
    by = f" by {mention(by_id)}" if is_id(by_id) else ""
    what = "nothing" if not fields else "1 value" if fields == 1 else f"{fields:,} values"
    return Trusted(f"{date(at)} · Edited{by}: {what} changed")


# The first message of a run's thread.
def thread_title(agent: str) -> str:
    """Its header; it stays the same, so that people find the thread again."""
    return f"Requests of {agent}, one run"


def run_named(run: str) -> str:
    """What the agent calls its run; `run` is visible text."""
    return f"The agent calls this run “{run}”."


def thread_begins(agent: str) -> Trusted:
    """The top-level text as it is posted."""
    return Trusted(f"{agent} begins a run: each of its requests stands in this thread.")


def thread_for(approvers: Sequence[str]) -> Trusted:
    """Who may decide, as it is posted: that is what notifies them."""
    return Trusted(f"{audience(approvers)}: each request stands in this thread, with its buttons.")


def thread_tally(waiting: int, decided: int, undecided: int) -> Trusted:
    """How many requests of a run wait and are decided; `undecided` ended without anybody's decision."""
    waits = "Nothing waits" if not waiting else "1 waits" if waiting == 1 else f"{waiting:,} wait"
    ended = f" · {undecided:,} ended without a decision" if undecided else ""
    return Trusted(f"*{waits}* · {decided:,} decided{ended}")


def thread_waits(told: Trusted, approvers: Sequence[str]) -> Trusted:
    """The tally and who may decide, while something waits."""
    return Trusted(f"{told}\n{audience(approvers)}: open the thread to decide.")


def thread_text(agent: str, told: Trusted) -> Trusted:
    """The top-level text as it is edited."""
    return Trusted(f"Requests of {agent}, one run: {told.replace('*', '')}.")


# For admins, when Slack refuses a card.
_MARKUP = re.compile(r"[^A-Za-z0-9 .,:;/_()'-]")


def admin_cannot_show(approval: Approval, code: str, detail: str) -> Trusted:
    """To an admin: which request nobody can see, and what Slack says; without what could be markup in it.

    Other requests may meet the same fault: nobody is told of it again.
    """
    what = f"{approval.agent} asks: {action_name(approval.action)}, but Slack refuses to show its card."
    said = _MARKUP.sub("", detail or code)[:500].strip()
    why = f" Slack says: {said}{'' if said.endswith('.') else '.'}" if said else ""
    if not approval.pending:
        return Trusted(f"{what}{why} It is {approval.status}, and stays so; its card shows that once it can.")
    return Trusted(
        f"{what}{why} Until this is mended nobody can decide it; it ends {date(approval.expires_at)}. "
        "The same goes for others that meet this fault."
    )


def admin_bad_policy(faults: Sequence[str]) -> Trusted:
    """To an admin: the policy's file was changed and cannot be used. `faults` name files, lines and rules."""
    found = [escape(visible(fault)).replace("`", "'") for fault in faults[:10]]
    shown = "\n".join(f"• `{fault}`" for fault in found)  # as code, where `*` and `:12:` are themselves
    more = f"\n… and {len(faults) - 10:,} more." if len(faults) > 10 else ""
    return Trusted(
        f"The policy file cannot be used, so the policy from before stays in force. Mend it:\n{shown}{more}"
    )


def too_much(agent: str, kind: str, most: int, until_: int) -> Trusted:
    """To a channel, once in a while: an agent is over a limit of the policy's."""
    if kind == "pending":
        waits = "One of its requests waits" if most == 1 else f"{most:,} of its requests wait"
        return Trusted(
            f"*{agent} asks for too much.* {waits} for a decision, as many as the policy lets wait: more are "
            "refused until one is decided."
        )
    often = "once" if most == 1 else f"{most:,} times"
    return Trusted(
        f"*{agent} asks for too much.* It may ask {often} in any hour, and has: more are refused until "
        f"{date(until_, 'time')}."
    )


# Durations and sizes.
_UNITS = ((86_400, "day", "days"), (3_600, "h", "h"), (60, "min", "min"), (1, "s", "s"))


def duration(microseconds: int) -> str:
    """A span of time in at most two units: `38 s`, `2 h 5 min`, `1 day`."""
    left, parts = max(microseconds // 1_000_000, 0), []
    for seconds, one, many in _UNITS:
        count, left = divmod(left, seconds)
        if count:
            parts.append(f"{count} {one if count == 1 else many}")
        elif parts:
            break
    return " ".join(parts[:2]) or "less than 1 s"


def until(ends: int, now: int | None = None) -> Trusted:
    """When a request's time ends; and in how long, where it is read at once, at `now`."""
    if now is None or now >= ends:
        return Trusted(f"until {date(ends)}")
    return Trusted(f"expires in {remaining(ends - now)} ({date(ends)})")


def remaining(microseconds: int) -> str:
    """A span of time that is left, to the nearest unit: `25 minutes`, `24 hours`, `3 days`."""
    seconds = microseconds / 1_000_000
    for size, unit, most in ((1, "second", 90), (60, "minute", 90), (3_600, "hour", 48)):
        count = round(seconds / size)
        if count < most:
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{round(seconds / 86_400)} days"


def kilobytes(size: int) -> str:
    """A size in bytes, as people read it."""
    return f"{size:,} bytes" if size < 1_000 else f"{max(round(size / 1_000), 1):,} KB"


# Forms that approve.
def runs_with(size: int) -> str:
    """Over the whole payload in the form that shows a difference."""
    return f"{AS_A_WHOLE} ({kilobytes(size)}):"


def page_of(page: int, pages: int) -> str:
    """Which page this is, counted from 1."""
    return f"Page {page} of {pages}"


def continued(of: int) -> str:
    """Over a page that goes on with what the one before began."""
    return f"… continued from page {of}"


def final(reversibility: str, source: str, action: str) -> str:
    """Over the submit of a form that approves: a submit cannot ask to confirm."""
    if reversibility == "reversible":
        return f"{APPROVE} runs {action} with exactly this."
    first = {"nobody": "Nobody said whether this can be undone."}.get(source)
    first = first or ("This is costly to undo." if reversibility == "costly" else "This cannot be undone.")
    return f"{first} {APPROVE} runs {action} with exactly this."


def read_on() -> str:
    """On a page that is not the last."""
    return f"{APPROVE} stands on the last page."


def digest_line(sha256: str) -> str:
    """Names what runs; the receipt carries the same."""
    return f"SHA-256 {sha256}"


def only_decided(status: str) -> str:
    """On the last page of something that waits no more."""
    return f"This is {status} already: there is nothing left to decide."


# Details.
DETAIL_LABELS = {
    "id": "Approval",
    "request": "Request",
    "digest": "Payload, SHA-256",
    "sent": "As sent, SHA-256",
    "version": "Payload version",
    "policy": "Policy's digest",
    "rule": "Policy's rule",
    "why": "Policy says",
    "risk": "Risk, claimed",
    "reversibility": "Reversibility, claimed",
    "tags": "Tags",
    "cost": "Cost, claimed",
    "confidence": "Confidence, claimed",
    "attempts": "Attempts so far",
    "run": "Run",
    "key": "Key",
}
NOT_SAID = "not said"
TRUNCATED = "The rest does not fit here."


# Lists and help.
LIST_TITLES = {"pending": "Waiting for you", "mine": "Decided by you", "history": "History"}
HOME_TITLES = {"pending": "Waiting for you", "mine": "Decided by you", "owned": "Asked by your agents"}
SEE_ALL = "See all…"
SEE_HISTORY = "History…"
NOTHING_WAITS = Trusted("Nothing waits for you.")
NOTHING_DECIDED = Trusted("You have decided nothing yet.")
NOTHING_HAPPENED = Trusted("There is no request yet.")
NOTHING_FOUND = Trusted(
    "There is none of that agent or action. Write it as on the card: */approvals history refund.create*."
)
HOME_HELP = Trusted("*Review…* shows everything that will run. */approvals help* says what else there is.")


def heading(kind: str, count: int, page: int, pages: int, about: str = "") -> str:
    """Over a page of a list; `count` is of all pages of what waits, else of this page."""
    place = f" · {page_of(page, pages).lower()}" if pages > 1 else f" · page {page}" if page > 1 else ""
    what = f" of {about}" if about else ""
    requests = f"{count:,} request{'' if count == 1 else 's'}{what}"
    if kind == "pending":
        wait = "waits" if count == 1 else "wait"
        return f"{requests} {wait} for you, oldest first{place}"
    return f"{requests}, newest first{place}"


def nothing(kind: str, about: str) -> Trusted:
    """In place of an empty list."""
    if kind == "pending":
        return Trusted("Nothing of that agent or action waits for you.") if about else NOTHING_WAITS
    if kind == "mine":
        return NOTHING_DECIDED
    return NOTHING_FOUND if about else NOTHING_HAPPENED


def and_more(count: int) -> str:
    """Under the first of a list; 0 where nobody counted the others."""
    if not count:
        return "There are more."
    return f"{count:,} more wait{'s' if count == 1 else ''} for you."


def listed(agent: str, ends: int, now: int | None, link: str) -> Trusted:
    """Under an action that waits; `link` is the card's address, checked, or empty."""
    return Trusted(f"{agent} asks · {until(ends, now)}{_opens(link)}")


def listed_after(agent: str, state: Trusted, link: str) -> Trusted:
    """Under an action that waits no more."""
    return Trusted(f"{agent} · {state}{_opens(link)}")


_ENDED = {"expired": "Nobody answered", "cancelled": "Withdrawn by the agent", "blocked": "Blocked by policy"}


def ended(status: str, at: int) -> Trusted:
    """What an undecided request has become, in a list."""
    return Trusted(f"*{_ENDED.get(status, APPROVED_BY_POLICY)}* · {date(at)}")


def by_policy(why: str, reason: str) -> str:
    """Under a request that nobody was asked about: what of the policy decided, and what it says of it."""
    return f"Policy: {why}. {reason}".strip()


def _opens(link: str) -> str:
    return f" · <{link}|open the card>" if link else ""


HELP = Trusted(
    "*/approvals* or */approvals pending* lists what you may decide, oldest first. *Review…* shows "
    "everything that will run, and its last page approves.\n"
    "*/approvals mine* lists what you decided, newest first.\n"
    "*/approvals show ID* shows one request; the first 8 characters of its id are enough.\n"
    "*/approvals history* lists every request, newest first; for approvers, an agent's owner and admins.\n"
    "After *pending* and *history* you may name an agent or an action.\n"
    "*/approvals help* shows this.\n"
    "In a card's thread: *@signoff pending*, *@signoff reject* and a reason, *@signoff help*. In the menu of "
    "any card's message: *Decide…*.\n"
    "On a card: *Approve* runs exactly what the card shows. *Reject…* asks for a reason and tells the agent. "
    "*Edit…* changes the request first and shows the difference before anything runs. A request that nobody "
    "answers runs nothing."
)
NOT_LOOKED_UP = Trusted("Signoff could not look that up. Try again in a moment.")
NOT_FOR_HISTORY = Trusted("Only approvers, an agent's owner and admins can see the history.")
NO_SUCH = Trusted("Signoff knows no such request. Its id stands in the card's menu, under *Details…*.")
NO_ID = Trusted(
    "Give a request's id, or at least its first 8 characters: */approvals show 0199c2a4*. It stands in the "
    "card's menu, under *Details…*."
)
AMBIGUOUS = Trusted("Several requests begin so. Give more of the id.")


def may_not_see(approvers: Sequence[str]) -> Trusted:
    """For a member who asks for a request that is none of theirs."""
    return Trusted(f"Only {audience(approvers)}, its agent's owner and admins can see this.")


# Said privately.
_DID = {"approved": "approved this", "rejected": "rejected this"}
_A_DAY = 86_400_000_000
_SPELLED = ((3_600, "hour"), (60, "minute"), (1, "second"))


def spelled(microseconds: int) -> str:
    """A span of time under a day as one says it: `3 seconds`, `1 minute`, `5 hours`."""
    left = max(microseconds // 1_000_000, 0)
    for seconds, unit in _SPELLED:
        if left >= seconds:
            count = left // seconds
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "less than a second"


def late_click(status: str, by_id: str, at: int, now: int) -> Trusted:
    """Somebody was faster; `status` is what the request has become, `at` when (0 where not known)."""
    when = f" at {date(at, 'time')}" if now - at < _A_DAY else f" on {date(at)}"
    when = when if at else ""
    if status in _DID:
        who = mention(by_id) if is_id(by_id) else "Somebody"
        ahead = f", {spelled(now - at)} before you" if at and 0 <= now - at < _A_DAY else ""
        return Trusted(f"{who} {_DID[status]}{when}{ahead}. Nothing else happened.")
    if status == "cancelled":
        return Trusted(f"The agent withdrew this{when}. Nothing ran.")
    if status == "expired":
        return time_ran_out(at)
    if status == "blocked":
        return Trusted("The policy blocks this. Nothing ran.")
    return Trusted("This does not wait any more. Nothing has changed.")


def not_an_approver(approvers: Sequence[str], changed: bool = False) -> Trusted:
    """For a member who is not on the list; it may have `changed` since the card named who is."""
    if not approvers:
        return Trusted(
            "Nobody can decide this any more: the policy no longer has the group that was asked. It ends by "
            "itself when its time is over; the agent can ask again."
        )
    if changed:
        return Trusted(
            f"Who may decide has changed since this was asked: now only {audience(approvers)} can."
        )
    return Trusted(f"Only {audience(approvers)} can decide this.")


def edit_needs(approvers: Sequence[str]) -> Trusted:
    """For an approver whose changes bring a request under another rule."""
    return Trusted(
        f"*With these changes only {audience(approvers)} can decide this.* Nothing has changed: change less, "
        "or reject it, and have the agent come back with changes."
    )


BLOCKED_NOW = Trusted("The policy blocks this now: it cannot be approved any more, only rejected.")


def blocked_value(reason: str) -> str:
    """At the one field that was changed, where the policy blocks the request with that; visible text."""
    return f"Blocked by policy: {reason}"


BLOCKED_EDIT = Trusted("The policy blocks the request with these changes. Nothing has changed.")
NOT_A_MEMBER = Trusted("Only members of this workspace can decide.")
NOT_RECORDED = Trusted("Signoff could not record that. Nothing has changed. Try again in a moment.")
UNKNOWN = Trusted(
    "Signoff does not know this request (any more, if it was restored from a backup made before it). "
    "Nothing has changed."
)
RESTORED = Trusted(
    "Signoff was restored from a backup, and this request ended with that. Nothing has changed; "
    "the agent was told to ask again."
)
LOST_CARD = Trusted(
    "*Signoff was restored from a backup made before this card.* Nothing runs from it any more. "
    "What was decided on it until then holds; else the agent was told to ask again."
)


def edited_kept(by_id: str = "") -> Trusted:
    """Above a form that opens again on what somebody else has changed."""
    who = mention(by_id) if is_id(by_id) else "Somebody"
    return Trusted(f"*{who} changed this while your form was open.* What you typed is kept below.")


def decided_with_changes(by_id: str, at: int) -> Trusted:
    """A form was open when somebody approved other changes; they stand below."""
    who = mention(by_id) if is_id(by_id) else "Somebody"
    when = f" at {date(at, 'time')}" if at else ""
    return Trusted(f"{who} approved this{when} with other changes. Nothing else happened.")


def edited_meanwhile(by_id: str = "") -> Trusted:
    """The payload is not the one that was shown; a button that opens it stands below."""
    who = mention(by_id) if is_id(by_id) else "Somebody"
    return Trusted(f"{who} changed this since you opened it. Nothing has run. Have another look:")


def time_ran_out(at: int) -> Trusted:
    """The request expired while the form was open."""
    when = f" at {date(at, 'time')}" if at else ""
    return Trusted(f"The time ran out{when}. Nothing ran; the agent can ask again.")


# Written in a card's thread, and the message shortcut.
DECIDE = "Decide…"
MENTION_HELP = Trusted(
    "In a card's thread:\n"
    "*@signoff pending* shows you what waits there.\n"
    "*@signoff reject* and your reason rejects the request; the agent reads the reason.\n"
    "*@signoff help* shows this.\n"
    "Approving by words is not possible: *Review…* shows everything that will run, and its last page "
    "approves. Only you see these answers. Signoff answers nothing else that people write."
)
NOT_BY_WORDS = Trusted(
    "*Approving by words is not possible*, because words do not show what will run. Nothing has changed. "
    "*Review…* shows everything, and its last page approves."
)
NO_REASON = Trusted(
    "Say why, so that the agent can do better: *@signoff reject wrong customer*. Nothing has changed."
)
REASON_TOO_LONG_HERE = Trusted("A reason has at most 3,000 characters. Nothing has changed.")
WHICH_ONE = Trusted("*Which request do you mean?* Nothing has changed. These wait for you in this thread:")
WAITS_HERE = Trusted("*Waiting for you in this thread:*")
NOTHING_WAITS_HERE = Trusted("Nothing in this thread waits for you.")
NOT_IN_A_THREAD = Trusted(
    "Write this in the thread of a card, as a reply to it. */approvals* lists what waits for you."
)
NOT_A_CARD = Trusted(
    "This message is no card. Use *Decide…* on the card of a request; */approvals* lists what waits for you."
)


def waits(agent: str, what: Trusted, ends: int, now: int, link: str) -> Trusted:
    """One request that waits, in a list of them."""
    return Trusted(f"{agent} asks: {what} · {until(ends, now)}{_opens(link)}")


def more_wait(count: int) -> Trusted:
    """After as many as one answer names."""
    return Trusted(f"{count:,} more: */approvals* lists all that waits for you.")


def rejected_by_words(agent: str, action: str) -> Trusted:
    """To who rejected it in a card's thread."""
    return Trusted(f"You rejected {action_name(action)}. {agent} is told so, with your reason. Nothing ran.")
