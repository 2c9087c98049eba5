"""Shapes of tools that write to people: messages, mails, invitations, issues; pure."""

from __future__ import annotations

from collections.abc import Mapping

from signoff.bot.gallery.cards import sure
from signoff.bot.gallery.schemas import flag, free, many, part, text, tool
from signoff.bot.gallery.shape import Shape, done, edited, rejected

_HTML = (
    "<p>Dear Mr Okoye,</p><p>your invoice 8790 is ready: "
    '<a href="https://billing.acme.example/invoices/8790">look at it and pay</a>.</p>'
    "<p>Kind regards<br>Acme Billing</p>"
)
_EVENT = {
    "calendarId": "primary",
    "summary": "Renewal: Acme and Nordwerk",
    "start": {"dateTime": "2026-12-03T10:00:00+01:00", "timeZone": "Europe/Berlin"},
    "end": {"dateTime": "2026-12-03T10:45:00+01:00", "timeZone": "Europe/Berlin"},
    "attendees": [{"email": "m.lund@nordwerk.example"}, {"email": "ben@acme.example", "optional": True}],
    "sendUpdates": "all",
}
_MOMENT = part("dateTime", dateTime=text("RFC 3339"), timeZone=text())

LETTERS: Mapping[str, Shape] = {
    "slack-message": Shape(
        "A message is posted to a conversation.",
        "the conversation, and the whole text",
        "slack.post_message",
        {
            "channel_id": "C04STATUS",
            "text": "Planned maintenance tonight, 22:00 to 22:30 CET.\n"
            "The shop is read-only during that time.",
        },
        tool(
            "channel_id text",
            channel_id=text("The ID of the channel to post to"),
            text=text("The message text to post"),
            thread_ts=text("The timestamp of the parent message"),
            reply_broadcast=flag(default=False),
        ),
        "Change 322 announces its window.",
        sure("costly", "low"),
        done(),
    ),
    "mail": Shape(
        "A mail goes out, as HTML, with copies.",
        "to, cc and bcc, an address a line; where its links go",
        "gmail.send_email",
        {
            "to": ["c.okoye@lagos-trade.example"],
            "cc": ["sales@acme.example"],
            "bcc": ["archive@acme.example", "audit@books.example"],
            "subject": "Your invoice 8790",
            "htmlBody": _HTML,
            "mimeType": "text/html",
        },
        tool(
            "to subject",
            to=many(text(), "List of recipient email addresses"),
            subject=text("Email subject"),
            body=text("Email body content"),
            htmlBody=text("HTML version of the email body"),
            mimeType=text(enum=["text/plain", "text/html", "multipart/alternative"], default="text/plain"),
            cc=many(text(), "List of CC recipients"),
            bcc=many(text(), "List of BCC recipients"),
            threadId=text("Thread ID to reply to"),
            inReplyTo=text("Message ID being replied to"),
            attachments=many(text(), "List of file paths to attach to the email"),
        ),
        "Mr Okoye asked for the link.",
        sure("irreversible"),
        rejected("audit@books.example left us in May."),
        agent="billing-bot",
        summed_up="htmlBody",
    ),
    "calendar-event": Shape(
        "A meeting is put into a calendar, and its guests are told.",
        "when, in the reader's own time; each guest; who is told",
        "google_calendar.create_event",
        _EVENT,
        tool(
            "calendarId summary start end",
            calendarId=text("ID of the calendar (use 'primary' for the main calendar)"),
            summary=text("Title of the event"),
            description=text(),
            start=_MOMENT,
            end=_MOMENT,
            attendees=many(part("email", email=text(format="email"), optional=flag(default=False))),
            location=text(),
            sendUpdates=text(enum=["all", "externalOnly", "none"], default="none"),
            guestsCanModify=flag(default=False),
        ),
        "Ms Lund asked for the first week of December.",
        sure("costly", "low"),
        edited({**_EVENT, "sendUpdates": "none"}, "I call her first."),
        agent="sales-bot",
    ),
    "sms": Shape(
        "Text messages in Arabic, Hindi and Japanese.",
        "each number with its text, in its own direction",
        "twilio.send_messages",
        {
            "from": "AcmeCare",
            "messages": [
                {"to": "+971501234567", "body": "موعد الفني غدًا بين الساعة 8 و10 صباحًا."},
                {"to": "+919812345678", "body": "तकनीशियन कल सुबह 8 से 10 बजे के बीच आएगा।"},
                {"to": "+819012345678", "body": "技術者は明日の午前8時から10時の間に伺います。"},
            ],
        },
        tool(
            "from messages",
            **{"from": text("A Twilio phone number or alphanumeric sender ID")},
            messages=many(part("to body", to=text("E.164"), body=text(maxLength=1600))),
            statusCallback=text(format="uri"),
        ),
        "Tomorrow's appointments, texts from the approved templates.",
        sure("irreversible", "low"),
        done("3 queued"),
        agent="care-bot",
    ),
    "jira-issue": Shape(
        "An issue is made in Jira.",
        "project, type, and what it says",
        "jira.create_issue",
        {
            "project_key": "SHOP",
            "summary": "Basket shows no delivery date for parcels to islands",
            "issue_type": "Bug",
            "assignee": "ben@acme.example",
            "description": "Seen with post codes 27498 and 25849.\n\nThe carrier answers with an empty list.",
            "components": "basket,delivery",
            "additional_fields": {"priority": {"name": "High"}, "labels": ["customer", "delivery"]},
        },
        tool(
            "project_key summary issue_type",
            project_key=text("The JIRA project key (e.g. 'PROJ', 'DEV')", pattern="^[A-Z][A-Z0-9_]+$"),
            summary=text("Summary/title of the issue"),
            issue_type=text("Issue type (e.g. 'Task', 'Bug', 'Story', 'Epic')"),
            assignee=text(default=None),
            description=text(),
            components=text("(Optional) Comma-separated list of component names"),
            additional_fields=free("(Optional) Dictionary of additional fields to set"),
        ),
        "Three customers wrote about it this week.",
        sure("reversible", "low"),
        done("SHOP-1207"),
        agent="care-bot",
    ),
}
