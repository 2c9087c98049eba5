"""What `signoff policy check` warns of: a policy that holds, and may not mean what it seems to."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.policy.errors import PolicyError
from signoff.policy.loader import PRESETS, load_all, parse, preset_text
from signoff.policy.places import is_provider, is_suffix
from signoff.policy.terms import fields, terms


def warned(text: str) -> tuple[str, ...]:
    text = text if text.startswith("version") else f"version: 1\n{text}"
    return parse(text.encode(), "policy.yml").warnings


def when(
    condition: str, verdict: str = "allow", head: str = "extends: none\nautonomy: full_auto"
) -> tuple[str, ...]:
    indented = condition.replace("\n", "\n      ")
    rule = f"  - name: one\n    match: {{action: refund.*}}\n    verdict: {verdict}\n    when: |-\n"
    text = f"{head}\nrules:\n{rule}"
    return warned(f"{text}      {indented}\n")


def test_what_we_give_people_to_start_from_warns_of_nothing() -> None:
    assert load_all("policy.example.yml").warnings == ()
    for name in PRESETS:
        assert parse(preset_text(name).encode(), name).warnings == ()
        assert warned(f"extends: {name}\ninternal_domains: [example.com, '*.example.co.uk']") == ()


def test_a_warning_names_its_place_and_keeps_the_policy() -> None:
    (line,) = when("payload.amount < 100")
    assert line.startswith("policy.yml:8:5: warning: ") and line.endswith(".")


@pytest.mark.parametrize(
    "domain",
    ["gmail.com", "*.gmail.com", "outlook.com", "hotmail.co.uk", "yahoo.de", "icloud.com", "gmx.net",
     "qq.com", "web.de",
     "proton.me", "mail.ru", "live.nl", "com", "*.com", "co.uk", "*.co.uk", "com.au", "localhost",
     "corp", "org",
     "uk.com", "eu.org", "*.duckdns.org", "us.com", "ddns.net",
     "github.io", "*.herokuapp.com", "*.s3.amazonaws.com", "onmicrosoft.com"],
)  # fmt: skip
def test_a_domain_that_is_anybodys(domain: str) -> None:
    (line,) = warned(f"internal_domains: [example.com, '{domain}']")
    assert line.startswith("policy.yml:2:33:")


@pytest.mark.parametrize(
    "domain", ["example.com", "*.example.com", "my-gmail.com", "example.co.uk", "corp.io", "a.b.c.de"]
)
def test_a_domain_of_ones_own(domain: str) -> None:
    assert warned(f"internal_domains: ['{domain}']") == ()
    assert not is_provider(domain) and not is_suffix(domain)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("rules: [{name: a, verdict: allow}]", "lets everything run"),
        ("extends: balanced\nrules: [{name: a, verdict: notify}]",
        "lets everything run that no list holds, and nothing"),
        ("rules: [{name: a, match: {action: '*'}, verdict: allow}]", "lets everything run"),
        ("rules: [{name: a, match: {action: [x, '?*']}, verdict: allow}]", "lets everything run"),
        ("rules: [{name: a, match: {agent: '*'}, verdict: allow}]", "lets everything run"),
        ("rules: [{name: a, match: {action: ['*.*', '*_*']}, verdict: allow}]", "lets everything run"),
        ("rules: [{name: a, match: {agent: bot}, verdict: allow}]", "lets everything run"),
        ("rules: [{name: a, match: {risk: [low, medium, high, critical]}, verdict: allow}]",
        "lets everything run"),
        ("rules: [{name: a, verdict: allow, when: 'true'}, {name: b, verdict: ask}]",
        "nothing after it decides"),
        ("rules: [{name: a, verdict: allow, when: '1 == 1'}]", "lets everything run"),
        ("never_ask: ['*']", "lets everything run"),
        ("never_ask: ['**']", "lets everything run"),
        ("never_ask: [x.y]\nblock: ['x.*']", "block has x.y, too"),
        ("never_ask: ['@money']\nalways_ask: ['@money']", "always_ask has @money, too"),
        ("risk: {'*': low}", "nobody knows count as low"),
        ("reversibility: {'*': reversible}", "nobody knows count as reversible"),
        ("agents: {'*': {autonomy: full_auto}}", "every agent"),
        ("block: ['x.*']\nrules: [{name: a, match: {action: x.y}, verdict: ask}]", "block blocks all"),
        ("always_ask: ['x.*']\nrules: [{name: a, match: {action: x.y}, verdict: allow}]",
        "always_ask holds all"),
        ("rules: [{name: a, match: {class: message-outside}, verdict: allow}]", "always_ask holds all"),
        ("rules: [{name: a, match: {tags: [harmless]}, verdict: allow}]", "a claim frees nothing"),
        (
            "autonomy: full_auto\nrules: [{name: a, match: {class: money, tags: [big]}, verdict: ask}]",
            "an agent that does not say big",
        ),
        (
            "rules:\n - {name: a, match: {action: 'x.*'}, when: payload.a == 1, verdict: ask}\n"
            " - {name: b, match: {action: x.y}, when: payload.a == 1, verdict: block}",
            "may never decide, as 'a'",
        ),
        (
            "rules:\n - {name: a, match: {action: 'x.*'}, when: 'true', verdict: ask}\n"
            " - {name: b, match: {action: x.y}, when: payload.a == 1, verdict: block}",
            "may never decide, as 'a'",
        ),
    ],
)  # fmt: skip
def test_what_a_file_may_not_mean(text: str, says: str) -> None:
    assert any(says in line for line in warned(text)), warned(text)


@pytest.mark.parametrize(
    "text",
    [
        "rules: [{name: a, match: {action: 'x.*'}, verdict: allow}]", "rules: [{name: a, verdict: ask}]",
        "rules: [{name: a, match: {class: file-read}, verdict: allow}]",
        "rules: [{name: a, verdict: block}]",
        "rules: [{name: a, match: {tags: [money]}, verdict: ask}]", "never_ask: ['search.*']",
        "risk: {'x.*': low}",
        "autonomy: supervised\nrules: [{name: a, match: {action: x, tags: [big]}, verdict: ask}]",
        "agents: {bot: {autonomy: full_auto}}", "risk: {'*': high}", "sensitive_fields: [ssn]",
    ],
)  # fmt: skip
def test_what_is_plain_is_not_warned_of(text: str) -> None:
    assert warned(text) == ()


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        ("payload.amount > 100 ? false : true", "may turn a test round"),
        ("payload.amount <= 100 || payload.amount >= 0", "any payload.amount passes"),
        ("payload.a == 1 && (payload.amount >= 0 || payload.amount < 100)", "any payload.amount passes"),
        ('!payload.cmd.startsWith("rm")', "name what is fine"),
        ('!payload.to.contains("evil")', "name what is fine"),
        ('!(payload.name.endsWith("x") || payload.b == 1)', "name what is fine"),
        ('action != ""', "name actions"),
    ],
)
def test_a_condition_that_frees_more_than_it_seems_to(condition: str, says: str) -> None:
    assert any(says in line for line in when(condition)), when(condition)


@pytest.mark.parametrize(
    "condition",
    [
        "payload.amount >= 0 && payload.amount <= 100",
        "(payload.a >= 0 && payload.a < 9) || (payload.a >= 20 && payload.a < 29)",
        "!(payload.amount > 100 || payload.amount < 0)",
    ],
)
def test_bounds_that_hold_are_not_warned_of(condition: str) -> None:
    assert when(condition) == ()


BOUNDS = [
    ("payload.amount < 100", True), ("payload.amount <= 100", True), ("100 > payload.amount", True),
    ("!(payload.amount > 100)", True), ("!(payload.amount >= 100 || payload.currency == 'USD')", True),
    ("double(payload.amount) < 100.0", True), ("payload.amount * 2 < 100", True),
    ("payload['amount'] < 100", True), ("payload.a.amount < 100 && payload.b.amount > 0", True),
    ("!!(payload.amount < 100)", True),
    ("payload.rows.size() > 0 && payload.rows.all(r, r.amount < 100)", True),
    ("payload.amount < payload.limit", True), ("action == 'refund.create' && payload.amount < 100", True),
    ("payload.amount < 100 && payload.amount != 0", True),
    ("payload.amount < 100 && payload.amount >= 0", False),
    ("0 <= payload.amount && payload.amount < 100", False),
    ("!(payload.amount > 100 || payload.amount < 0)", False), ("payload.amount == 100", False),
    ("size(payload.a) < 9", False), ("payload.amount > 0 && payload.amount <= 50", False),
    ("payload.rows.size() < 9", False), ("payload.amount > 5", False), ("payload.note == 'a < b'", False),
    ("payload.n in [1, 2]", False),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "doubted"), BOUNDS)
def test_a_comparison_without_a_lower_bound(condition: str, doubted: bool) -> None:
    found = when(condition)
    assert any("lower bound" in line or "both sides" in line for line in found) is doubted, found


def test_a_rule_that_asks_about_large_ones_lets_negative_ones_run() -> None:
    assert "a negative payload.amount is not held" in when("payload.amount > 1000", "ask")[0]
    assert when("payload.amount > 1000 || payload.amount < 0", "ask") == ()
    assert when("payload.amount > 1000", "ask", "autonomy: supervised") == ()  # they are asked about anyway


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        ("payload.url.startsWith('https://api.example.com')", "use host_in"),
        ("payload.callbackUrl.contains('example.com')", "use host_in"),
        ("payload.endpoint.matches('^https://api\\\\.example\\\\.com')", "use host_in"),
        ("payload.user.endsWith('@corp.com')", "use !is_external"),
        ("payload.url.matches('api.example.com')", "a dot in a pattern"),
        ("payload.target.matches('^https://api.example.com/$')", "a dot in a pattern"),
        ("payload.target.startsWith('https://example.com')", "use host_in"),
        ("payload.url.endsWith('example.com')", "use host_in"),
        ("payload.urls[0].matches('example')", "use host_in"),
        ("string(payload.url).startsWith('x')", "use host_in"),
        ("payload['url'].startsWith('x')", "use host_in"),
        ("payload.rows.size() > 0 && payload.rows.all(r, r.url.startsWith('x'))", "use host_in"),
        ("any_glob(payload.url, ['https://*.example.com/*'])", "use host_in"),
        ("payload.host.endsWith('example.com')", "use host_in"),
        ("payload.email.endsWith('@corp.com')", "is_external"),
        ("payload.to.endsWith('corp.com')", "without a dot or @"),
        ("payload.path.startsWith('/tmp/')", "/tmp/../etc"),
        ("any_glob(payload.path, ['/tmp/*'])", "/tmp/../etc"),
        ("payload.sql.startsWith('SELECT')", "DROP TABLE"),
        ("any_glob(payload.command, ['git *'])", "rm -rf"),
        ("payload.name.contains('test')", "the rest of payload.name"),
        ("payload.name.matches('test')", "without ^ and $"),
        ("payload.name.matches('^a|b$')", "without ^ and $"),
        ("payload.name.matches('(?m)^a$')", "without ^ and $"),
        ("payload.name.matches('^a\\\\$')", "without ^ and $"),
        ("payload.name.matches('(?i)^task$')", "(?i)"),
        ("any_glob(payload.name, ['taſk1'])", "outside ASCII"),
        ("any_glob(payload.name, ['\u212aelvin*'])", "outside ASCII"),
        ("host_in(payload.url, ['exämple.com'])", "punycode"),
        ("host_in(payload.url, ['*example.com'])", "evilexample.com"),
        ("host_in(payload.url, ['api.*'])", "api.evil.test"), ("host_in(payload.url, ['*'])", "evil.test"),
        ("host_in(payload.url, ['*.com'])", "below com"),
        ("host_in(payload.url, ['*.co.uk'])", "below co.uk"),
        ("host_in(payload.url, ['*.github.io'])", "below github.io"),
        ("payload.rows.all(r, r.ok)", "empty list"),
        ("payload.rows.all(r, r.ok) && payload.x.size() > 0", "empty list"),
        ("payload.rows.exists(r, r.ok)", "nothing of the others"),
        ("payload.env != 'production'", "name what is fine"),
        ("!(payload.env == 'production')", "name what is fine"),
        ("!(payload.env in ['prod'])", "name what is fine"),
        ("'production' != payload.env", "name what is fine"),
        ("'read' in payload.scopes", "nothing of what else"), ("payload.approved", "own word"),
        ("payload.reason == 'ok'", "own word"), ("has(payload.justification)", "own word"),
        ("cost < 5.0", "frees nothing"), ("confidence > 0.9", "frees nothing"),
        ("'safe' in tags", "frees nothing"), ("run == 'night'", "frees nothing"),
        ("attempts == 0", "frees nothing"),
    ],
)  # fmt: skip
def test_what_a_condition_that_frees_may_not_mean(condition: str, says: str) -> None:
    assert any(says in line for line in when(condition)), when(condition)


@pytest.mark.parametrize(
    "condition",
    [
        "payload.currency == 'EUR'", "payload.env in ['dev', 'staging']",
        "host_in(payload.url, ['*.example.com', 'a.test'])",
        "!is_external(payload.to)", "any_glob(payload.name, ['task-*'])",
        "payload.name.matches('^task-[0-9]+$')",
        "any_glob(payload.path, ['/tmp/*']) && !payload.path.contains('..')", "payload.note != ''",
        "payload.rows.size() > 0 && payload.rows.all(r, r.ok)",
        "size(payload.rows) > 0 && payload.rows.all(r, r.ok)",
        "payload.host.endsWith('.example.com')", "payload.name.matches('^(a|b)$')",
        "payload.sku.startsWith('A-')",
        "action == 'refund.create'", "payload.ok == true", "payload.text == 'cost < 5.0'", "risk == 'low'",
    ],
)  # fmt: skip
def test_what_a_condition_plainly_means(condition: str) -> None:
    assert when(condition) == ()


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        ("payload.url.contains('production')", "use host_in"),
        ("payload.url.matches('prod')", "use host_in"),
        ("!payload.url.startsWith('https://example.com')", "use host_in"),
        ("payload.env == 'production'", "in capitals"), ("payload.env in ['production']", "in capitals"),
        ("!payload.rows.all(r, r.ok)", "empty list"),
    ],
)  # fmt: skip
def test_what_a_condition_that_asks_may_miss(condition: str, says: str) -> None:
    assert any(says in line for line in when(condition, "ask")), when(condition, "ask")


def test_a_rule_that_asks_is_not_doubted_where_the_rest_asks_anyway() -> None:
    assert when("payload.env == 'production'", "ask", "autonomy: supervised") == ()
    assert when("!(payload.env in ['dev'])", "ask") == ()


def test_the_terms_of_a_condition() -> None:
    one, two = terms("!(payload.a.b >= 5 && 'x' in payload['c'])")
    assert (one.name, one.paths, one.negated) == (">=", ("payload.a.b",), True)
    assert (two.name, two.others, two.left_texts, two.negated) == ("in", ("payload.c",), ("x",), True)
    assert fields("payload.a.size() + double(payload.b) > 1.0 && has(payload.c)") == {
        "payload.b",
        "payload.c",
    }
    (call,) = (
        one for one in terms("a && !string(payload.x[0].y).startsWith(r'\\d')") if one.name == "startsWith"
    )
    assert (call.paths, call.texts, call.negated) == (("payload.x.y",), ("\\d",), True)


PIECES = st.sampled_from(
    ["payload", ".x", ".url", "['a']", "(", ")", "[", "]", ",", "'a'", "r'b'", "1", "==", "!=", "<",
     "<=", "&&", "||", "!",
     " in ", ".matches('a|b')", ".all(r, r.x)", ".startsWith('x')", "any_glob", "size", "double", "?",
     ":", "tags", "cost"]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, max_size=14).map("".join))
def test_no_condition_makes_it_stumble(text: str) -> None:
    terms(text), fields(text)
    with suppress(PolicyError):
        when(text)


@pytest.mark.parametrize(
    "text", ["!" * 1999, "(" * 1000 + ")" * 999, "payload.x<1&&" * 150, "a." * 999, "[" * 999, "''" * 900]
)
def test_no_condition_makes_it_slow(text: str) -> None:
    start = time.process_time()
    terms(text), fields(text)
    assert time.process_time() - start < 1


def test_a_long_file_is_checked_quickly() -> None:
    """Half a second on a quiet machine."""
    rules = "".join(
        f" - {{name: r{n}, match: {{action: 'a{n}.*', tags: [t{n}]}}, verdict: ask, when: payload.a > {n}}}\n"
        for n in range(700)
    )
    start = time.process_time()
    assert len(warned(f"extends: none\nautonomy: full_auto\nrules:\n{rules}")) >= 0
    assert time.process_time() - start < 10


LIMIT = "limits: {per_day: {sum: payload.amount, by: payload.currency, most: 2000}}"


@pytest.mark.parametrize(
    ("condition", "doubted"),
    [
        ("payload.amount > 0 && payload.amount <= 50", True),
        ("payload.amount > 0 && payload.amount <= 50 && payload.currency in ['EUR', 'USD']", False),
    ],
)
def test_a_sum_for_whatever_an_agent_may_write(condition: str, doubted: bool) -> None:
    found = warned(
        "extends: none\nrules:\n  - name: small\n    match: {action: refund.*}\n    verdict: allow\n"
        f'    when: "{condition}"\n    {LIMIT}\n'
    )
    assert any("has a sum of its own" in line for line in found) == doubted, found


def test_what_a_sum_does_not_let_run_is_another_rules() -> None:
    """The same condition twice: the second decides what the first may not any more."""
    rule = "    match: {action: refund.*}\n    when: payload.amount > 0 && payload.currency == 'EUR'\n"
    found = warned(
        f"extends: none\nrules:\n  - name: within\n{rule}    verdict: allow\n    {LIMIT}\n"
        f"  - name: past\n{rule}    verdict: ask\n"
    )
    assert not any("may never decide" in line for line in found), found
