"""`signoff audit verify`, `list`, `export` and `verifier`, as people run them."""

from __future__ import annotations

import csv
import io
import json
import shutil
import stat
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from support import Core, without_triggers

from signoff.approvals.audit import heads, last_line
from signoff.models.log import Head
from signoff.receipts import Signer

Answer = tuple[int, str, str]
Signoff = Callable[..., Answer]
HOSTILE = '=HYPERLINK("https://evil")'


@pytest.fixture
def past(core: Core, agent_env: None, tmp_path: Path) -> Core:
    """A server's log, and its signing key in the data folder."""
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data" / "signing.key").write_text(core.signer.private_text())
    (tmp_path / "data" / "signing.key").chmod(0o600)
    approved = core.submit(payload={"to": "<script>alert(1)</script>", "text": HOSTILE})
    core.approvals.decide(approved.id, 1, "U0ANA", "approve", payload={"to": "mia", "text": HOSTILE})
    rejected = core.submit("other-bot", action="mail.send")
    core.approvals.decide(rejected.id, 1, "U0BEN", "reject", reason="no")
    core.submit(payload={"number": 3})
    return core


def change(core: Core, *statements: str) -> None:
    with core.store.transaction() as connection:
        without_triggers(connection)
        for statement in statements:
            connection.execute(text(statement))


def head_token(core: Core, signer: Signer | None = None) -> str:
    with core.store.reading() as connection:
        return heads.sealed(signer or core.signer, last_line(connection), "signoff")


def verifier(*arguments: str | Path, cwd: Path) -> tuple[int, str, str]:
    """`signoff-verify.py`, printed by Signoff, run where Signoff cannot be imported."""
    printed = subprocess.run(
        [sys.executable, "-m", "signoff", "audit", "verifier"], capture_output=True, text=True, check=True
    ).stdout
    script = cwd / "signoff-verify.py"
    script.write_text(printed)
    run = subprocess.run(
        [sys.executable, "-I", str(script), *map(str, arguments)], capture_output=True, text=True, cwd=cwd
    )
    return run.returncode, run.stdout, run.stderr


def test_somebody_else_as_approver_is_found_with_the_head_too(past: Core, signoff: Signoff) -> None:
    code, out, _ = signoff("audit", "verify")
    assert code == 0 and "3 approvals are as the log says" in out
    head = out.split("head ")[1].split()[0]
    change(past, "UPDATE decision SET approver = 'U0BEN', name = 'ben' WHERE approver = 'U0ANA'")
    for options in ((), ("--head", head)):
        code, out, err = signoff("audit", "verify", *options)
        assert code == 1
        assert "line 4: approval" in err and "(decision.approver)" in err and "'U0ANA'" in err


def test_an_empty_log_beside_rows_is_refused(past: Core, signoff: Signoff) -> None:
    change(past, "DELETE FROM audit_event")
    code, out, err = signoff("audit", "verify")
    assert code == 1 and out.startswith("0 lines hold") and "cut off" in err


