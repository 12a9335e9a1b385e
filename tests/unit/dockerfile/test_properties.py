"""What holds for every Dockerfile: all of the text is covered, edits touch what they should, nothing crashes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kobako.dockerfile.edit import Install, Place, add_packages, add_step, remove_packages, remove_step, set_base
from kobako.dockerfile.instruction import Dockerfile
from kobako.dockerfile.parse import parse
from kobako.dockerfile.recipe import base, read_recipe, understand
from kobako.errors import KobakoError
from kobako.model.recipe import Recipe

SLOW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

NAMES = st.sampled_from(["a", "numpy", "mmcls>=0.20.1", "Foo_Bar[x]", "torch==$V", "x~=1.0", "日本"])
GAPS = st.sampled_from(["", "\n", "# c\n", "\n# c\n#\n", " \t\n", "#\n# 日本時間\n#\n", "   # indented\n"])
INNER = st.sampled_from(["", "# for x\n", "    # for y\n", "\n"])
INDENTS = st.sampled_from(["    ", "\t", "  ", " "])
HEADS = st.sampled_from(
    [
        "pip install",
        "A=1 pip3 install --no-cache-dir",
        "apt-get update && apt-get install -y",
        "uv pip install",
        "conda install",
    ]
)
TAILS = st.sampled_from(["", " && rm -rf /x", "; c", " # end", " || true", " > /log", " -i https://x"])
OTHERS = st.sampled_from(
    [
        "ENV A=1 B='c d'",
        "RUN <<EOF\npip install x\n# no comment\nEOF",
        "RUN cat <<-'E F' > a && b\n\tx @\n\tE F",
        "COPY --from=a <<x <<y /z\n1\nx\n2\ny",
        'CMD ["a", "b"]',
        "ONBUILD RUN a @\n  b",
        "run  a@\n# c\n\n  b",
        "ARG V=1",
        'SHELL ["/bin/bash", "-c"]',
        "RUN if a; then pip install b; fi",
        "WORKDIR /workspace",
    ]
)


@st.composite
def installs(draw: st.DrawFn) -> str:
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    shown = [f"'{name}'" if ">" in name else name for name in names]
    indent, inner, head = draw(INDENTS), draw(INNER), draw(HEADS)
    join = f" @\n{inner}{indent}" if draw(st.booleans()) else " "
    return f"RUN {head}{join}{join.join(shown)}{draw(TAILS)}"


@st.composite
def dockerfiles(draw: st.DrawFn) -> str:
    """A Dockerfile in any of the ways a file can be written; ``@`` stands for the escape character."""
    escape = draw(st.sampled_from(["\\", "\\", "`"]))
    top = (
        "# escape=`\n"
        if escape == "`"
        else draw(st.sampled_from(["", "# syntax=docker/dockerfile:1\n", "ARG IMAGE=x\n"]))
    )
    froms = ["FROM x", "from\tx AS a", "FROM --platform=linux/amd64 x:1", "FROM ${IMAGE:-x}"]
    steps = [draw(st.sampled_from(froms)), *draw(st.lists(installs() | OTHERS, max_size=5))]
    if draw(st.booleans()):
        steps.append("FROM y AS b")
        steps += draw(st.lists(installs(), max_size=2))
    body = "".join(draw(GAPS) + step + "\n" for step in steps)
    text = top + body.replace("@", escape) + draw(GAPS)
    text = text if draw(st.booleans()) else text.rstrip("\n")
    text = text.replace("\n", "\r\n") if draw(st.booleans()) else text
    return ("\ufeff" if draw(st.booleans()) else "") + text


def outcome(edit: Callable[[], str]) -> str | None:
    """The new text, or None for an edit that was refused in the one way there is."""
    try:
        return edit()
    except KobakoError as error:
        code = error.code
    assert code == "cannot-edit"
    return None


def sources(dockerfile: Dockerfile) -> list[str]:
    return [dockerfile.source(one) for one in dockerfile.instructions]


def bare(texts: list[str]) -> list[str]:
    return [text.rstrip("\r\n") for text in texts]


@SLOW
@given(dockerfiles())
def test_all_of_the_text_is_in_one_piece_or_another(text: str) -> None:
    dockerfile = parse(text)
    pieces = zip(dockerfile.gaps(), [*sources(dockerfile), ""], strict=True)
    assert "".join(gap + source for gap, source in pieces) == text
    for one in dockerfile.instructions:
        assert "".join(text[one.value.offset(at)] for at in range(len(one.value.text))) == one.value.text


@SLOW
@given(dockerfiles())
def test_every_word_stands_where_it_says(text: str) -> None:
    for step in read_recipe(text).steps:
        for command in step.commands:
            for word in (*command.words, *command.assignments, *command.redirects):
                assert text[slice(*word.span)] == word.text or "\\\n" in text[slice(*word.span)].replace("\r", "")


@SLOW
@given(dockerfiles(), st.sampled_from(["new", "new>=1,<2"]))
def test_a_package_comes_and_goes(text: str, package: str) -> None:
    recipe = read_recipe(text)
    for step in recipe.steps:
        for command in step.commands:
            if command.manager is None:
                continue
            wanted = "new" if command.manager == "apt" else package
            install = Install(command.manager, command.line)
            new = outcome(partial(add_packages, text, install, [wanted]))
            if new is None:
                continue
            before, after = sources(parse(text)), sources(parse(new))
            assert [n for n, pair in enumerate(zip(before, after, strict=True)) if len(set(pair)) > 1] == [step.index]
            assert remove_packages(new, install, ["new"]) == text


@SLOW
@given(dockerfiles())
def test_any_package_can_go(text: str) -> None:
    for step in read_recipe(text).steps:
        for command in step.commands:
            for package in command.packages:
                assert command.manager is not None
                install = Install(command.manager, command.line)
                new = outcome(partial(remove_packages, text, install, [package.name]))
                if new is None:
                    continue
                kept = bare([source for n, source in enumerate(sources(parse(text))) if n != step.index])
                found = bare(sources(parse(new)))
                assert kept in (found, [*found[: step.index], *found[step.index + 1 :]])
                assert new.count("#") >= text.count("#") - step_text(text, step.span).count("#")


def step_text(text: str, span: tuple[int, int]) -> str:
    return text[slice(*span)]


@SLOW
@given(dockerfiles(), st.sampled_from(["", "why", "\n日本\n"]), st.sampled_from(["after", "before"]), st.integers(0, 9))
def test_a_step_comes_and_goes(text: str, comment: str, how: str, number: int) -> None:
    steps = read_recipe(text).steps
    step = steps[number % len(steps)]
    place = (
        Place("before", step) if how == "before" and step.stage >= 0 and step.kind != "from" else Place("after", step)
    )
    instruction = "ARG new" if step.stage < 0 else "RUN new \\\n  more"
    new = outcome(partial(add_step, text, instruction, place, comment=comment))
    if new is None:
        return
    index = step.index + (place.how == "after")
    assert bare([one for n, one in enumerate(sources(parse(new))) if n != index]) == bare(sources(parse(text)))
    added = read_recipe(new).steps[index]
    assert remove_step(new, added, with_comment=bool(comment)) == text


@SLOW
@given(dockerfiles())
def test_the_base_changes_alone(text: str) -> None:
    new = outcome(partial(set_base, text, "new/image:1"))
    if new is None:
        return
    assert base(read_recipe(new)) == "new/image:1"
    pairs = zip(text.split("\n"), new.split("\n"), strict=True)
    assert sum(old != line for old, line in pairs) == 1


TEXTS = st.text(max_size=60) | st.lists(
    st.sampled_from(
        [
            "FROM x",
            "RUN ",
            "pip install a",
            "\\\n",
            "\r\n",
            "\n",
            " ",
            "`",
            "#",
            "# escape=`\n",
            "<<E",
            "E\n",
            "'",
            '"',
            "$(",
            ")",
            "&&",
            ";",
            "{",
            "}",
            "[",
            "]",
            "ONBUILD ",
            "ARG ",
            "ENV a=",
            "\x00",
            "�",
            "\ufeff",
            "\u3000",
            "if ",
            "$",
            "COPY ",
        ]
    ),
    max_size=25,
).map("".join)


@SLOW
@given(TEXTS, st.booleans())
def test_any_text_at_all(text: str, with_from: bool) -> None:
    text = "FROM x\n" + text if with_from else text
    try:
        recipe = understand(parse(text))
    except KobakoError as error:
        refused = error.code
    else:
        refused = ""
        edit_all(text, recipe)
    assert refused in ("", "invalid-dockerfile")


def edit_all(text: str, recipe: Recipe) -> None:
    for step in recipe.steps:
        for command in step.commands:
            if command.manager is None:
                continue
            for edit in (add_packages, remove_packages):
                outcome(partial(edit, text, Install(command.manager, step), ["a", "b"]))
