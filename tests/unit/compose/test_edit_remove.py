"""Taking keys and items out, adding items, and what is refused."""

from __future__ import annotations

import pytest

from kobako.compose.document import Path, Value
from kobako.compose.edit import append_item, remove_key, set_key
from kobako.errors import UsageError
from unit.compose.samples import ANCHORS, MISSION

AB: Path = ("a", "b")


@pytest.mark.parametrize(
    ("text", "path", "new"),
    [
        ("a: 1 # c\nb: 2\n", ("a",), "b: 2\n"),
        ("a: 1\nb: 2 # c\n", ("b",), "a: 1\n"),
        ("a: 1\nb: 2", ("b",), "a: 1"),
        ("a: 1\r\nb: 2\r\nc: 3\r\n", ("b",), "a: 1\r\nc: 3\r\n"),
        ("\ufeffa: 1\nb: 2\n", ("a",), "\ufeffb: 2\n"),
        ("a: |\n  x\n\nb: 2\n", ("a",), "b: 2\n"),
        ("a: x\n  y\nb: 2\n", ("a",), "b: 2\n"),
        ("# about a\na: 1\nb: 2\n", ("a",), "# about a\nb: 2\n"),
        ("a:\n  b: 1\n  # c: 2\n  # d\n# e\nf: 1\n", ("a",), "# e\nf: 1\n"),
        ("a:\n- x\n# e\nf: 1\n", ("a",), "# e\nf: 1\n"),
        # one of two gaps goes
        ("a: 1\n\nb: 2\n\nc: 3\n", ("b",), "a: 1\n\nc: 3\n"),
        ("a: 1\n\nb: 2\n\nc: 3\n", ("a",), "b: 2\n\nc: 3\n"),
        ("a: 1\n\nb: 2\n\nc: 3\n", ("c",), "a: 1\n\nb: 2\n"),
        ("x:\n  a: 1\n\n  b: 2\n\ny: 1\n", ("x", "b"), "x:\n  a: 1\n\ny: 1\n"),
        ("a: |+\n  x\n\nb: 2\n", ("b",), "a: |+\n  x\n\n"),
        # the last one
        ("a:\n  b: 1 # c\nd: 1\n", AB, "a: {}\nd: 1\n"),
        ("a: # x\n  # y\n  b: 1 # c\nd: 1\n", AB, "a: {} # x\n  # y\nd: 1\n"),
        ("a: &x\n  b: 1\nd: *x\n", ("d",), "a: &x\n  b: 1\n"),
        ("a: &x # c\n  b: 1\n", AB, "a: &x {} # c\n"),
        ("a: !t\n  b: 1\n", AB, None),
        ("a: 1\n", ("a",), "{}\n"),
        ("a: {b: 1}\n", AB, "a: {}\n"),
        ("a:\n  - b: 1 # c\n  - d\n", ("a", 0, "b"), "a:\n  - {}\n  - d\n"),
        ("a:\n  - x\n", ("a", 0), "a: []\n"),
        ("a:\n- x # c\nb: 1\n", ("a", 0), "a: []\nb: 1\n"),
        # beside a dash
        ("a:\n  - b: 1\n    c: 2\n", ("a", 0, "b"), "a:\n  - c: 2\n"),
        ("a:\n  - b: 1\n    c: 2\n", ("a", 0, "c"), "a:\n  - b: 1\n"),
        # items
        ("a:\n  - x # 1\n  # 2\n  - y\n", ("a", 0), "a:\n  # 2\n  - y\n"),
        ("a:\n  - x\n  - y: 1\n    z: 2\n  - w\n", ("a", 1), "a:\n  - x\n  - w\n"),
        ("a:\n-\n- w\n", ("a", 0), "a:\n- w\n"),
        # flow style
        ("a: {b: 1, c: 2}\n", AB, "a: {c: 2}\n"),
        ("a: {c: 2, b: 1}\n", AB, "a: {c: 2}\n"),
        ("a: {c: 2, b: 1,}\n", AB, "a: {c: 2,}\n"),
        ("a: {c, b, d}\n", AB, "a: {c, d}\n"),
        ("a: [1, 2, 3]\n", ("a", 1), "a: [1, 3]\n"),
        ("a: [1]\n", ("a", 0), "a: []\n"),
        ("a: [\n  1, # x\n  2, # y\n]\n", ("a", 1), None),
        # an own value over a merged one
        ("x: &x {b: 1}\na:\n  <<: *x\n  b: 2\n", AB, "x: &x {b: 1}\na:\n  <<: *x\n"),
        ("? a\n: 1\nb: 2\n", ("a",), None),
        ("a: [b: 1]\n", ("a", 0, "b"), None),
        ("a:\n  - - x\n    - y\n", ("a", 0, 0), None),
    ],
)  # fmt: skip
def test_removing(text: str, path: Path, new: str | None) -> None:
    """``None``: refused."""
    if new is None:
        with pytest.raises(UsageError, match="cannot remove"):
            remove_key(text, path)
    else:
        assert remove_key(text, path) == new


