"""Parsing: BuildKit's rules, and every character in its place."""

from __future__ import annotations

import pytest

from kobako.dockerfile.instruction import Dockerfile
from kobako.dockerfile.parse import parse
from kobako.errors import UsageError, Where
from unit.dockerfile.samples import MISSION


def joined(dockerfile: Dockerfile) -> str:
    sources = [*(dockerfile.source(one) for one in dockerfile.instructions), ""]
    return "".join(gap + source for gap, source in zip(dockerfile.gaps(), sources, strict=True))


def run_of(text: str) -> str:
    return parse("FROM x\n" + text).instructions[-1].value.text


def test_the_mission_is_read_wholly() -> None:
    dockerfile = parse(MISSION)
    assert [(one.keyword, one.line, one.end_line) for one in dockerfile.instructions] == [
        ("FROM", 6, 6),
        ("RUN", 11, 15),
        ("ENV", 17, 17),
        ("RUN", 22, 23),
        ("RUN", 28, 36),
        ("RUN", 41, 43),
    ]
    assert joined(dockerfile) == MISSION


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("RUN a \\\n b\n", "a  b"),
        ("RUN a \\   \t\n b", "a  b"),
        ("RUN a \\\n# comment\n\n   # another\n b\n", "a  b"),
        ("RUN a \\\r\n b\r\n", "a  b"),
        ("RUN a \\\\\n", "a \\\\"),
        ("RUN a#b # c\n", "a#b # c"),
        ("\t run\ta  \n", "a"),
        ("RUN a \\", "a"),
        ("RUN \\\n  a\n", "a"),
        ("RUN\n", ""),
    ],
)
def test_logical_text(text: str, value: str) -> None:
    assert run_of(text) == value


@pytest.mark.parametrize("text", ["FROM x\nRUN a \\\n  # c\n  b && \\\n\n c\n", "FROM x\r\nRUN é \\\r\n　b\r\n"])
def test_every_character_knows_its_place(text: str) -> None:
    value = parse(text).instructions[1].value
    assert "".join(text[value.offset(at)] for at in range(len(value.text))) == value.text


def test_a_span_ends_with_its_own_text() -> None:
    text = "FROM x\nRUN ab \\\n  cd\n"
    value = parse(text).instructions[1].value
    assert text[slice(*value.span(0, 2))] == "ab"
    assert text[slice(*value.span(0, len(value.text)))] == "ab \\\n  cd"


def test_flags() -> None:
    run = parse('FROM x\nRUN --mount=type=cache,target=/a --network="none" --security -- --b c\n').instructions[1]
    assert [tuple(flag) for flag in run.flags] == [
        ("mount", "type=cache,target=/a"),
        ("network", "none"),
        ("security", None),
    ]
    assert run.value.text == "--b c"


def test_directives_only_at_the_top() -> None:
    dockerfile = parse("# syntax=docker/dockerfile:1\n#escape = `\n# check=skip=all\nFROM x\nRUN a `\n b\\\n")
    assert dockerfile.directives == {"syntax": "docker/dockerfile:1", "escape": "`", "check": "skip=all"}
    assert dockerfile.escape == "`"
    assert dockerfile.instructions[1].value.text == "a  b\\"
    assert parse("# hello\n# escape=`\nFROM x\n").escape == "\\"
    assert parse("\n# escape=`\nFROM x\n").escape == "\\"
    assert parse("\ufeff# escape=`\nFROM x\n").escape == "`"


def test_newline_style() -> None:
    assert parse("FROM x\r\nRUN a\r\n").newline == "\r\n"
    assert parse("FROM x").newline == "\n"


@pytest.mark.parametrize(
    ("text", "heredocs"),
    [
        ("RUN <<EOF\na\nEOF\n", [("EOF", True, "a\n")]),
        ("RUN <<-'E F'\n\ta\n\tE F\n", [("E F", False, "\ta\n")]),
        ("COPY <<a <<b /x\n1\na\n2\nb\n", [("a", True, "1\n"), ("b", True, "2\n")]),
        ("ONBUILD RUN <<EOF\na\nEOF\n", [("EOF", True, "a\n")]),
        ('RUN cat <<"EOF" > x && \\\n  b\n# not a comment\nEOF\n', [("EOF", False, "# not a comment\n")]),
        ("RUN <<EOF\r\na\r\nEOF\r\n", [("EOF", True, "a\r\n")]),
        ("RUN <<EOF\nEOF", [("EOF", True, "")]),
        ("RUN echo '<<EOF'\n", []),
        ("RUN cat<<EOF\n", []),
        ("RUN cat <<<a\n", []),
        ("RUN it's <<EOF\n", []),
        ('RUN ["<<EOF"]\n', []),
        ("ENV a=<<EOF\n", []),
    ],
)
def test_heredocs(text: str, heredocs: list[tuple[str, bool, str]]) -> None:
    dockerfile = parse("FROM x\n" + text)
    found = dockerfile.instructions[1].heredocs
    assert [(one.name, one.expand, dockerfile.text[slice(*one.body)]) for one in found] == heredocs
    assert len(dockerfile.instructions) == 2
    assert joined(dockerfile) == dockerfile.text