def test_receipts_of_keys_that_nobody_knows_do_not_count(
    past: Core, signoff: Signoff, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = Signer.generate()
    monkeypatch.setenv("SIGNOFF_VERIFY_KEY", new.verify_key)
    (tmp_path / "data" / "signing.key").write_text(new.private_text())
    code, _, err = signoff("audit", "verify")
    assert code == 1 and "2 receipts are signed with keys that are not known here" in err
    assert signoff("audit", "verify", "--keys", past.signer.verify_key)[0] == 0
    (tmp_path / "old.keys").write_text(past.signer.verify_key + "\n")
    assert signoff("audit", "verify", "--keys", "old.keys")[0] == 0


def test_a_log_that_a_witness_saw_longer_or_otherwise_was_cut_or_written_anew(
    past: Core, signoff: Signoff, tmp_path: Path
) -> None:
    witness = tmp_path / "witness.log"
    with witness.open("w") as file:
        file.write(f"2026-11-28T05:00:00Z … {head_token(past)}\n")
        past.submit(payload={"number": 4})
        file.write(f"<14>1 host signoff: token={head_token(past)} more\n")
    code, out, _ = signoff("audit", "verify", "--witness", str(witness))
    assert code == 0 and "2 heads of witnesses are in the log" in out
    change(
        past,
        "DELETE FROM audit_event WHERE seq > 11",
        *(f"DELETE FROM {one} WHERE approval_id NOT IN (SELECT approval_id FROM audit_event "
          "WHERE approval_id IS NOT NULL)" for one in ("card", "payload")),
        "DELETE FROM approval WHERE id NOT IN (SELECT approval_id FROM audit_event "
        "WHERE approval_id IS NOT NULL)",
    )  # fmt: skip
    assert signoff("audit", "verify")[0] == 0  # by itself nothing is to be seen
    code, _, err = signoff("audit", "verify", "--witness", str(witness))
    assert code == 1 and "a witness saw 13 lines" in err and "cut off" in err
    past.submit(payload={"number": 5})
    past.submit(payload={"number": 6})
    code, _, err = signoff("audit", "verify", "--witness", str(witness))
    assert code == 1 and "written anew" in err


def test_a_witness_with_what_is_none_of_ours_is_not_taken_for_one(
    past: Core, signoff: Signoff, tmp_path: Path
) -> None:
    witness = tmp_path / "witness.log"
    witness.write_text("nothing here\n")
    code, _, err = signoff("audit", "verify", "--witness", str(witness))
    assert code == 1 and "no head at all" in err
    witness.write_text(head_token(past) + "\n" + head_token(past, Signer.generate()) + "\n")
    code, _, err = signoff("audit", "verify", "--witness", str(witness))
    assert code == 1 and "none of this server's" in err
    forged = heads.sealed(past.signer, Head(3, "0" * 64), "signoff")
    witness.write_text(f"{forged}\n")
    code, _, err = signoff("audit", "verify", "--witness", str(witness))
    assert code == 1 and "a witness saw 3 lines" in err
    assert signoff("audit", "verify", "--witness", "missing.log")[0] == 1
    code, _, err = signoff("audit", "verify", "--witness", "http://example.org/heads")
    assert code == 2 and "https" in err


def test_lines_are_listed_with_payloads_only_where_they_are_asked_for(past: Core, signoff: Signoff) -> None:
    code, out, _ = signoff("audit", "list")
    assert code == 0 and len(out.splitlines()) == 11 and "HYPERLINK" not in out
    rows = [
        json.loads(line)
        for line in signoff("audit", "list", "--format", "json", "--payloads")[1].splitlines()
    ]
    assert [row["seq"] for row in rows] == list(range(1, 12))
    assert json.loads(rows[0]["payload"])["text"] == HOSTILE and rows[1]["payload"] is None
    assert {row["agent"] for row in rows} == {"billing-bot", "other-bot"}
    theirs = [
        json.loads(line)
        for line in signoff("audit", "list", "--format", "json", "--agent", "other-bot")[1].splitlines()
    ]
    assert [row["kind"] for row in theirs] == ["submit", "verdict", "decision", "receipt"]
    assert len(signoff("audit", "list", "--action", "mail.send")[1].splitlines()) == 4
    assert signoff("audit", "list", "--until", "2020-01-01")[1] == ""
    assert len(signoff("audit", "list", "--since", "1h")[1].splitlines()) == 11
    assert len(signoff("audit", "list", "--since", "2020-01-01T00:00+02:00")[1].splitlines()) == 11
    with pytest.raises(SystemExit):
        signoff("audit", "list", "--since", "yesterday")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "  ="])
def test_no_cell_of_a_table_is_a_formula(start: str) -> None:
    from signoff.approvals.audit.selection import cell

    assert cell(f"{start}1+1").startswith("'")
    assert cell("refund.create") == "refund.create" and cell(None) == "" and cell(7) == "7"


def test_a_table_reads_back(past: Core, signoff: Signoff) -> None:
    rows = list(
        csv.DictReader(io.StringIO(signoff("audit", "list", "--format", "csv", "--payloads")[1], newline=""))
    )
    assert [row["seq"] for row in rows] == [str(number) for number in range(1, 12)]
    assert json.loads(rows[0]["payload"])["text"] == HOSTILE