@pytest.mark.parametrize(
    ("text", "path", "new"),
    [
        ("x: 1\n\n# about\n# a\na: 1\nb: 2\n", ("a",), "x: 1\n\nb: 2\n"),
        ("x: 1\n\n# about\n# a\na: 1\n\nb: 2\n", ("a",), "x: 1\n\nb: 2\n"),
        ("x:\n# other\n  # a\n  a: 1\n  b: 2\n", ("x", "a"), "x:\n# other\n  b: 2\n"),
        ("x: # y\n  # a\n  a: 1\n", ("x", "a"), "x: {} # y\n"),
    ],
)
def test_removing_with_the_comment_above(text: str, path: Path, new: str) -> None:
    assert remove_key(text, path, with_comment=True) == new


def test_removing_from_the_mission() -> None:
    lines = MISSION.splitlines(keepends=True)
    assert remove_key(MISSION, ("services", "mmdetection", "deploy")) == "".join(lines[:13])
    assert remove_key(MISSION, ("services", "mmdetection", "volumes", 0)) == "".join(lines[:8] + lines[9:])
    assert remove_key(MISSION, ("services", "mmdetection")) == "services: {}\n"


@pytest.mark.parametrize(
    ("text", "value", "new"),
    [
        ("a:\n  - x # c\n  # - y\n\nb: 1\n", "p", "a:\n  - x # c\n  # - y\n  - p\n\nb: 1\n"),
        ("a:\n- x\n# about b\nb: 1\n", "p", "a:\n- x\n- p\n# about b\nb: 1\n"),
        ("a:\n  -   'x'\n", "p", "a:\n  -   'x'\n  -   'p'\n"),
        ("a:\n  - x", {"k": 1, "l": ["q"]}, "a:\n  - x\n  - k: 1\n    l:\n      - q"),
        ("a:\n- x\n", {"k": ["q"]}, "a:\n- x\n- k:\n  - q\n"),
        ("a:\n  -\n", "p", "a:\n  -\n  - p\n"),
        ("a:\n  - x\n", ["p", "q"], "a:\n  - x\n  - - p\n    - q\n"),
        ("a:\n  - x\n", [], "a:\n  - x\n  - []\n"),
        ("a: [x]\r\n", "p: q", 'a: [x, "p: q"]\r\n'),
        ("a: ['x', ]\n", "p", "a: ['x', 'p', ]\n"),
        ('a: ["x",\n    "z"] # c\n', "p", 'a: ["x",\n    "z", "p"] # c\n'),
        ("a: [\n  x, # c\n  z # d\n]\n", "p", "a: [\n  x, # c\n  z, # d\n  p\n]\n"),
        ("a: [\n  x,\n]\n", "p", "a: [\n  x,\n  p,\n]\n"),
        ("a: []\n", "p", "a:\n  - p\n"),
        ("a: # c\n", "p", "a: # c\n  - p\n"),
        ("b: 1\n", "p", "b: 1\na:\n  - p\n"),
    ],
)
def test_appending(text: str, value: Value, new: str) -> None:
    assert append_item(text, ("a",), value) == new