def test_json_form() -> None:
    words = [one.words for one in parse('FROM x\nRUN ["a", "b c"]\nRUN [a]\nRUN [ -f x ]\nCMD []\n').instructions]
    assert words == [None, ("a", "b c"), None, None, ()]


def test_onbuild_has_its_instruction() -> None:
    inner = parse("FROM x\nONBUILD COPY --from=y a b\n").instructions[1].inner
    assert inner is not None
    assert (inner.keyword, inner.value.text, [tuple(one) for one in inner.flags]) == ("COPY", "a b", [("from", "y")])


def test_stages() -> None:
    dockerfile = parse("ARG V=1\nFROM a:$V AS one\nRUN x\nfrom one\nRUN y\n")
    assert [one.stage for one in dockerfile.instructions] == [-1, 0, 0, 1, 1]


@pytest.mark.parametrize(
    ("text", "what", "line"),
    [
        ("", "the Dockerfile holds no instruction", 1),
        ("# only\n\n", "the Dockerfile holds no instruction", 2),
        ("FROM x\n\nRUM a\n", "unknown instruction: RUM", 3),
        ("{{ x }}\n", "unknown instruction: {{", 1),
        ("RUN a\nFROM x\n", "RUN stands before the first FROM", 1),
        ("ARG x\n", "the Dockerfile has no FROM", 1),
        ("FROM a b\n", "FROM requires either one or three arguments", 1),
        ("FROM a AS 1b\n", "invalid name for a build stage: 1b", 1),
        ("FROM x\nRUN <<EOF\na\n", "the heredoc EOF has no end", 2),
        ("FROM x\nRUN [1]\n", "RUN's JSON form holds something other than strings", 2),
        ("FROM x\nENV a\n", "ENV must have two arguments", 2),
        ("FROM x\nENV a=1 b\n", "ENV has no = in b", 2),
        ("FROM x\nENV =1\n", "ENV names can not be blank", 2),
        ("FROM x\nLABEL\n", "LABEL requires at least one argument", 2),
        ("FROM x\nCOPY a\n", "COPY requires at least two arguments", 2),
        ("FROM x\nCOPY a <<EOF\nEOF\n", "COPY cannot accept a heredoc as a destination", 2),
        ("FROM x\nWORKDIR\n", "WORKDIR requires an argument", 2),
        ("FROM x\nSHELL bash\n", "SHELL requires its arguments in JSON form", 2),
        ("FROM x\nHEALTHCHECK a\n", "HEALTHCHECK requires CMD or NONE", 2),
        ("FROM x\nHEALTHCHECK NONE a\n", "HEALTHCHECK NONE takes no arguments", 2),
        ("FROM x\nHEALTHCHECK CMD\n", "HEALTHCHECK CMD lacks its command", 2),
        ("FROM x\nONBUILD\n", "ONBUILD requires an instruction", 2),
        ("FROM x\nONBUILD FROM y\n", "FROM is not allowed in ONBUILD", 2),
        ("# escape=x\nFROM x\n", "the escape character is neither \\ nor `: x", 1),
        ("# syntax=a\n# syntax=b\nFROM x\n", "only one syntax directive can be used", 2),
        ("FROM x\nRUN <<'E F'G'\n", None, 0),
        ('FROM x\nRUN << "a\n', None, 0),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, what: str | None, line: int) -> None:
    if what is None:  # a lone quote: BuildKit sees no heredoc there
        assert len(parse(text).instructions) == 2
        return
    with pytest.raises(UsageError) as caught:
        parse(text, "docker/x")
    assert (caught.value.code, caught.value.what) == ("invalid-dockerfile", what)
    assert caught.value.where == Where("docker/x", line)


def test_a_blank_line_within_an_instruction_does_not_end_it() -> None:
    dockerfile = parse("FROM x\nRUN a \\\n\nENV b=1\n")
    assert [one.keyword for one in dockerfile.instructions] == ["FROM", "RUN"]
    assert dockerfile.instructions[1].value.text == "a ENV b=1"
