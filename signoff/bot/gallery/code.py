"""Shapes of tools that change code, and of those that run it; pure."""

from __future__ import annotations

from collections.abc import Mapping

from signoff.bot.gallery.cards import sure
from signoff.bot.gallery.schemas import flag, free, many, part, text, tool, whole
from signoff.bot.gallery.shape import Shape, done, failed, rejected, sent_back

_README = "\n".join(
    [
        "# Rates",
        "",
        "Exchange rates of the European Central Bank, a table a day.",
        "",
        "## Use",
        "",
        "```python",
        "from rates import Table",
        "",
        "table = Table.of('2026-11-18')",
        "print(table['USD'])",
        "```",
        "",
        "## Where they come from",
        "",
        "The file is read at 16:15 CET on each working day. A day without a file has the table",
        "of the day before, and says so: `table.of` is the day that the rates are of.",
        "",
        "## Errors",
        "",
        "- `NoTable`: nothing for that day, nor for the ten days before.",
        "- `Unknown`: the table does not have that currency.",
    ]
)
_BODY = (
    "The basket shows when an order arrives, from the carrier's own estimate.\n\n"
    "- `delivery.estimate` asks the carrier, and remembers the answer for an hour\n"
    "- without an answer the basket shows what it showed before\n\nCloses #471."
)

CODE: Mapping[str, Shape] = {
    "edit-file": Shape(
        "A file is edited: the lines that go, and those that come.",
        "path, and each changed line",
        "filesystem.edit_file",
        {
            "path": "/srv/shop/config/limits.py",
            "edits": [
                {
                    "oldText": "MAX_BASKET = 50\nMAX_AMOUNT = 2_000",
                    "newText": "MAX_BASKET = 80\nMAX_AMOUNT = 2_000",
                },
                {"oldText": "RETRIES = 3", "newText": "RETRIES = 5\nPAUSE = 0.2"},
            ],
        },
        tool(
            "path edits",
            path=text(),
            edits=many(
                part(
                    "oldText newText",
                    oldText=text("Text to search for - must match exactly"),
                    newText=text("Text to replace with"),
                )
            ),
            dryRun=flag("Preview changes using git-style diff format", default=False),
        ),
        "Large baskets were refused on Monday.",
        sure("reversible", "low"),
        done("2 edits"),
        agent="coder",
    ),
    "write-file": Shape(
        "A file is written over with a long text.",
        "path; how long the text is, and how it begins",
        "filesystem.write_file",
        {"path": "/srv/rates/README.md", "content": _README},
        tool("path content", path=text(), content=text()),
        "The README still describes the old table.",
        sure("costly", "low"),
        sent_back("Keep the section on caching, please."),
        agent="coder",
    ),
    "pull-request": Shape(
        "A pull request is opened on GitHub.",
        "owner, repo, head and base; draft",
        "github.create_pull_request",
        {
            "owner": "acme",
            "repo": "shop",
            "title": "Show delivery dates in the basket",
            "body": _BODY,
            "head": "delivery-dates",
            "base": "main",
            "draft": False,
            "maintainer_can_modify": True,
        },
        tool(
            "owner repo title head base",
            owner=text("Repository owner"),
            repo=text("Repository name"),
            title=text("PR title"),
            body=text("PR description"),
            head=text("Branch containing changes"),
            base=text("Branch to merge into"),
            draft=flag("Create as draft PR"),
            maintainer_can_modify=flag("Allow maintainer edits"),
        ),
        "All checks are green on delivery-dates.",
        sure("reversible", "low"),
        done("https://github.example/acme/shop/pull/482"),
        agent="coder",
    ),
    "push-files": Shape(
        "Several files are pushed to a branch of GitHub in one commit.",
        "branch, and the path and text of each file",
        "github.push_files",
        {
            "owner": "acme",
            "repo": "infra",
            "branch": "main",
            "files": [
                {"path": "cron/clean.yaml", "content": "schedule: '0 3 * * *'\nkeep_days: 30\n"},
                {"path": "cron/OWNERS", "content": "ana\nben\n"},
            ],
            "message": "Clean sessions at night",
        },
        tool(
            "owner repo branch files message",
            owner=text("Repository owner"),
            repo=text("Repository name"),
            branch=text("Branch to push to"),
            files=many(
                part("path content", path=text("path to the file"), content=text("file content")),
                "Array of file objects to push, each object with path (string) and content (string)",
            ),
            message=text("Commit message"),
        ),
        "Change 340, approved by the platform team.",
        sure("costly", "high"),
        rejected("Not to main: open a pull request."),
        agent="coder",
    ),
    "shell": Shape(
        "A command runs in a shell.",
        "the command as it is written, and where it runs",
        "shell.run",
        {
            "command": "find /var/spool/reports -name '*.csv' -mtime +30 -delete",
            "cwd": "/var/spool",
            "timeout": 120000,
            "description": "Delete reports older than 30 days",
        },
        tool(
            "command",
            command=text("The command to execute"),
            cwd=text("Working directory"),
            timeout=whole("Optional timeout in milliseconds (max 600000)", maximum=600_000),
            description=text("Clear, concise description of what this command does"),
            run_in_background=flag("Set to true to run this command in the background", default=False),
        ),
        "The disk of report-1 is 94 % full.",
        sure("irreversible", "high"),
        done("412 files, 3.1 GB"),
    ),
    "docker": Shape(
        "A container is started.",
        "image, privileged, what is mounted, which ports",
        "docker.run_container",
        {
            "image": "registry.acme.example/etl:2.4.1",
            "name": "etl-backfill",
            "command": "backfill --from 2026-10-01 --to 2026-10-31",
            "environment": {"PGHOST": "db-replica.internal", "BATCH": "500"},
            "volumes": {"/data/exports": {"bind": "/out", "mode": "rw"}},
            "ports": {"9100/tcp": 19100},
            "detach": True,
            "auto_remove": True,
        },
        tool(
            "image",
            image=text("Docker image name"),
            name=text("Container name"),
            command=text("Command to run"),
            environment=free("Environment variables dictionary"),
            volumes=free("Volume mappings"),
            ports=free("Port mappings"),
            privileged=flag("Give extended privileges to this container", default=False),
            detach=flag("Run container in the background", default=True),
            auto_remove=flag(default=False),
        ),
        "October's exports lack two columns; this writes them again.",
        sure("costly", "medium"),
        failed("exit 137: out of memory"),
    ),
}