def test_appending_to_the_mission() -> None:
    old = '      - "./pretrain:/workspace/pretrain"\n'
    new = append_item(MISSION, ("services", "mmdetection", "volumes"), "./x:/y")
    assert new == MISSION.replace(old, old + '      - "./x:/y"\n')


SHARED = "the value of `services.derived.image` would change too, which an alias or merge key carries over"
HIDES = "`services.web.environment` comes through a merge key from line 3; to write it here would hide the rest of it"


@pytest.mark.parametrize(
    ("path", "why", "line"),
    [
        (("services", "base", "image"), SHARED, 19),
        (("services", "job", "environment", "A"), "`services.job.environment` is the alias `*env`, so its content belongs to line 3", 17),
        (("services", "web", "environment", "A"), HIDES, 9),
        (("services", "web", "image", "A"), "`services.web.image` is a plain value", 10),
        (("services", 0), "`services` is a mapping", 8),
        (("services", "web", "<<"), "merge keys are not edited", None),
        (("x-common", "restart"), "the value of `services.web.restart` would change too, which an alias or merge key carries over", 2),
        ((), "the path is empty", None),
    ],
)  # fmt: skip
def test_setting_refused(path: Path, why: str, line: int | None) -> None:
    with pytest.raises(UsageError) as caught:
        set_key(ANCHORS, path, "new", file="f")
    error = caught.value
    assert (error.code, error.why) == ("cannot-edit", why)
    assert error.what == f"cannot set `{'.'.join(map(str, path))}`"
    assert error.where is not None
    assert (error.where.file, error.where.line) == ("f", line)


@pytest.mark.parametrize(
    ("path", "why", "line"),
    [
        (("services", "base"), "`*base` on line 21 refers to it", 18),
        (("x-common", "environment"), "`*env` on line 14 refers to it", 3),
        (("services", "web", "restart"), "it comes through a merge key", None),
        (("services", "none"), "it is not there", None),
        (("services", "job", "environment", "A"), "`services.job.environment` is the alias `*env`, so its content belongs to line 3", 17),
    ],
)  # fmt: skip
def test_removing_refused(path: Path, why: str, line: int | None) -> None:
    with pytest.raises(UsageError) as caught:
        remove_key(ANCHORS, path, file="f")
    error = caught.value
    assert (error.code, error.why, error.fix) == ("cannot-edit", why, "make this change by hand")
    assert error.where is not None
    assert error.where.line == line


@pytest.mark.parametrize(
    ("text", "path", "why"),
    [
        ("x: &x {a: [1]}\ny: {<<: *x}\n", ("y", "a"), "the list comes through a merge key"),
        ("x: &x [1]\ny: *x\n", ("y",), "it is the alias `*x`"),
        ("x: 1\n", ("x",), "it is not a list"),
        ("x: &x [1]\ny: *x\n", ("x",), "the value of `y.1` would change too, which an alias or merge key carries over"),
        ("x: [a: 1]\n", ("x", 0, "b", "c"), "a pair without braces stands there"),
    ],
)
def test_appending_refused(text: str, path: Path, why: str) -> None:
    with pytest.raises(UsageError) as caught:
        append_item(text, path, 2)
    assert caught.value.code == "cannot-edit"
    assert caught.value.why == why


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("a: b\n", ("a",), "\udc80"),
        ("a: b\n", ("a",), {"\udc80": 1}),
        ("a: [1]\n", ("a", 3), 1),
        ("a: &x !!str 1\n", ("a",), 2),
        ("a: {? b}\n", ("a", "b"), 1),
        ("a: {b}\n", ("a", "b"), 1),
        ("a:\n  - x # c\n", ("a", 0), {"k": 1, "l": 2}),
        ("a:\n  # c\n  k: 1\nb: &b 1\nc: *b\n", ("b",), 2),
    ],
)
def test_setting_what_cannot_be_set(text: str, path: Path, value: Value) -> None:
    with pytest.raises(UsageError) as caught:
        set_key(text, path, value)
    assert caught.value.code == "cannot-edit"