@pytest.mark.parametrize("name", ["export", "export.zip"])
def test_an_export_is_checked_without_the_server(
    past: Core, signoff: Signoff, tmp_path: Path, name: str
) -> None:
    code, out, _ = signoff("audit", "export", name, "--payloads", "--format", "csv")
    assert code == 0 and "11 lines, 2 receipts and 4 payloads" in out
    assert stat.S_IMODE((tmp_path / name).stat().st_mode) & 0o077 == 0
    key = past.signer.verify_key
    code, out, err = verifier("bundle", tmp_path / name, "--key", key, cwd=tmp_path)
    assert code == 0 and "11 lines hold" in out and "2 receipts" in out, err
    code, _, err = verifier("bundle", tmp_path / name, "--key", Signer.generate().verify_key, cwd=tmp_path)
    assert code == 1 and "key that was not given" in err
    assert verifier("bundle", tmp_path / name, "--key", key, "--issuer", "other", cwd=tmp_path)[0] == 1
    code, _, err = signoff("audit", "export", name)
    assert code == 2 and "there already" in err


def test_a_selection_is_exported_as_one(past: Core, signoff: Signoff, tmp_path: Path) -> None:
    assert signoff("audit", "export", "one", "--agent", "other-bot")[0] == 0
    code, out, err = verifier("bundle", tmp_path / "one", "--key", past.signer.verify_key, cwd=tmp_path)
    assert code == 0 and "4 lines hold (a selection" in out, err
    assert "billing-bot" not in (tmp_path / "one" / "lines.jsonl").read_text()
    assert not (tmp_path / "one" / "payloads.jsonl").exists()
    assert signoff("audit", "export", "none", "--until", "2020-01-01")[0] == 0
    code, out, err = verifier("bundle", tmp_path / "none", "--key", past.signer.verify_key, cwd=tmp_path)
    assert code == 0 and "0 lines hold" in out, err


