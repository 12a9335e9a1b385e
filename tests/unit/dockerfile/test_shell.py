"""The commands of a RUN: words, values, places, and what joins them."""

from __future__ import annotations

import pytest

from kobako.dockerfile.recipe import read_recipe
from kobako.dockerfile.script import commands_of as script_commands
from kobako.model.recipe import Command, Step


def step_of(run: str, before: str = "FROM x\n") -> Step:
    return read_recipe(before + run).steps[-1]


def commands_of(run: str) -> tuple[Command, ...]:
    return step_of(run).commands


def values_of(command: Command) -> list[str | None]:
    return [word.value for word in command.words]


def test_what_joins_commands() -> None:
    commands = commands_of("RUN a && b; c || d | e & f # && g")
    joins = [(one.words[0].text, one.operator.text if one.operator else None) for one in commands]
    assert joins == [("a", None), ("b", "&&"), ("c", ";"), ("d", "||"), ("e", "|"), ("f", "&")]


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("a\\ b", "a b"),
        ("'a  b'", "a  b"),
        ('"  a\\"b\\x"', '  a"b\\x'),
        ("x[y]==1.*", "x[y]==1.*"),
        ("foo'bar'\"baz\"", "foobarbaz"),
        ("a#b", "a#b"),
        ("12", "12"),
        ("$X", None),
        ('"$X"', None),
        ("a${X}b", None),
        ("$(b)", None),
        ("`b`", None),
        ("{a,b}", None),
        ("x{1..3}", None),
        ("'{a,b}'", "{a,b}"),
        ("\\$X", "$X"),
        ("$'a'", None),
        ("日本", "日本"),
    ],
)
def test_values(word: str, value: str | None) -> None:
    (command,) = commands_of(f"RUN prog {word}")
    assert values_of(command) == ["prog", value]
    assert command.words[1].text == word


def test_words_know_their_places() -> None:
    text = "FROM x\r\nRUN é=1 pip3 \\\r\n  # for x\r\n  install \\ \r\n\t'日>=1' && \\\r\n  b\r\n"
    step = read_recipe(text).steps[1]
    for command in step.commands:
        for word in (*command.words, *command.assignments):
            assert text[slice(*word.span)] == word.text
    assert [command.line for command in step.commands] == [2, 6]


def test_assignments_and_redirects() -> None:
    (command,) = commands_of("RUN A=1 B='x y' C=$D pip install a 2>&1 >/dev/null")
    assert [word.value for word in command.assignments] == ["A=1", "B=x y", None]
    assert [word.text for word in command.redirects] == ["2>&1", ">/dev/null"]
    assert values_of(command) == ["pip", "install", "a"]


def test_a_version_without_quotes_is_a_redirect_and_the_rest_are_words() -> None:
    (command,) = commands_of("RUN pip install foo>=1.2 bar")
    assert values_of(command) == ["pip", "install", "foo", "bar"]
    assert [word.text for word in command.redirects] == [">=1.2"]
    assert command.text == "pip install foo>=1.2 bar"


def test_a_redirect_belongs_to_the_last_command() -> None:
    first, second = commands_of("RUN a && b > c")
    assert (first.redirects, [word.text for word in second.redirects]) == ((), ["> c"])


def test_nesting() -> None:
    commands = commands_of("RUN if [ -f a ]; then b; fi && (c) && for i in 1 2; do d $i; done; ! e; f() { g; }; h")
    found = {one.words[0].text: one.nesting for one in commands}
    assert found["b"] == ("if_statement",)
    assert found["c"] == ("subshell",)
    assert found["d"] == ("for_statement", "do_group")
    assert found["e"] == ("negated_command",)
    assert found["g"] == ("function_definition", "compound_statement")
    assert found["h"] == ()


@pytest.mark.parametrize("head", ["<<EOF", "<<-'EOF'", "<<EOF bash -ex", "/bin/sh <<EOF"])
def test_heredoc_as_the_script(head: str) -> None:
    text = f"FROM x\nRUN {head}\nset -e\n# why\npip install \\\n  a\nEOF\nRUN b\n"
    step = read_recipe(text).steps[1]
    assert [values_of(one) for one in step.commands] == [["set", "-e"], ["pip", "install", "a"]]
    assert step.commands[1].line == 5
    assert text[slice(*step.commands[1].words[2].span)] == "a"


def test_heredoc_as_input() -> None:
    first, second = commands_of("RUN cat <<EOF > a.py && pip install b\nimport x\nEOF\n")
    assert values_of(first) == ["cat"]
    assert values_of(second) == ["pip", "install", "b"]
    (python,) = commands_of("RUN python3 -u <<EOF arg\npip install b\nEOF\n")
    assert values_of(python) == ["python3", "-u", "arg"]


def test_a_word_that_the_grammar_loses_makes_the_script_unsound() -> None:
    (python,) = commands_of("RUN python3 - <<EOF\nx\nEOF\n")
    assert not python.sound


def test_another_language_is_not_understood() -> None:
    assert not step_of("RUN <<EOF\n#!/usr/bin/env python3\nx\nEOF\n").understood
    assert step_of("RUN <<EOF\n#!/bin/bash -e\nx\nEOF\n").understood
    assert not step_of("RUN pip install x\n", 'FROM x\nSHELL ["powershell"]\n').understood
    assert step_of("RUN pip install x\n", 'FROM x\nSHELL ["conda", "run", "/bin/bash", "-c"]\n').understood
    assert not step_of("RUN dir\n", "FROM mcr.microsoft.com/windows/servercore\n").understood


def test_the_shell_of_an_earlier_stage_goes_on() -> None:
    before = 'FROM x AS a\nSHELL ["cmd"]\nFROM y AS b\nFROM a\n'
    assert not step_of("RUN b\n", before).understood
    assert step_of("RUN b\n", before + "FROM b\n").understood


def test_a_broken_script_is_not_sound() -> None:
    assert not any(one.sound for one in commands_of("RUN pip install a && if b\n"))
    assert all(one.sound for one in commands_of("RUN pip install a && b\n"))


def test_json_form() -> None:
    (command,) = commands_of('RUN ["pip", "install", "a b"]\n')
    assert command.argv == ("pip", "install", "a b")
    assert command.kind == "pip-install"


def test_undecodable_bytes_keep_the_places() -> None:
    text = b"FROM x\nRUN echo \xff\xfe && pip install a\n".decode("utf-8", "surrogateescape")
    command = read_recipe(text).steps[1].commands[1]
    assert text[slice(*command.words[2].span)] == "a"


def test_a_long_chain() -> None:
    assert len(commands_of("RUN " + " && ".join(["a"] * 3000))) == 3000


@pytest.mark.parametrize(
    "script",
    ["pip install six \0", ") " * 40_000, "a=(" * 40_000, "| " * 60_000],
    ids=["NUL", "ends", "lists", "pipes"],
)
def test_a_script_that_would_take_hours_is_not_sound(script: str) -> None:
    assert not any(command.sound for command in script_commands(script))
    assert [command.sound for command in script_commands("pip install six")] == [True], "the next one is read again"


def test_a_long_script_is_read_whole() -> None:
    assert len(script_commands("pip install six && \\\n" * 1_000 + "echo done")) == 1_001
