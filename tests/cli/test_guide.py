"""`signoff help` and `signoff completion`: each command is explained, and shells complete what there is."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from signoff.cli import guide, main

BASH = r"""
source "$1"; shift
function=$(complete -p signoff | sed 's/.*-F \([^ ]*\).*/\1/')
COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
$function signoff "${@: -1}" "${@: -2:1}"
printf '%s\n' "${COMPREPLY[@]}"
"""
"""What bash does when somebody presses the tabulator after these words."""
FISH = 'source $argv[1]; complete -C "$argv[2]"'
CASES = [
    (("req",), {"request"}),
    (("request", "--re"), {"--reason", "--reversible", "--requested-by"}),
    (("request", "--risk", ""), {"low", "medium", "high", "critical"}),
    (("agent", "r"), {"rotate", "remove", "revoke"}),
    (("completion", ""), set(guide.SHELLS)),
    (("help", "doc"), {"doctor"}),
]
INSTALLED = [shell for shell in guide.SHELLS if shutil.which(shell)]


def every() -> Iterator[tuple[str, ...]]:
    """Each command that there is, with those below it."""

    def below(parser: argparse.ArgumentParser, names: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        for name, one in guide._below(parser).items():
            yield (*names, name)
            yield from below(one, (*names, name))

    return below(main._parser(), ())


@pytest.fixture
def signoff(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def run(*arguments: str) -> tuple[int, str, str]:
        code = main.main(arguments)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


Signoff = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize("names", list(every()), ids=" ".join)
def test_help_explains_each_command_as_its_own_option_does(
    names: tuple[str, ...], signoff: Signoff, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = signoff("help", *names)
    with pytest.raises(SystemExit):
        main.main([*names, "--help"])
    assert asked == (0, capsys.readouterr().out, "")
    assert asked[1].startswith(f"usage: signoff {' '.join(names)} ")


def test_help_alone_lists_all(signoff: Signoff) -> None:
    code, out, _ = signoff("help")
    assert code == 0
    for name in guide._below(main._parser()):
        assert re.search(rf"^    {name}\s", out, re.M)


def test_a_command_that_is_none_is_told_which_was_meant(signoff: Signoff) -> None:
    assert signoff("help", "reqest") == (
        2,
        "",
        "signoff: there is no command reqest: did you mean request?\n",
    )
    assert signoff("help", "xyz") == (2, "", "signoff: there is no command xyz: `signoff help` lists them.\n")
    assert signoff("help", "agent", "ad")[2] == "signoff: there is no command ad: did you mean add?\n"


def test_so_it_is_where_it_is_called(signoff: Signoff) -> None:
    assert signoff("shwo", "x") == (2, "", "signoff: there is no command shwo: did you mean show?\n")
    assert signoff("agent", "ad") == (2, "", "signoff: there is no command ad: did you mean add?\n")


@pytest.fixture
def script(signoff: Signoff, tmp_path: Path, shell: str) -> Path:
    """What is printed for a shell, in a file."""
    code, out, _ = signoff("completion", shell)
    assert code == 0
    path = tmp_path / "_signoff"
    path.write_text(out)
    return path


def completed(shell: str, script: Path, *words: str) -> set[str]:
    """What a shell offers after these words."""
    line = ("signoff", *words)
    run = subprocess.run(
        ["bash", "--norc", "-c", BASH, "bash", str(script), *line] if shell == "bash"
        else ["fish", "--no-config", "-c", FISH, str(script), " ".join(line)],
        capture_output=True, text=True, check=True, timeout=30, cwd=script.parent,
        env={**os.environ, "HOME": str(script.parent)},
    )  # fmt: skip
    return {found.partition("\t")[0].strip() for found in run.stdout.splitlines()} - {""}


@pytest.mark.parametrize(("words", "found"), CASES, ids=[" ".join(words) for words, _ in CASES])
@pytest.mark.parametrize("shell", [shell for shell in INSTALLED if shell != "zsh"])
def test_a_shell_completes_what_there_is(
    shell: str, script: Path, words: tuple[str, ...], found: set[str]
) -> None:
    assert completed(shell, script, *words) == found


@pytest.mark.parametrize("shell", [shell for shell in INSTALLED if shell != "zsh"])
def test_a_shell_completes_the_names_of_files(shell: str, script: Path) -> None:
    (script.parent / "settings.env").touch()
    assert completed(shell, script, "serve", "--env-file", "sett") == {"settings.env"}


@pytest.mark.parametrize("shell", INSTALLED)
def test_a_shell_that_is_here_reads_what_is_printed_for_it(shell: str, script: Path) -> None:
    subprocess.run([shell, "-n", str(script)], check=True, timeout=30)


@pytest.mark.parametrize("shell", guide.SHELLS)
def test_every_command_and_option_is_in_it(shell: str, script: Path) -> None:
    text = script.read_text()
    for option in ("--requested-by", "--alternatives", "--env-file", "--once"):
        assert option.lstrip("-") in text
    for names in every():
        assert names[-1] in text