def test_the_page_has_no_script_and_escapes_what_others_wrote(
    past: Core, signoff: Signoff, tmp_path: Path
) -> None:
    signoff("audit", "export", "export", "--payloads")
    page = (tmp_path / "export" / "index.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in page and "&lt;script&gt;" in page
    assert "<script" not in page and "http" not in page.replace("http-equiv", "").replace("https://evil", "")


CHANGES: dict[str, Callable[[list[str]], list[str]]] = {
    "changed": lambda lines: [lines[0].replace("billing-bot", "other-bot"), *lines[1:]],
    "removed": lambda lines: lines[:2] + lines[3:],
    "reordered": lambda lines: [lines[1], lines[0], *lines[2:]],
    "cut": lambda lines: lines[:-1],
    "added": lambda lines: [*lines, lines[-1]],
    "respelled": lambda lines: [lines[0].replace('":"', '": "', 1), *lines[1:]],
}


@pytest.mark.parametrize("how", CHANGES)
@pytest.mark.parametrize("file", ["lines.jsonl", "receipts.jsonl", "payloads.jsonl"])
def test_an_export_that_was_touched_does_not_hold(
    past: Core, signoff: Signoff, tmp_path: Path, how: str, file: str
) -> None:
    """Also where whoever touched it made the manifest's digests fit, which takes the key."""
    signoff("audit", "export", "export", "--payloads")
    path = tmp_path / "export" / file
    lines = path.read_text().splitlines(keepends=True)
    changed = CHANGES[how](lines)
    if changed == lines:
        changed = ["{}\n", *lines]
    path.write_text("".join(changed))
    code, _, err = verifier("bundle", tmp_path / "export", "--key", past.signer.verify_key, cwd=tmp_path)
    assert code == 1 and f"{file} was changed" in err


@pytest.mark.parametrize("name", ["evidence.pdf", "payloads.jsonl", "more/lines.jsonl", ".hidden"])
def test_an_export_that_something_was_added_to_does_not_hold(
    past: Core, signoff: Signoff, tmp_path: Path, name: str
) -> None:
    """What nobody signed for would be taken for what the server gave."""
    key = past.signer.verify_key
    signoff("audit", "export", "export")
    signoff("audit", "export", "export.zip")
    (tmp_path / "export" / name).parent.mkdir(exist_ok=True)
    (tmp_path / "export" / name).write_text("{}\n")
    with zipfile.ZipFile(tmp_path / "export.zip", "a") as archive:
        archive.writestr(name, "{}\n")
    for made in ("export", "export.zip"):
        code, _, err = verifier("bundle", tmp_path / made, "--key", key, cwd=tmp_path)
        assert code == 1 and "manifest and what is there differ" in err


@pytest.mark.parametrize("first", [True, False])
def test_a_zip_that_holds_a_name_twice_does_not_hold(
    past: Core, signoff: Signoff, tmp_path: Path, first: bool
) -> None:
    """Programs differ in which of the two they unpack."""
    signoff("audit", "export", "export.zip")
    with zipfile.ZipFile(tmp_path / "export.zip") as old, zipfile.ZipFile(tmp_path / "two.zip", "w") as new:
        listed = [(name, old.read(name)) for name in old.namelist()]
        other = ("lines.jsonl", b"{}\n")
        for name, data in [other, *listed] if first else [*listed, other]:
            with warnings.catch_warnings(action="ignore"):
                new.writestr(name, data)
    code, _, err = verifier("bundle", tmp_path / "two.zip", "--key", past.signer.verify_key, cwd=tmp_path)
    assert code == 1 and "stands twice" in err


def test_nothing_is_exported_of_a_log_that_does_not_hold(
    past: Core, signoff: Signoff, tmp_path: Path
) -> None:
    change(past, "UPDATE decision SET approver = 'U0MIA' WHERE approver = 'U0ANA'")
    code, _, err = signoff("audit", "export", "export.zip")
    assert code == 1 and "does not hold" in err and not (tmp_path / "export.zip").exists()


def test_the_zip_holds_what_the_folder_does(past: Core, signoff: Signoff, tmp_path: Path) -> None:
    signoff("audit", "export", "one")
    signoff("audit", "export", "one.zip")
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert sorted(archive.namelist()) == sorted(path.name for path in (tmp_path / "one").iterdir())
        for name in ("lines.jsonl", "receipts.jsonl", "keys.txt", "index.html"):
            assert archive.read(name) == (tmp_path / "one" / name).read_bytes()


def test_the_verifier_checks_a_receipt(past: Core, signoff: Signoff, tmp_path: Path) -> None:
    with past.store.reading() as connection:
        token = connection.execute(
            text("SELECT receipt FROM approval WHERE status = 'approved'")
        ).scalar_one()
    (tmp_path / "payload.json").write_text(json.dumps({"to": "mia", "text": HOSTILE}))
    key, action = past.signer.verify_key, "refund.create"
    right = (
        "receipt",
        token,
        "--key",
        key,
        "--agent",
        "billing-bot",
        "--action",
        action,
        "--payload",
        "payload.json",
    )
    assert verifier(*right, cwd=tmp_path)[:2] == (0, "approved\n")
    for wrong in ("other-bot", "mail.send"):
        replaced = [
            wrong if one == ("billing-bot" if wrong == "other-bot" else action) else one for one in right
        ]
        assert verifier(*replaced, cwd=tmp_path)[0] == 1
    (tmp_path / "payload.json").write_text("{}")
    assert verifier(*right, cwd=tmp_path)[0] == 1


def test_the_verifier_is_short_and_needs_only_cryptography() -> None:
    import ast

    from signoff.cli import verifier as module

    source = Path(module.__file__).read_text(encoding="utf-8")
    names = {
        alias.name.partition(".")[0]
        if isinstance(node, ast.Import)
        else (node.module or "").partition(".")[0]
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert names - set(sys.stdlib_module_names) == {"cryptography"}
    assert len([line for line in source.splitlines() if line.strip()]) < 200


def test_stamps_need_the_stampers_root(past: Core, signoff: Signoff, tmp_path: Path) -> None:
    kept = tmp_path / "stamps.jsonl"
    kept.write_text(json.dumps({"by": "tsa", "head": head_token(past), "stamp": "AAAA"}) + "\n")
    code, out, _ = signoff("audit", "verify", "--witness", str(kept))
    assert code == 0 and "1 time stamps were not checked" in out
    shutil.copy(tmp_path / "data" / "signing.key", tmp_path / "root.pem")
    code, _, err = signoff("audit", "verify", "--witness", str(kept), "--tsa-root", "root.pem")
    assert code == 2 and "no certificate" in err
