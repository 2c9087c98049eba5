"""Shapes of tools that read and write data: databases, caches, settings; pure."""

from __future__ import annotations

from collections.abc import Mapping

from signoff.bot.gallery.cards import sure
from signoff.bot.gallery.schemas import flag, free, many, number, part, text, tool, whole
from signoff.bot.gallery.shape import Shape, done, edited, expired, rejected

_SQL = (
    "UPDATE subscriptions\n   SET status = 'cancelled', cancelled_at = now()\n"
    " WHERE plan = 'trial'\n   AND last_seen_at < '2026-06-01';"
)
_QUERY = (
    "CREATE OR REPLACE TABLE mart.orders_daily AS\n"
    "SELECT DATE(created_at) AS day, country, COUNT(*) AS orders, SUM(total) AS total\n"
    "FROM shop.orders\nGROUP BY day, country"
)
_CONFIG = {
    "service": "checkout",
    "config": {
        "payments": {
            "providers": {
                "stripe": {"enabled": True, "retry": {"attempts": 4, "backoff": {"first": 0.5, "factor": 2}}},
                "paypal": {"enabled": False},
            },
            "limits": {"per_order": 5000, "currency": "EUR"},
        },
        "notices": ["terms-2026", "winter-hours"],
    },
}
_FLAG = {"projectKey": "shop", "flagKey": "new-checkout", "environmentKey": "production", "on": True}

DATA: Mapping[str, Shape] = {
    "postgres": Shape(
        "A statement is run on PostgreSQL.",
        "the verb and the table, in our words; the statement below",
        "postgres.execute",
        {"database": "crm", "sql": _SQL},
        tool(
            "sql",
            database=text(default="postgres"),
            sql=text("SQL query to execute"),
            read_only=flag("Run in a read-only transaction", default=False),
            timeout_ms=whole("Statement timeout in milliseconds", default=30000),
        ),
        "Trials that nobody has used since June, ticket 1015.",
        sure("irreversible", "high"),
        done("184 rows"),
        agent="data-bot",
        claims={"impact": "184 subscriptions"},
    ),
    "bigquery": Shape(
        "A table is written over on BigQuery.",
        "project; what the statement replaces; how much it may read",
        "bigquery.execute_sql",
        {
            "project": "acme-analytics",
            "sql": _QUERY,
            "dry_run": False,
            "maximum_bytes_billed": 2_000_000_000_000,
        },
        tool(
            "sql",
            project=text(),
            sql=text("The sql to execute."),
            dry_run=flag("If set to true, the query will be validated but not executed.", default=False),
            maximum_bytes_billed=whole("Limits the bytes billed for this job.", format="int64"),
            use_legacy_sql=flag(default=True),
        ),
        "The daily table lacks the country.",
        sure("costly", "medium"),
        done("1.1 TB read"),
        agent="data-bot",
    ),
    "mongodb": Shape(
        "Documents are deleted by a filter.",
        "database, collection, and the filter",
        "mongodb.delete_many",
        {
            "database": "shop",
            "collection": "carts",
            "filter": {"status": "abandoned", "updatedAt": {"$lt": {"$date": "2026-10-01T00:00:00Z"}}},
        },
        tool(
            "database collection",
            database=text("Database name"),
            collection=text("Collection name"),
            filter=free(
                "The query filter, specifying the deletion criteria. Matches the syntax of the filter "
                "argument of db.collection.deleteMany()"
            ),
        ),
        "Abandoned carts older than six weeks.",
        sure("irreversible", "high"),
        done("2,310 deleted"),
        agent="data-bot",
    ),
    "feature-flag": Shape(
        "A flag is switched on; what is not given is left to defaults.",
        "environment, and what the defaults are",
        "launchdarkly.update_flag",
        _FLAG,
        tool(
            "projectKey flagKey environmentKey",
            projectKey=text("The project key"),
            flagKey=text("The feature flag key"),
            environmentKey=text("The environment key"),
            on=flag("Whether targeting is on"),
            rolloutPercentage=whole("Percent of users", minimum=0, maximum=100, default=100),
            trackEvents=flag(default=False),
            notifyOwners=flag(),
            ignoreConflicts=flag(),
        ),
        "Two weeks on staging without an error.",
        sure("reversible", "medium", headline="Switch new-checkout on in production"),
        edited({**_FLAG, "rolloutPercentage": 10}, "Begin with a tenth."),
        claims={"undo": "switch it off"},
    ),
    "config": Shape(
        "A deep configuration is replaced.",
        "every value, with its path",
        "config.replace",
        _CONFIG,
        {
            **tool("service config", service=text(), config={"$ref": "#/definitions/config"}),
            "definitions": {
                "config": part(
                    payments=part(
                        providers=free(additionalProperties={"$ref": "#/definitions/provider"}),
                        limits=part(per_order=number("In euros"), currency=text()),
                    ),
                    notices=many(text()),
                ),
                "provider": part(
                    "enabled",
                    enabled=flag(),
                    retry=part(attempts=whole(), backoff=part(first=number("In seconds"), factor=number())),
                ),
            },
        },
        "Stripe times out at noon; four attempts instead of two.",
        sure("reversible", "high"),
        expired(),
    ),
    "airtable": Shape(
        "A batch of records is changed.",
        "base and table; a row for each record",
        "airtable.update_records",
        {
            "baseId": "appQ7ud1c0vXn2pLk",
            "tableId": "tblRw8kqv0Yh3mNe1",
            "records": [
                {"id": "recA1", "fields": {"Status": "Confirmed", "Seats": 40}},
                {"id": "recB7", "fields": {"Status": "Confirmed", "Seats": 25}},
                {"id": "recC2", "fields": {"Status": "Cancelled"}},
            ],
            "typecast": False,
        },
        tool(
            "baseId tableId records",
            baseId=text(),
            tableId=text(),
            records=many(part("id fields", id=text(), fields=free()), maxItems=10),
            typecast=flag(default=False),
        ),
        "The venues have answered.",
        sure("reversible", "low"),
        done("3 records"),
        agent="events-bot",
    ),
    "salesforce": Shape(
        "A record is updated; one of its numbers is larger than JSON's own.",
        "the record's id, and each field that is set",
        "salesforce.update_record",
        {
            "objectName": "Opportunity",
            "recordId": "0065g00000XyZabAAF",
            "fields": {
                "StageName": "Closed Won",
                "Amount": 48500,
                "CloseDate": "2026-11-18",
                "ERP_Number__c": "9007199254740993117",
            },
        },
        tool(
            "objectName recordId fields",
            objectName=text("API name of the object"),
            recordId=text(pattern="^[a-zA-Z0-9]{15,18}$"),
            fields=free("Field API names and values"),
            allOrNone=flag(default=False),
        ),
        "Signed on 18 November, see the attachment.",
        sure("costly", "medium"),
        rejected("The amount is net: 40756.30."),
        agent="sales-bot",
    ),
}
