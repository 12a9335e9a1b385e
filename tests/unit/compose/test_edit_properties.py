"""What holds for any file: edits do what they say, touch nothing else, and can be taken back."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from kobako.compose.comments import comments
from kobako.compose.document import Path, Value, find, load, plain
from kobako.compose.edit import add_service, append_item, remove_key, set_key
from kobako.errors import KobakoError, UsageError
from unit.compose.samples import ANCHORS, BLOCK, MISSION

# Values that PyYAML (1.1) and Compose read alike, so that PyYAML can be the judge.
SCALARS = [
    "x",
    "'8gb'",
    '"a # b"',
    "it's",
    "a#b",
    "'it''s'",
    "5",
    "true",
    "~",
    "",
    "機械学習",
    '"\\t"',
    "./a:/b",
    "x  y",
]
BLOCKS = [["|", "a", "", " b"], [">-", "a", "b"], ["|+", "a", ""], ["|  # head", "# text"], ["|"]]
names = st.sampled_from(["image", "build", "volumes", "environment", "deploy", "'quoted'", "x-y", "機械"])


@st.composite
def entries(draw: st.DrawFn, depth: int, anchors: dict[str, bool]) -> list[str]:
    """The lines of a block mapping, without indentation of its own."""
    step = draw(st.sampled_from([2, 2, 4, 1]))
    lines: list[str] = []
    for name in draw(st.lists(names, min_size=1, max_size=4, unique=True)):
        lines += draw(st.sampled_from([[], [], ["# above"], [""], ["", "# above: x"]]))
        tail = draw(st.sampled_from(["", "", "  # behind", "\t# tab", "   "]))
        anchor = ""
        if draw(st.integers(0, 5)) == 0:
            anchor = f"&x{len(anchors)} "
            anchors[anchor[1:-1]] = False
        kind = draw(st.integers(0, 7 if depth else 3))
        complete = [known for known, done in anchors.items() if done]
        if kind == 0 and complete and not anchor:
            lines.append(f"{name}: *{complete[0]}{tail}")
        elif kind <= 2:
            lines.append(f"{name}: {anchor}{draw(st.sampled_from(SCALARS))}{tail}")
        elif kind == 3:
            head, *body = draw(st.sampled_from(BLOCKS))
            lines += [f"{name}: {anchor}{head}", *(" " * step + row if row else "" for row in body)]
        elif kind == 4:
            flow = draw(st.sampled_from(["[gpu]", "[]", "{}", "{a: 1, b: [c]}", "[a, 'b', ]", '{"k":"v"}']))
            lines.append(f"{name}: {anchor}{flow}{tail}")
        elif kind == 5:
            dash = draw(st.sampled_from([0, step]))
            items = draw(
                st.lists(st.sampled_from(["- x", "- 'y'  # item", "-   z", "- k: 1\n  l: 2", "# between"]), max_size=4)
            )
            items = [row for item in ["- first", *items] for row in item.split("\n")]
            lines += [f"{name}: {anchor}{tail}".rstrip(), *(" " * dash + row for row in items)]
        else:
            nested = draw(entries(depth - 1, anchors))
            lines += [f"{name}: {anchor}{tail}".rstrip(), *(" " * step + row if row else "" for row in nested)]
        if anchor:
            anchors[anchor[1:-1]] = True
    return lines


@st.composite
def files(draw: st.DrawFn) -> str:
    anchors: dict[str, bool] = {}
    lines = draw(st.sampled_from([[], ["# head"], ["---"], ["x-a: &c {restart: always}", ""]]))
    lines = [*lines, "services:" + draw(st.sampled_from(["", "  # all"]))]
    for name in draw(st.lists(st.sampled_from(["web", "db", "worker"]), min_size=1, max_size=3, unique=True)):
        body = draw(entries(2, anchors))
        if lines[0].startswith("x-a") and draw(st.booleans()):
            body = ["<<: *c", *body]
        lines += [f"  {name}:", *("    " + row if row else "" for row in body)]
        lines += draw(st.sampled_from([[], [""], ["  # commented: x"], ["", "# far"]]))
    lines += draw(st.sampled_from([[], ["volumes:", "  data:"], ["..."]]))
    text = draw(st.sampled_from(["\n", "\r\n"])).join(lines)
    ending = "\r\n" if "\r\n" in text else "\n"
    return draw(st.sampled_from(["", "\ufeff"])) + text + draw(st.sampled_from([ending, ending, ""]))


def judge(text: str) -> Any:
    """An independent reading: PyYAML's own loader. A deep copy, so that aliased values are told apart."""
    loaded = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return _copy(loaded)


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copy(item) for name, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def below(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


def placed(value: Any, path: Path, new: Value) -> Any:
    for step in path[:-1]:
        if isinstance(value, dict) and not isinstance(value.get(step), (dict, list)):
            value[step] = {}
        value = value[step]
    value[path[-1]] = new


def changed_lines(before: str, after: str) -> tuple[list[str], list[str]]:
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    while old and new and old[0] == new[0]:
        old, new = old[1:], new[1:]
    while old and new and old[-1] == new[-1]:
        old, new = old[:-1], new[:-1]
    return old, new


def paths_of(value: Any, path: Path = ()) -> list[Path]:
    if isinstance(value, dict):
        return [path, *(found for name, item in value.items() for found in paths_of(item, (*path, name)))]
    if isinstance(value, list):
        return [path, *(found for number, item in enumerate(value) for found in paths_of(item, (*path, number)))]
    return [path]


new_values: st.SearchStrategy[Value] = st.sampled_from(
    ["x", "yes", "two\nlines\n", "", 5, None, True, ["a", "b: c"], {"k": "v", "l": [1, {"m": None}]}, [], {}]
)


@given(files())
def test_reading_agrees_with_an_independent_loader(text: str) -> None:
    document = load(text)
    assert plain(document.root) == judge(text)
    assert text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape") == document.text


@given(st.text(st.one_of(st.sampled_from("ab:-# \n\t'\"[]{}&*!|>,?<%@"), st.characters()), max_size=40))
def test_reading_is_total(text: str) -> None:
    try:
        document = load(text)
    except KobakoError as error:
        assert error.code == "invalid-yaml"
        assert error.where is not None
        assert error.where.line is not None
    else:
        for root in document.roots:
            plain(root.node)
        assert all(comment.startswith("#") for comment in comments(document).values())


@given(files(), st.data())
def test_setting_changes_one_value_and_nothing_else(text: str, data: st.DataObject) -> None:
    before = judge(text)
    path = data.draw(st.sampled_from([path for path in paths_of(before) if len(path) > 1]))
    value = data.draw(new_values)
    if data.draw(st.booleans()) and isinstance(below(before, path), dict):
        path = (*path, data.draw(st.sampled_from(["new", "0", "機械"])))
    try:
        after = set_key(text, path, copy.deepcopy(value))
    except UsageError as error:
        assert error.code == "cannot-edit"
        return
    placed(before, path, value)
    assert judge(after) == before
    assert plain(find(load(after), path)) == value
    assert set_key(after, path, value) == after
    kept = [comment for comment in comments(load(text)).values() if comment.startswith("# above")]
    if not isinstance(value, (list, dict)) and path[-1] == "new":
        assert [found for found in comments(load(after)).values() if found.startswith("# above")] == kept


@given(files(), st.data())
def test_setting_what_is_there_leaves_the_text(text: str, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from([path for path in paths_of(judge(text)) if path]))
    try:
        assert set_key(text, path, plain(find(load(text), path))) == text
    except UsageError as error:
        assert error.code == "cannot-edit"


@given(files(), st.data())
def test_removing_takes_one_key_and_nothing_else(text: str, data: st.DataObject) -> None:
    before = judge(text)
    path = data.draw(st.sampled_from([path for path in paths_of(before) if len(path) > 1]))
    try:
        after = remove_key(text, path, with_comment=data.draw(st.booleans()))
    except UsageError as error:
        assert error.code == "cannot-edit"
        return
    found = judge(after)
    del below(before, path[:-1])[path[-1]]
    if isinstance(path[-1], str):
        below(found, path[:-1]).pop(path[-1], None)  # a merged value may show again
    assert found == before


@given(files(), st.sampled_from(["p", "q: r", 5, {"k": ["v"]}]), st.data())
def test_appending_adds_one_item(text: str, value: Value, data: st.DataObject) -> None:
    before = judge(text)
    lists = [path for path in paths_of(before) if isinstance(below(before, path), list)]
    assume(lists)
    path = data.draw(st.sampled_from(lists))
    try:
        after = append_item(text, path, value)
    except UsageError as error:
        assert error.code == "cannot-edit"
        return
    below(before, path).append(value)
    assert judge(after) == before


@given(files(), st.sampled_from([BLOCK, "image: x\n"]))
def test_a_service_added_and_removed_again(text: str, block: str) -> None:
    try:
        after = add_service(text, "new", block)
    except UsageError as error:
        assert "would change" in error.why
        assert not text.endswith("\n") or "|" in text  # a block of text that has no last line end, or trailing blanks
        return
    gone, made = changed_lines(text, after)
    assert gone in ([], [text.splitlines(keepends=True)[-1]])
    assert len(made) >= len(block.splitlines()) + 1
    assert judge(after) == {**judge(text), "services": {**judge(text)["services"], "new": judge(block)}}
    if text.endswith("\n"):
        assert remove_key(after, ("services", "new")) == text


@pytest.mark.parametrize("text", [MISSION, ANCHORS])
def test_every_new_key_adds_lines_only(text: str) -> None:
    services = plain(find(load(text), ("services",)))
    assert isinstance(services, dict)
    for name in services:
        if name != "base":
            after = set_key(text, ("services", name, "x-kobako"), {"source": "a b"})
            gone, made = changed_lines(text, after)
            assert gone == []
            assert [row.strip() for row in made] == ["x-kobako:", "source: a b"]
