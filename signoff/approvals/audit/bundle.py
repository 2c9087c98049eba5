"""An export: lines of the log with what belongs to them, signed, for somebody without access to the server.

A folder or a zip: `lines.jsonl`, `checkpoints.txt` (heads), `receipts.jsonl`, `keys.txt`, with payloads also
`payloads.jsonl`, with a table also `lines.csv`, `index.html` to read, and `manifest.jwt`, which names the
digest of each. docs/audit.md says what is in them; `signoff-verify.py` checks them.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import os
import time
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from sqlalchemy import Connection

from signoff.approvals.audit import page
from signoff.approvals.audit.heads import sealed
from signoff.approvals.audit.selection import (
    COLUMNS,
    Selection,
    cell,
    entries,
    payload_of,
    receipt_of,
    row,
)
from signoff.models.log import START, Head
from signoff.payload.canonical import canonical
from signoff.signatures import RECEIPT, Signer, VerifyKeys, verify_keys

EXPORT = "signoff-export+jwt"
EVERY = 10_000
"""Lines between two checkpoints."""


class Target(Protocol):
    """Where an export's files go."""

    def open(self, name: str) -> BinaryIO:
        """A new file, written from its beginning to its end before the next one."""


class Folder:
    """A new folder that only this user reads."""

    def __init__(self, path: Path) -> None:
        path.mkdir(mode=0o700)
        self._path = path

    def open(self, name: str) -> BinaryIO:
        """A file in it."""
        number = os.open(self._path / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        return os.fdopen(number, "wb")


class Zip:
    """A new zip that only this user reads."""

    def __init__(self, path: Path) -> None:
        number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        self._file = zipfile.ZipFile(os.fdopen(number, "w+b"), "w", zipfile.ZIP_DEFLATED)

    def open(self, name: str) -> BinaryIO:
        """A file in it."""
        return self._file.open(name, "w", force_zip64=True)  # type: ignore[return-value]

    def close(self) -> None:
        """Write what tells where the files are."""
        inner = self._file.fp
        self._file.close()
        if inner is not None:
            inner.close()


@dataclass
class Exported:
    """What is in an export."""

    lines: int = 0
    first: int = 1
    last: int = 0
    receipts: int = 0
    left_out: int = 0
    """Receipts that are erased, or from before receipts were of a kind."""
    payloads: int = 0


class Writer:
    """Writes one export, over a connection that shows one view of the database."""

    def __init__(
        self, connection: Connection, target: Target, selection: Selection, signer: Signer, issuer: str
    ) -> None:
        self._connection = connection
        self._target = target
        self._selection = selection
        self._signer = signer
        self._issuer = issuer
        self._digests: dict[str, str] = {}
        self.made = Exported()

    def write(self, head: Head, keys: str, *, payloads: bool, table: bool) -> Exported:
        """All of it. `head` is the log's, verified; `keys` the public ones that receipts are signed with."""
        made, heads = self.made, [head]
        self._file("lines.jsonl", self._lines(heads))
        tokens = {(one.lines, one.hash): sealed(self._signer, one, self._issuer) for one in heads}
        self._file("checkpoints.txt", (f"{token}\n" for token in tokens.values()))
        self._file("receipts.jsonl", self._receipts(keys))
        if payloads:
            self._file("payloads.jsonl", self._payloads())
        if table:
            self._file("lines.csv", self._table(payloads))
        self._file("keys.txt", (f"{key}\n" for key in keys.split()))
        told = {"issuer": self._issuer, "lines": head.lines, "head": head.hash, **self._selection.told()}
        self._file("index.html", page.lines(told, self._read(payloads)))
        manifest = {
            "iss": self._issuer,
            "iat": int(time.time()),
            "lines": head.lines,
            "head": head.hash,
            "first": made.first,
            "last": made.last,
            "count": made.lines,
            "whole": self._selection.whole,
            "selection": self._selection.told(),
            "files": self._digests,
        }
        self._file("manifest.jwt", [self._signer.seal(EXPORT, manifest) + "\n"])
        return made

    def _file(self, name: str, texts: Iterable[str]) -> None:
        found = hashlib.sha256()
        with self._target.open(name) as file:
            for text in texts:
                data = text.encode()
                found.update(data)
                file.write(data)
        self._digests[name] = found.hexdigest()

    def _lines(self, heads: list[Head]) -> Iterator[str]:
        made = self.made
        made.last = made.first - 1
        for entry in entries(self._connection, self._selection):
            line = entry.line
            if not made.lines:
                made.first = line["seq"]
                heads.append(Head(line["seq"] - 1, line["previous"]))
            made.lines += 1
            made.last = line["seq"]
            if line["seq"] % EVERY == 0:
                heads.append(Head(line["seq"], line["hash"]))
            yield canonical(line, "line") + "\n"
        if not made.lines:
            heads.append(Head(0, START))

    def _receipts(self, keys: str) -> Iterator[str]:
        known = verify_keys(keys)
        for entry in entries(self._connection, self._selection, "receipt", "adopted"):
            token = receipt_of(self._connection, entry)
            if token is None or not _is_ours(token, known, self._issuer):
                self.made.left_out += 1
                continue
            self.made.receipts += 1
            yield canonical({"approval": entry.line["approval_id"], "receipt": token}) + "\n"

    def _payloads(self) -> Iterator[str]:
        for entry in entries(self._connection, self._selection, "submit", "edit"):
            found = payload_of(self._connection, entry)
            if found is not None:
                self.made.payloads += 1
                told = {name: found[name] for name in ("version", "text", "salt", "claims")}
                yield canonical({"approval": found["approval_id"], **told}) + "\n"

    def _read(self, payloads: bool) -> Iterator[dict[str, Any]]:
        for entry in entries(self._connection, self._selection):
            found = payload_of(self._connection, entry) if payloads else None
            yield row(entry, found["text"] if found else None)

    def _table(self, payloads: bool) -> Iterator[str]:
        return table(self._read(payloads))


def table(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Rows as CSV (RFC 4180), with their names first."""
    held = io.StringIO(newline="")
    writer = csv.writer(held)
    for cells in [COLUMNS], ([cell(one[name]) for name in COLUMNS] for one in rows):
        for one in cells:
            writer.writerow(one)
            yield held.getvalue()
            held.seek(0)
            held.truncate()


def _is_ours(token: str, keys: VerifyKeys, issuer: str) -> bool:
    """Whether a verifier can check it, also once it is over: of its own kind, deployment and a known key.

    That it holds was checked with the log.
    """
    try:
        head, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in token.split(".")[:2])
        return head["typ"] == RECEIPT and head["kid"] in keys and claims["iss"] == issuer
    except (ValueError, KeyError, TypeError):
        return False
