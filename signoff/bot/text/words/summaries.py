"""What Signoff says in a summary of a long value. Values in it are visible already."""

from __future__ import annotations

from collections.abc import Sequence

SOURCE = "summary by Signoff"
"""Whose words these are: not the agent's, and not those of the tool that runs."""


def headline(*counts: str) -> str:
    """The first line: what it is in figures, and whose summary."""
    return f"{', '.join(count for count in counts if count)} · {SOURCE}"


WARNS = "⚠ "


def warning(text: str) -> str:
    """A line that somebody has to see."""
    return f"{WARNS}{text}"


def count(number: int, one: str, many: str = "") -> str:
    """`1 file`, `2 files`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def count_some(number: int, one: str, many: str = "") -> str:
    """The same, and nothing of none."""
    return count(number, one, many) if number else ""


# Edits

HUNKS_LIE = "A hunk's header does not fit the lines under it: read them, and do not trust its figures."
NEW_ENDS = "\\ only the new text ends with a line end"
OLD_ENDS = "\\ only the old text ends with a line end"
ENDS = "\\ it ends with a line end"
BINARY = "binary"
EXECUTABLE = "made executable"
DELETED = "deleted"
CREATED = "new"
RENAMED = "renamed"


def changed_lines(removed: int, added: int) -> str:
    """`3 lines removed, 5 added`."""
    return f"{count(removed, 'line')} removed, {added:,} added"


def crlf(what: str = "") -> str:
    """Lines that end as Windows ends them."""
    return f"Lines of the {what}text end with CR and LF." if what else "Lines end with CR and LF."


def numbered(number: int, of: int) -> str:
    """One of several edits."""
    return f"edit {number:,} of {of:,}"


def of_file(notes: Sequence[str], removed: int, added: int) -> str:
    """What becomes of a file."""
    return ", ".join([*notes, changed_lines(removed, added)])


# Plans of changes to what runs

KINDS: dict[str, str] = {
    "delete": "to delete",
    "replace": "to replace: deleted, and made anew",
    "forget": "to forget: goes on, but is managed no longer",
    "unclear": "with an action that Signoff does not know",
    "maybe": "that may be replaced: deleted, and made anew",
    "import": "to import",
    "move": "to move",
    "update": "to change",
    "create": "to create",
    "read": "to read",
    "keep": "that stay as they are",
}
"""What a plan does with a resource, the worst first."""
SAYS_OTHERWISE = "The plan's own figures differ from what it lists:"
DEPOSED = "a former object of it"
DRIFT = "changed outside of the plan"


def of_kind(number: int, kind: str) -> str:
    """`3 to delete`."""
    return f"{number:,} {KINDS[kind]}"


def more_actions(names: str) -> str:
    """What somebody asks to be done, in the words of the plan."""
    return f"({names})"


def outputs(number: int) -> str:
    """Values that a plan gives to others."""
    return count(number, "output changes", "outputs change")


def not_read(number: int) -> str:
    """Entries that are no changes."""
    return f"{count(number, 'entry', 'entries')} could not be read."


# SQL

SQL_OPEN = "A quote or a comment has no end: what follows it was not read."
SQL_TWO_WAYS = "Quotes or comments in it can be read in two ways, which do not do the same; both stand here."
SQL_OTHER_WAYS = "Quotes in it may be read in other ways: some databases may run what others take for a text."
SQL_GIVEN = "A text that is given to a function looks like SQL, which may be run."
SQL_UNREAD = "it cannot be read as SQL"
SQL_LONG = "SQL, too long to be summed up"
SQL_MERGE_ALL = "MERGE changes or deletes rows that the source does not have."
SQL_MERGE_DELETES = "MERGE deletes rows."
_SQL = {
    "TRUNCATE": "TRUNCATE deletes every row.",
    "DROP": "DROP removes it, with what is in it.",
    "ALTER": "ALTER changes how data is kept, or who may do what.",
    "GRANT": "GRANT gives rights.",
    "REVOKE": "REVOKE takes rights away.",
}


def sql_warned(verb: str) -> str:
    """What a statement does that cannot be taken back, or that opens a door."""
    return _SQL.get(verb, f"{verb} reaches beyond rows of a table.")


def sql_runs(verb: str) -> str:
    """A statement that runs what stands elsewhere."""
    return f"{verb} runs something that cannot be told from here."


def sql_no_where(verb: str) -> str:
    """A statement about all rows."""
    return f"{verb} without WHERE: every row."


def sql_always(verb: str) -> str:
    """A statement whose condition leaves no row out, as far as can be seen."""
    what = "condition" if verb == "MERGE" else "WHERE"
    return f"{verb} whose {what} looks as if it held for every row."


def times(number: int) -> str:
    """How often the same stands there."""
    return f"{number:,} times"


def sql_words(verbs: Sequence[str]) -> str:
    """What a text that cannot be read holds."""
    return f"Words in it: {', '.join(verbs)}."


# Manifests

YAML_UNREAD = "YAML that Signoff cannot read"
YAML_ALIASES = "Parts of it are written once and repeated with `*`: Signoff did not look into the repeats."
YAML_TWICE = "A name stands twice in one object; which of the two counts, no one can tell."
NO_NAME = "without a name"
IN_NAMESPACE = "in namespace"
SECRET = "holds secrets"
WHOLE_CLUSTER = "is for the whole cluster"
GATES = "sees or changes what others ask of the cluster"
ADMIN = "gives all rights, or nearly all"
EVERYBODY = "is everybody, or an administrator"
WILDCARD = "means all"
READS_SECRETS = "are passwords and keys"
RUNS_IN_PODS = "runs commands in others' containers"
GIVES_RIGHTS = "lets it take or give more rights"
REACHABLE = "can be reached from outside"
HOST = "shares the machine's own"
PRIVILEGED = "is root on the machine"
ESCALATES = "lets it gain rights"
ROOT = "runs as root"
HOST_PATH = "reads the machine's files"
ADDED = "is added"
HOST_PORT = "opens a port of the machine"
LATEST = "names no fixed version"
UNCONFINED = "takes a guard away"


def not_manifests(number: int) -> str:
    """What stands beside manifests."""
    return f"{count(number, 'other document')} beside them."


def and_more(number: int) -> str:
    """After those that are named."""
    return f"and {number:,} more"


# Tables


def caption(name: str, shown: int, rows: int) -> str:
    """Above a table; `name` is visible, and empty where the list has none."""
    many = count(rows, "row") if shown == rows else f"the first {shown:,} of {rows:,} rows"
    return f"{name}: {many}" if name else many


def more_rows(number: int) -> str:
    """Below the part of a table that stands as text."""
    return f"… {count(number, 'more row')}"


# E-mails

EMAIL = "e-mail"
HTML = "HTML as text"
LINKS = "Its links, and where they go:"
GOES_TO = "goes to"
NO_HOST = "no host"
NO_TEXT = "a link without text"
ATTACHMENT = "attachment"
HIDDEN_TEXT = "Text that its reader may not see:"
SCRIPTS = "It holds scripts."
STYLES = "It has a style sheet, which can hide or move text."
TOO_MANY_PARTS = "It has too many parts: not all of them were read."
PARTS_UNREAD = "Not all of it could be read."


def twice(header: str) -> str:
    """A header that a message may have once."""
    return f"It has the header {header} more than once."


def more_links(number: int) -> str:
    """Links of a page with very many."""
    return f"{count(number, 'more link')}: not listed."


def comments(size: int) -> str:
    """What stands in comments of HTML."""
    return f"It holds {count(size, 'character')} in comments, which some programs show."


def images(number: int) -> str:
    """What is loaded when a mail is read."""
    return f"It shows {count(number, 'image')}."
