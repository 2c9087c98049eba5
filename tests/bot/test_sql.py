"""SQL on a card: what is done to which tables, and every statement that could reach all rows."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.bot.text.payload import values
from signoff.bot.text.renderers import ROOM, Seen
from signoff.bot.text.renderers.scripts import _Scripts, scripts
from signoff.bot.text.renderers.sql import summarise
from signoff.bot.text.renderers.sql_tokens import _MYSQL, _STANDARD, _read, readings


def told(text: str, name: str = "sql") -> list[str]:
    summary = summarise(Seen(name, text, {}, {}))
    return [] if summary is None else [row.text for row in summary.rows]


def warned(text: str) -> bool:
    return any("⚠" in line for line in told(text))


ALL_ROWS = r"""
DELETE FROM users
delete from users where 1=1
DELETE FROM users WHERE TRUE
DELETE FROM users WHERE 1
DELETE FROM users WHERE NOT false
DELETE FROM users WHERE 'a' = 'a' AND 1 < 2
DELETE FROM users WHERE id = id
DELETE FROM users WHERE id IN (id)
DELETE FROM users WHERE id = 5 OR 1 = 1
DELETE FROM users WHERE (id = 5 OR ((1 = 1)))
DELETE FROM users WHERE a = 1 OR a <> 1
DELETE FROM users WHERE a IS NULL OR a IS NOT NULL
DELETE FROM users WHERE id > 0
DELETE FROM users WHERE name LIKE '%'
DELETE FROM users WHERE COALESCE(1, 1) = 1
DELETE FROM users WHERE EXISTS (SELECT 1)
DELETE FROM users -- WHERE id = 1
DELETE FROM users /* WHERE id = 1 */
DELETE FROM users # WHERE id = 1
DELETE FROM users LIMIT 10
DELETE FROM users ORDER BY id
DELETE users
DELETE u FROM users u JOIN orders o ON u.id = o.id
DELETE FROM users USING orders
DELETE FROM "where"
DELETE FROM `where`
DELETE FROM [where]
(DELETE FROM users)
UPDATE users SET a = (SELECT b FROM c WHERE c.i = users.i)
UPDATE users SET a = 'WHERE id = 1'
UPDATE users SET a = "WHERE id = 1"
UPDATE users SET a = 1 FROM (SELECT * FROM o WHERE x = 1) s
UPDATE ONLY users AS u SET a = 1
SELECT 1; DELETE FROM users
INSERT INTO log SELECT * FROM a WHERE x = 1; UPDATE a SET x = 2
DELETE FROM a UPDATE b SET x = 1 WHERE id = 1
WITH x AS (SELECT 1 FROM q WHERE a = 1) DELETE FROM users
WITH gone AS (DELETE FROM users RETURNING *) SELECT * FROM gone WHERE id = 1
EXPLAIN ANALYZE DELETE FROM users
DO $$ BEGIN DELETE FROM users; END $$
DO $x$ BEGIN EXECUTE 'DELETE FROM users'; END $x$
EXEC('DELETE FROM users')
CREATE FUNCTION f() RETURNS void AS $f$ DELETE FROM users $f$ LANGUAGE sql
/*! DELETE FROM users */ SELECT 1
SELECT 1 /* /* */ ; DELETE FROM users -- */
SELECT 'a\'; DELETE FROM users; -- '
MERGE INTO t USING s ON 1 = 1 WHEN MATCHED THEN UPDATE SET a = 1
MERGE INTO t USING s ON t.id = s.id WHEN NOT MATCHED BY SOURCE THEN DELETE
SELECT 1 WHERE 'a' = 'without an end; DELETE FROM users
SELECT 1 /* without an end
TRUNCATE users
TRUNCATE TABLE a, b
drop table if exists users cascade
DROP DATABASE shop
ALTER TABLE users DROP COLUMN email
GRANT ALL ON users TO public
REVOKE SELECT ON users FROM ana
CALL purge()
COPY users FROM PROGRAM 'curl example.org'
""".strip().split("\n")
FEWER = """
DELETE FROM users WHERE id = 5
DELETE FROM users WHERE deleted_at IS NOT NULL
DELETE FROM users WHERE id = :id
DELETE FROM users WHERE state = 'x' OR state = 'y'
DELETE FROM users WHERE id BETWEEN 1 AND 2 RETURNING id
UPDATE a.b SET x = 1 WHERE id = $1
UPDATE users SET a = REPLACE(a, 'x', 'y') WHERE id = 3
UPDATE users SET a = 1 WHERE id IN (SELECT id FROM old)
WITH d AS (SELECT id FROM old WHERE z < 3) DELETE FROM users USING d WHERE users.id = d.id
SELECT 'DELETE FROM users'
SELECT * FROM users FOR UPDATE
INSERT INTO t (a, b) VALUES (1, 2) ON CONFLICT (a) DO UPDATE SET b = excluded.b
INSERT INTO t VALUES (1) ON DUPLICATE KEY UPDATE a = 1
CREATE TABLE a (id int REFERENCES b (id) ON DELETE CASCADE ON UPDATE SET NULL)
SELECT data #>> '{a}' FROM t WHERE x = 1
""".strip().split("\n")


@pytest.mark.parametrize("text", ALL_ROWS)
def test_what_may_reach_every_row_or_beyond_is_warned_of(text: str) -> None:
    assert warned(text)
    assert warned(f"SELECT 1;\n{text}")
    ends = any(sign in text for sign in ("--", "#"))
    assert warned(text.replace(" ", "\t" if ends else "\n\t"))


@pytest.mark.parametrize(
    "text", [text for text in ALL_ROWS if not text.startswith(("WITH", "SELECT", "MERGE"))]
)
def test_a_condition_that_stands_elsewhere_does_not_help(text: str) -> None:
    assert (
        warned(f"SELECT * FROM a WHERE b = 1; {text}; SELECT * FROM a WHERE b = 1")
        or "--" in text
        or "#" in text
    )


@pytest.mark.parametrize("text", FEWER)
def test_everyday_statements_raise_no_alarm_and_no_praise(text: str) -> None:
    assert told(text) and not warned(text)
    assert not any(word in " ".join(told(text)).lower() for word in ("safe", "harmless", "has a where"))


@pytest.mark.parametrize(
    ("text", "verbs", "tables"),
    [
        (
            "SELECT extract(year FROM ts) FROM a, b JOIN c USING (id) WHERE x IS DISTINCT FROM y",
            "SELECT",
            "a, b, c",
        ),
        ('select "x" from "b"."c"', "SELECT", "b.c"),
        (
            "WITH d AS (SELECT id FROM old) DELETE FROM t USING d WHERE t.id = d.id",
            "SELECT, DELETE",
            "old, t",
        ),
        ("INSERT INTO l (a) SELECT a FROM m", "INSERT, SELECT", "l, m"),
        ("TRUNCATE a, b", "TRUNCATE", "a, b"),
        ("UPDATE shop.users SET a = 1 WHERE id = 1", "UPDATE", "shop.users"),
        ("DROP TABLE IF EXISTS a, b", "DROP", "a, b"),
        ("GRANT ALL ON t TO public", "GRANT", "t"),
    ],
)
def test_verbs_and_tables_are_named(text: str, verbs: str, tables: str) -> None:
    assert any(line.removeprefix("⚠ ") == f"{verbs}  {tables}" for line in told(text)), told(text)


def test_many_statements_are_counted_and_the_dangerous_ones_named_first() -> None:
    text = ";\n".join([f"SELECT * FROM t{n}" for n in range(60)] + ["DELETE FROM last"])
    lines = told(text)
    assert lines[0].startswith("SQL, 61 statements") and lines[2] == "⚠ DELETE  last"
    assert "and 55 more" in lines[-1] and len(lines) < 12
    assert "60 times" in " ".join(told("SELECT 1;\n" * 60))


def test_what_is_no_sql_gets_no_summary_and_what_cannot_be_read_says_so() -> None:
    assert told("please find the users", "query") == []
    assert told("Select the best offer from the list", "question") == []
    assert told("{ user { name } }", "query") == []
    assert told("postgres", "sql_dialect") == [] and told("", "sql") == []
    assert "cannot be read" in told("rows of last year")[0]
    long = told("SELECT 1;\n" * 9000 + "DELETE FROM users")
    assert "too long to be summed up" in long[0] and "DELETE" in long[1]


def test_a_name_in_sql_cannot_break_its_line() -> None:
    [line] = [line for line in told('DROP TABLE "a\nb\u202ec"') if "DROP  " in line]
    assert "\n" not in line and "\u202e" not in line and "\\u{202e}" in line


@given(st.text("aE 1;(),.='\"`#$-/*\\[]\n", max_size=30), st.text("aE 1;(),.=<>|&:@-*/[]`\n", max_size=30))
def test_a_text_that_can_be_read_in_one_way_is_read_once(any_text: str, plain: str) -> None:
    standard, other = readings(plain)
    assert (standard is other) is not bool(re.search(r"--|/\*|\*/", plain))
    if standard is other:
        assert _read(plain, _MYSQL, nested=False) == standard
    standard, other = readings(any_text)
    assert _read(any_text, _STANDARD, nested=True) == standard
    assert _read(any_text, _MYSQL, nested=False) == other


def test_of_a_payload_only_so_much_is_read_word_by_word_and_the_rest_names_what_is_dangerous() -> None:
    harmless = "SELECT 1;" + " " * (ROOM - 20)
    found = [
        "".join(text for text, _ in row.spans)
        for value in values(None, {"a_sql": harmless, "b_sql": "DELETE FROM users;", "c_sql": "DROP TABLE t"})
        for row in value.rows
    ]
    assert any("Words in it: DELETE" in text for text in found)
    assert any("DROP" in text and "Words in it" in text for text in found)


def test_texts_in_texts_are_read_once_however_deep_they_stand() -> None:
    sql = "DELETE FROM t;"
    for _ in range(3):
        sql = "EXEC '" + sql.replace("'", "''") + "';" + "SELECT '\\';"
    first, second = scripts(sql)
    assert any("DELETE" in one.verbs for one in first.statements)
    assert not first.open or second.open


def test_what_is_too_deep_to_be_read_says_so() -> None:
    inner = "EXEC '" + "DELETE FROM t;" * 400 + "';"
    few = _Scripts(100).of(inner, 3)
    assert few[0].open and any("EXEC" in one.verbs for one in few[0].statements)
