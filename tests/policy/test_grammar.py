"""A file that is wrong is refused, with the line, and with what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from policy.policies import THE_ISSUES, policy

from signoff.policy import document
from signoff.policy.errors import PolicyError
from signoff.policy.loader import PRESETS, load, parse

RULE = "rules:\n - name: one\n   verdict: ask\n"


def faults(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        policy(text)
    return list(caught.value.faults)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        # unknown keys
        ("alway_ask: [a]", 2, "alway_ask is no key here: did you mean always_ask?"),
        (f"{RULE}   chanel: x", 5, "chanel is no key here: did you mean channel?"),
        (f"{RULE}   match: {{acton: x}}", 5, "acton is no key here: did you mean action?"),
        ("groups: {finance: {user: [U0A]}}", 2, "did you mean users?"),
        ("agents: {bot: {limits: {hourly: 3}}}", 2, "hourly is no key here: there are pending, per_hour"),
        ("channels: {hihg: x}", 2, "hihg is no key here: did you mean high?"),
        # wrong types and values
        ("rules:", 2, "rules must be a list: start each entry with a dash, or take it out"),
        ("agents: {bot: }", 2, "agents.bot must be an object: write `name: value` under it"),
        ("never_ask: [search.*, null]", 2, "never_ask[2] must be text: put it in quotes"),
        ("rules: [{name: '', verdict: ask}]", 2, "rules[1].name must not be empty: write something"),
        ("version: 2", 1, "version must be 1: write `version: 1`"),
        ('version: "1"', 1, "version must be 1"),
        ("autonomy: guidd", 2, "autonomy must be one of supervised, guided, autonomous, full_auto"),
        ("extends: balancd", 2, "extends must be one of conservative, balanced, permissive"),
        ("always_ask: send_email", 2, "always_ask must be a list: write [a, b]"),
        ("always_ask:\n - a\n - b c", 4, "is not written as it has to be: a glob over actions"),
        ("risk: {a: hihg}", 2, "must be one of low, medium, high, critical"),
        ("risk: {a b: high}", 2, "'a b' cannot stand here: write a glob over actions"),
        ("agents: {Bot: {}}", 2, "'Bot' cannot stand here: write an agent's name"),
        ("agents: {bot: {owner: ben}}", 2, "is not written as it has to be: the person whose agent it is"),
        ("agents: {bot: {limits: {pending: 0}}}", 2, "pending must be at least 1"),
        ("agents: {bot: {limits: {pending: many}}}", 2, "pending must be a whole number"),
        ("groups: {finance: {users: [ben]}}", 2, "a user id, U012ABCDEF"),
        ("groups: {Finance: {users: [U0BEN]}}", 2, "write a group's name in a-z"),
        (f"{RULE}   when: true", 5, "must be text: write a condition in quotes"),
        ("rules:\n - name: one", 3, "verdict is required: add it"),
        ("rules:\n - verdict: ask", 3, "name is required"),
        ("rules:\n - name: one\n   verdict: yes", 4, "verdict must be one of allow, notify, ask, block"),
        (f"{RULE}   require: [raison]", 5, "write one or more of reason, impact"),
        # durations
        (f"{RULE}   expires_in: 30 minutes", 5, "write 90s, 30m, 2h or 1d"),
        (f"{RULE}   expires_in: 0s", 5, "write a time from 1s to 30d"),
        (f"{RULE}   expires_in: 31d", 5, "write a time from 1s to 30d"),
        (f"{RULE}   expires_in: -5", 5, "write 90s, 30m, 2h or 1d"),
        # groups
        (f"{RULE}   approvers: [finance]", 5, "there is no group finance: add it to groups"),
        (f"groups: {{finance: {{users: [U0A]}}}}\n{RULE}   approvers: finanse", 6, "did you mean finance?"),
        ("groups: {finance: {}}", 2, "the group finance has nobody: name users or usergroups"),
        ("groups: {members: {users: [U0A]}}", 2, "give the group another name"),
        # headlines
        (f"{RULE}   headline: 'Refund {{amount!r}}'", 5, "{amount!r} names no field"),
        (f"{RULE}   headline: 'Refund {{amount:>9}}'", 5, "names no field"),
        (f"{RULE}   headline: 'Refund {{}}'", 5, "names no field"),
        (f"{RULE}   headline: 'Refund {{0}}'", 5, "names no field"),
        (f"{RULE}   headline: 'Refund {{a[b]}}'", 5, "names no field"),
        (f"{RULE}   headline: 'Refund {{a.__class__}}'", 5, "names no field"),
        (f"{RULE}   headline: 'Refund {{amount'", 5, "a brace has no partner"),
        (f"{RULE}   headline: 'Refund {{{{amount}}}}'", 5, "a brace has no partner"),
        (f'{RULE}   headline: "Refund\\nnow"', 5, "headline: it stands on one line"),
        (f'{RULE}   headline: "Refund\\u202E now"', 5, "characters that are not seen"),
        # conditions
        (f"{RULE}   when: paylod.x > 1", 5, "there is no variable paylod: did you mean payload?"),
        (f"{RULE}   when: is_extern(payload.to)", 5, "no function is_extern: did you mean is_external?"),
        (f"{RULE}   when: payload.x.exist(y, y > 1)", 5, "there is no function exist: did you mean exists?"),
        (f"{RULE}   when: payload.x >", 5, "it is no CEL expression: at character 12"),
        (f"{RULE}   when: 'payload.x.map(y, y) == []'", 5, "`map` is too slow for a long list"),
        (f"{RULE}   when: 'payload.x.filter(y, y > 1) == []'", 5, "`filter` is too slow"),
        (f"{RULE}   when: 'payload.x.all(y, y.exists(z, z > 1))'", 5, "`exists` stands inside another walk"),
        (f"{RULE}   when: payload.x.matches(payload.y)", 5, "write what `matches` looks for as a text"),
        (f"{RULE}   when: payload.x.all(y, y.matches('a'))", 5, "`matches` stands inside a walk over a list"),
        (f"{RULE}   when: payload.x.matches('a(')", 5, "`matches` cannot take this pattern: unclosed group"),
        (f"{RULE}   when: payload.x.matches('(?=a)b')", 5, "this pattern: look-around, including look-ahead"),
        (f"{RULE}   when: payload.x.matches(r'(a)\\1')", 5, "this pattern: backreferences are not supported"),
        (f"{RULE}   when: payload.x.matches('\\\\w{{1,9999}}')", 5, "cannot take this pattern: compiled"),
        (f"{RULE}   when: is_external()", 5, "is_external takes 1 argument: write is_external(payload.to)"),
        (f"{RULE}   when: is_external(payload.to, payload.cc)", 5, "is_external takes 1 argument"),
        (f"{RULE}   when: host_in(payload.url)", 5, "host_in takes 2 arguments: write host_in(payload.url"),
        (f"{RULE}   when: host_in(payload.url, 'a.test')", 5, "host_in takes a list of globs: write host_in"),
        (f"{RULE}   when: payload.path.any_glob('/tmp/*')", 5, "any_glob takes a list of globs"),
        (f"{RULE}   when: '50'", 5, "it can never be evaluated, as it does not say true or false"),
        (f"{RULE}   when: 1 / 0 == 1", 5, "it can never be evaluated"),
        # what means nothing, or never decides
        ("rules: [{name: a, verdict: allow, approvers: [members]}]", 2, "approvers means nothing in a rule"),
        ("rules: [{name: a, verdict: block, headline: x}]", 2, "headline means nothing in a rule"),
        ("rules: [{name: a, verdict: ask, reason: x}]", 2, "reason means nothing in a rule"),
        ("rules:\n - {name: a, verdict: ask}\n - {name: b, verdict: block}", 4, "can never decide, as 'a' "
         "of line 3 has no `when` and matches all that it matches"),
        ("extends: balanced\nrules: [{name: 'balanced, deleting files', match: {action: x}, verdict: ask}]",
         3, "the preset balanced has a rule 'balanced, deleting files', too: rename yours"),
        ("rules:\n - {name: a, verdict: ask, when: 'x'}\n - {name: a, verdict: ask}", 4, "called 'a', too"),
        ("block: ['@mony']", 2, "there is no class mony: did you mean money?"),
        ("risk: {'@mony': low}", 2, "there is no class mony"),
        ("rules: [{name: a, match: {class: mony}, verdict: ask}]", 2, "there is no class mony"),
        ("internal_domains: [Example.com]", 2, "example.com is that domain alone"),
        ("internal_domains: [example..com]", 2, "example..com is no domain: write example.com"),
        # not yet
        (f"{RULE}   quorum: 2", 5, "quorum is no key here"),
        # times
        (f"{RULE}   remind_after: 10m", 5, "remind_after is no key here: did you mean remind?"),
        (f"{RULE}   remind: 10m", 5, "remind must be a list: write [15m, 1h]"),
        (f"{RULE}   remind: [31d]", 5, "remind: write a time from 1s to 30d"),
        (f"{RULE}   remind: [1h, 15m]", 5, "each has to come later than the one before it"),
        (f"{RULE}   expires_in: 1h\n   remind: [1h]", 6, "its time to decide is over by then"),
        (f"{RULE}   escalate: {{after: 1h}}", 5, "escalate must be a list"),
        (f"{RULE}   escalate: [{{after: 1h, to: [managrs]}}]\ngroups: {{managers: {{users: [U0A]}}}}", 5,
         "there is no group managrs: did you mean managers?"),
        (f"{RULE}   clock: sent", 5, "clock"),
        ("rules: [{name: a, match: {action: x}, verdict: allow, remind: [1h]}]", 2,
         "remind means nothing in a rule whose verdict is allow"),
        ("rules: [{name: a, match: {action: x}, verdict: notify, valid: 1h}]", 2,
         "valid means nothing in a rule whose verdict is notify"),
        ("groups: {finance: {users: [U0A], deputies: [U0A]}}", 2, "U0A is all of finance, and nobody's own"),
        ("groups: {finance: {users: [U0A], deputies: [S0B]}}", 2, "U012ABCDEF"),
        ("groups: {finance: {users: [U0A], deputies: []}}", 2, "deputies must have at least 1 entry"),
        ("quiet: {from: '20:00', to: '20:00'}", 2, "nobody would ever be pinged"),
        ("quiet: [{from: '20:00', to: '08:00'}, {from: '08:00', to: '20:00'}]", 2, "nobody would ever"),
        ("quiet: {from: 8pm, to: '07:00'}", 2, '"20:00", in quotes'),
        ("quiet: {from: '20:00', to: '25:00'}", 2, '"07:00", in quotes'),
        ("quiet: {from: '20:00', to: '07:00', zone: Europe/Berln}", 2, "did you mean Europe/Berlin?"),
        ("quiet: [{from: '20:00', to: '07:00', zone: CEST5}]", 2, "there is no zone CEST5"),
        ("quiet: {from: '20:00', to: '07:00', days: [monday]}", 2, "mon"),
        ("quiet: {from: '20:00', to: '07:00', except: [low, medium, high, critical]}", 2, "quiet.except"),
        (f"{RULE}   second_factor: true", 5, "second_factor must be one of totp: write totp"),
        (f"{RULE}   second_factor: passkey", 5, "write totp"),
        (f"{RULE}   session: 5m", 5, "session says nothing without second_factor"),
        (f"{RULE}   second_factor: totp\n   session: 31m", 6, "write a time from 1s to 30m"),
        (f"{RULE}   second_factor: totp\n   session: soon", 6, "write 5m, at most 30m"),
        (f"{RULE}   match: {{risk: critical}}\n   second_factor: totp\n   session: 5m", 7, "take critical"),
        (f"{RULE}   confirm: customer.name", 5, "names no field of the payload: write payload.customer"),
        (f"{RULE}   confirm: payload", 5, "write payload.customer"),
        # examples
        ("examples:\n - request: {action: x y}\n   verdict: ask", 3, "could not be sent: action"),
        ("examples:\n - request: {action: x, agent: Bot}\n   verdict: ask", 3, "agent: a-z, 0-9 and -"),
        ("examples:\n - request: {action: x, reversable: false}\n   verdict: ask", 3,
         "could not be sent: reversable is no field of a request: did you mean reversibility?"),
        # YAML
        ("block: [a]\nblock: [b]", 3, "'block' stands twice here: keep one"),
        ("block: &all [a]", 2, "anchors (&) and aliases (*) are not taken"),
        ("block: *all", 2, "anchors (&) and aliases (*) are not taken"),
        ("block: !!python/object/apply:os.system [x]", 2, "tags (!) are not taken"),
        ("1: x", 2, "a name on the left of a colon has to be a text"),
        ("\tblock: []", 2, "a tab stands where spaces have to"),
        ("block: [a", 2, "a bracket or a comma is missing"),
        ("block: 'a", 2, "a text in quotes does not end"),
        ("---\nversion: 1", 2, "a second document (---) is not taken"),
        ("block: [a]\n  autonomy: guided", 3, "this does not belong here: check how far"),
        ("autonomy: guided: x", 2, "no colon can stand here"),
        ("x: " + "[" * 40 + "]" * 40, 2, "nested deeper than 32 levels"),
        ("x: \x07", 2, "a control character stands here"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(text: str, line: int, said: str) -> None:
    found = [fault for fault in faults(text) if said in fault]
    assert found, faults(text)
    assert found[0].startswith(f"policy.yml:{line}:"), found[0]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "it is empty"),
        (b"# nothing", "it is empty"),
        (b"- a", "this is no policy"),
        (b"text", "this is no policy"),
        (b"version: 1\nblock: [\xff]", "it is not UTF-8"),
        (b"version: 1 #" + b"x" * document.MOST, "at most 262,144 are taken"),
        (b"autonomy: guided", "version is required"),
    ],
)
def test_what_is_no_policy_at_all(data: bytes, said: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse(data, "policy.yml")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "when",
    [
        "host_in(payload.url, ['a.test', 'b.test']) && !is_external([payload.to, payload.cc])",
        "payload.to.is_external() || payload['a,b'].any_glob([payload.x, '*'])",
        "is_external({'email': payload.to}) && host_in((payload.urls[0]), (['a.test']))",
        "payload.x.matches(r'^a\\.b(c|d)+$') && payload.x.matches('(?i)e')",
        "true",
        "payload.rows.all(row, any_glob(row, ['a*', 'b*']))",
    ],
)
def test_a_condition_that_is_written_well_is_taken(when: str) -> None:
    policy(f"{RULE}   when: |\n     {when}")


def test_whole_numbers_may_have_a_point() -> None:
    """JSON Schema takes 20.0 for a whole number; a database does not take it for a count of rows."""
    limits = policy("agents: {bot: {limits: {pending: 20.0, per_hour: 60.0}}}").limits("bot")
    assert isinstance(limits.pending, int) and isinstance(limits.per_hour, int)


def test_all_faults_are_told_at_once_in_the_order_of_lines() -> None:
    found = faults(
        "block: ['@mony']\ninternal_domains: [a..b]\nrules: [{name: a, verdict: ask, approvers: [x]}]"
    )
    assert [fault.split(":")[1] for fault in found] == ["2", "3", "4"]


def test_yamls_odd_truths_are_texts() -> None:
    for text in ("on", "yes", "No", "off", "2026-11-21", "1:30", "010", "0x1f", "1_000", ".inf"):
        assert document.read(f"a: {text}".encode()).values == {"a": text}
    assert document.read(b"a: [true, false, null, ~, 1, -2, 1.5]").values["a"] == [
        True,
        False,
        None,
        None,
        1,
        -2,
        1.5,
    ]


def test_a_file_is_read_from_its_path(tmp_path: Path) -> None:
    file = tmp_path / "policy.yml"
    file.write_text(THE_ISSUES)
    found = load(file, approvers=["U0ANA"], conversation="C1")
    assert (found.approvers, found.conversation, found.text) == (("U0ANA",), "C1", THE_ISSUES)
    with pytest.raises(PolicyError, match="cannot be read"):
        load(tmp_path / "none.yml")
    file.write_text("\ufeff" + THE_ISSUES)  # some editors put a mark before it
    assert load(file).digest == found.digest


def test_the_digest_is_of_the_files_text() -> None:
    assert policy(THE_ISSUES).digest == policy(THE_ISSUES, approvers=("U1",)).digest
    assert policy(THE_ISSUES).digest != policy(THE_ISSUES + "\n").digest


@pytest.mark.parametrize("preset", PRESETS)
def test_the_presets_hold(preset: str) -> None:
    contents = policy(f"extends: {preset}").contents
    assert contents and {rule.source for rule in contents.rules} == {preset}


@pytest.mark.parametrize(
    ("first", "second", "refused"),
    [
        ("{}", "{action: x}", True),
        ("{action: x.*}", "{action: x.y}", True),
        ("{action: x.*}", "{action: 'x.y*'}", True),
        ("{action: [a, x.*]}", "{action: [x.y, x.z]}", True),
        ("{action: x.y}", "{action: x.*}", False),
        ("{action: x.*}", "{action: [x.y, z]}", False),
        ("{action: x.*}", "{}", False),
        ("{agent: b*}", "{agent: billing-bot, action: x}", True),
        ("{agent: b*}", "{action: x}", False),
        ("{risk: [high, critical]}", "{risk: high}", True),
        ("{risk: high}", "{risk: [high, critical]}", False),
        ("{risk: high}", "{action: x}", False),
        ("{tags: [money]}", "{action: x}", False),
        ("{tags: [money, external]}", "{tags: money}", True),
        ("{class: money}", "{class: money, action: x}", True),
        ("{reversibility: costly}", "{reversibility: reversible}", False),
    ],
)
def test_a_rule_that_can_never_decide_is_refused(first: str, second: str, refused: bool) -> None:
    for condition in ("", ", when: payload.x > 1"):
        text = (
            f"rules: [{{name: a, match: {first}, verdict: ask}}, "
            f"{{name: b, match: {second}, verdict: allow{condition}}}]"
        )
        if refused:
            assert "this rule can never decide" in faults(text)[0]
        else:
            policy(text)
    policy(
        f"rules: [{{name: a, match: {first}, when: payload.x > 1, verdict: ask}}, "
        f"{{name: b, match: {second}, verdict: allow}}]"
    )


def test_a_rule_for_everything_does_not_refuse_the_presets_after_it() -> None:
    policy("extends: balanced\nrules: [{name: all, verdict: ask}]")


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_text_makes_it_stumble(data: bytes) -> None:
    try:
        parse(data, "policy.yml")
    except PolicyError as error:
        assert all(fault.startswith("policy.yml:") for fault in error.faults)


LINES = st.sampled_from(
    ["version: 1", "rules:", " - name: a", "   verdict: ask", "   when: payload.x", "x: [", "}", "'", "- &a",
     "|", ">", "%YAML 1.1", "...", "block: [a]", "  - *", "<<: {a: b}", "match: {action: '*'}",
     "risk: {a: low}",
     "groups: 1", "agents: []", "rules: {a: 1}", "rules: [1, [2], null]", "channels: null", "examples: [{}]"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(LINES, max_size=8).map("\n".join))
def test_no_policy_out_of_pieces_makes_it_stumble(text: str) -> None:
    try:
        parse(f"version: 1\n{text}".encode(), "policy.yml")
    except PolicyError as error:
        assert error.faults
