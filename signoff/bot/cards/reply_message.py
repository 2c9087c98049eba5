"""What is said in a card's thread → a message: our sentence, and below it what somebody wrote; pure."""

from __future__ import annotations

from signoff.bot.cards.card import Message
from signoff.bot.text.quotes import isolated
from signoff.bot.text.size import TEXT_BYTES, shortened
from signoff.bot.text.spoken import heard
from signoff.bot.text.text import Block, Trusted, literal, pieces, rich, visible
from signoff.bot.text.views import says
from signoff.bot.text.words.card_replies import Spoken

EVENT = "signoff_reply"
PIECE = 2800
"""Characters of one block of quoted text. Slack: some 3,000."""


def reply_message(said: Spoken, reply_id: int) -> Message:
    """`reply_id` is of its row: by it the message is known again."""
    blocks: list[Block] = [says(said.sentence, f"reply:{reply_id}")]
    heard_of = [said.sentence]
    for number, quote in enumerate(said.quotes):
        shown = visible(quote, keep="\n")
        for at, part in enumerate(pieces(shown, PIECE)):
            block = {"type": "rich_text_quote", "elements": [literal(isolated(part))]}
            blocks.append(rich(f"quote:{reply_id}:{number}:{at}", block))
        heard_of += [Trusted(f"| {heard(isolated(one))}") for one in shown.split("\n")]
    text = Trusted(shortened("\n".join(heard_of).replace("*", ""), TEXT_BYTES))
    return Message(text, blocks, {"event_type": EVENT, "event_payload": {"reply": reply_id}})
