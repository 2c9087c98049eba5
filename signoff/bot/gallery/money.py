"""Shapes of tools that move money, or set prices and budgets; pure."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from signoff.bot.gallery.cards import sure
from signoff.bot.gallery.schemas import flag, free, many, part, text, tool, whole
from signoff.bot.gallery.shape import Shape, done, edited, rejected, sent_back

_REFUND = {
    "payment_intent": "pi_3QK7f2LkdIwHu7ix42",
    "amount": 12900,
    "currency": "eur",
    "reason": "duplicate",
    "metadata": {"ticket": "991"},
}
_PRICES = (
    ("41567283118", "LAMP-S", "39.90", "34.90"),
    ("41567283119", "LAMP-M", "59.90", "52.90"),
    ("41567283120", "LAMP-L", "89.90", "79.90"),
    ("41567283121", "SHADE-S", "19.90", "17.90"),
    ("41567283122", "SHADE-M", "24.90", "21.90"),
    ("41567283123", "SHADE-L", "29.90", "26.90"),
    ("41567283124", "BULB-E14", "6.90", "5.90"),
    ("41567283125", "BULB-E27", "7.90", "6.90"),
)
_PDF = base64.b64encode(b"%PDF-1.4\n" + b"1 0 obj\n<</Type/Catalog>>\nendobj\n" * 20 + b"%%EOF\n").decode()

MONEY: Mapping[str, Shape] = {
    "stripe-refund": Shape(
        "A charge is refunded; the amount is in cents.",
        "amount with its currency, and what its schema says of the unit",
        "stripe.create_refund",
        _REFUND,
        tool(
            "payment_intent",
            payment_intent=text("The ID of the PaymentIntent to refund."),
            amount=whole("The amount to refund in cents. If not provided, the full amount is refunded."),
            currency=text("Three-letter ISO currency code", minLength=3, maxLength=3),
            reason=text(enum=["duplicate", "fraudulent", "requested_by_customer"]),
            reverse_transfer=flag(default=False),
            metadata=free(additionalProperties={"type": "string"}),
        ),
        "Ticket 991: charged twice on 14 November.",
        sure("irreversible", "high", headline="Refund pi_3QK7f2LkdIwHu7ix42"),
        edited({**_REFUND, "amount": 11900}, "Less shipping, as agreed by phone.", "re_3QK7"),
        agent="billing-bot",
        claims={"impact": "one customer", "alternatives": ("leave it as credit",)},
    ),
    "paypal-payout": Shape(
        "Three people are paid; amounts are texts, as PayPal has them.",
        "each receiver with the amount",
        "paypal.create_payout",
        {
            "sender_batch_header": {"sender_batch_id": "2026-11-18-a", "email_subject": "Your fee"},
            "items": [
                {
                    "recipient_type": "EMAIL",
                    "receiver": receiver,
                    "amount": {"value": value, "currency": "EUR"},
                    "note": note,
                }
                for receiver, value, note in (
                    ("lina@studio.example", "450.00", "Portraits"),
                    ("omar@sound.example", "1200.00", "Film, sound"),
                    ("eva@text.example", "310.50", "Texts"),
                )
            ],
        },
        tool(
            "sender_batch_header items",
            sender_batch_header=part(sender_batch_id=text(), email_subject=text(), email_message=text()),
            items=many(
                part(
                    "receiver amount",
                    recipient_type=text(enum=["EMAIL", "PHONE", "PAYPAL_ID"]),
                    receiver=text(),
                    amount=part("value currency", value=text(), currency=text()),
                    note=text(maxLength=4000),
                )
            ),
        ),
        "Fees for the autumn film; the invoices are in the folder.",
        sure("irreversible", "high"),
        done("batch 5UXD2E8A7EBQJ"),
        agent="finance-bot",
    ),
    "ads-budget": Shape(
        "A campaign's budget is set, in micros of its currency.",
        "the number, and that it is in micros",
        "google_ads.update_budget",
        {
            "customer_id": "4471220913",
            "campaign_budget_id": "8112233",
            "amount_micros": 45000000,
            "delivery_method": "STANDARD",
        },
        tool(
            "customer_id campaign_budget_id amount_micros",
            customer_id=text("Ten digits, without dashes"),
            campaign_budget_id=text(),
            amount_micros=whole(
                "The daily budget in micros: one million is equivalent to one currency unit.", format="int64"
            ),
            delivery_method=text(enum=["STANDARD", "ACCELERATED"], default="STANDARD"),
            explicitly_shared=flag(default=False),
        ),
        "Winter campaign, 45 EUR a day as planned.",
        sure("costly", "medium"),
        done(),
        agent="ads-bot",
    ),
    "shopify-prices": Shape(
        "A list of prices is changed.",
        "a line for each variant: from and to",
        "shopify.bulk_update_prices",
        {
            "shop": "acme-licht",
            "variants": [
                {"id": id_, "sku": sku, "compareAtPrice": before, "price": price}
                for id_, sku, before, price in _PRICES
            ],
        },
        tool(
            "shop variants",
            shop=text("Name of the shop"),
            variants=many(
                part("id price", id=text(), sku=text(), compareAtPrice=text(), price=text()), maxItems=250
            ),
            allowPartialUpdates=flag(default=False),
        ),
        "Winter sale, agreed with marketing.",
        sure("costly", "medium"),
        sent_back("BULB-E14 is out of the sale."),
        agent="shop-bot",
        claims={"undo": "set the compare-at prices again"},
    ),
    "invoice-pdf": Shape(
        "An invoice goes out to be signed, as a PDF in base64.",
        "who signs; the file itself, in the card's thread",
        "docusign.send_envelope",
        {
            "emailSubject": "Please sign: order 2231",
            "signers": [{"name": "Pia Fischer", "email": "p.fischer@hafen.example", "routingOrder": 1}],
            "documents": [
                {
                    "name": "order-2231.pdf",
                    "documentId": "1",
                    "documentBase64": _PDF,
                }
            ],
            "status": "sent",
        },
        tool(
            "emailSubject signers documents",
            emailSubject=text(maxLength=100),
            signers=many(part("name email", name=text(), email=text(format="email"), routingOrder=whole())),
            documents=many(
                part(
                    "name documentBase64",
                    name=text(),
                    documentId=text(),
                    documentBase64=text("The document's content, Base64 encoded"),
                )
            ),
            status=text("created is a draft; sent goes out at once", enum=["created", "sent"]),
        ),
        "Ms Fischer agreed on the phone.",
        sure("irreversible", "medium"),
        rejected("The order has the old address."),
        agent="sales-bot",
        summed_up="documents",
    ),
}
