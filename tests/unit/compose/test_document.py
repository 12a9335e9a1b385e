"""Reading with positions: places, anchors, merge keys, bounds."""

from __future__ import annotations

import pytest
import yaml

from kobako.compose.document import Document, child, find, keys, load, plain
from kobako.compose.nodes import Alias, Mapping, Node, Scalar, Sequence, follow, is_null, walk
from kobako.errors import Where
from unit.compose.samples import ANCHORS, MISSION


def written(document: Document, node: Node | None) -> str:
    assert node is not None
    return document.text[node.body : node.end]


def at(text: str, *path: str | int) -> tuple[str, int, int]:
    """What is written at a path, with line and column."""
    document = load(text)
    node = find(document, path)
    assert node is not None
    return written(document, node), node.line, node.column


def test_the_mission() -> None:
    assert at(MISSION, "services", "mmdetection", "shm_size") == ("'8gb'", 7, 15)
    assert at(MISSION, "services", "mmdetection", "build", "dockerfile") == ("./docker/mmdetection", 6, 19)
    assert at(MISSION, "services", "mmdetection", "volumes", 3) == ('"./pretrain:/workspace/pretrain"', 12, 9)
    devices = ("services", "mmdetection", "deploy", "resources", "reservations", "devices")
    assert at(MISSION, *devices, 0, "capabilities") == ("[gpu]", 19, 29)
    assert at(MISSION, *devices) == ("- driver: nvidia\n              capabilities: [gpu]", 18, 13)
    assert plain(load(MISSION).root) == yaml.safe_load(MISSION)


@pytest.mark.parametrize(
    ("text", "path", "place"),
    [
        ("\ufeffa: b\n", ("a",), ("b", 1, 4)),
        ("\ufeff\na: b\n", ("a",), ("b", 2, 4)),
        ("a: 1\r\nb:\r\n  - c\r\n", ("b", 0), ("c", 3, 5)),
        ("a: 1\rb: 2\r", ("b",), ("2", 2, 4)),
        ("a:\tb\t# c\n", ("a",), ("b", 1, 4)),
        ("a: \U0001f600\nb: \U0001f600x # y\n", ("b",), ("\U0001f600x", 2, 4)),
        ("機械: 学習\n", ("機械",), ("学習", 1, 5)),
        ("a: 'x\u2028y'\nb: c\n", ("b",), ("c", 3, 4)),
        ("a: 1 # \x85b: c\n", ("b",), ("c", 2, 4)),
        ("a: &x !foo # c\n  b\n", ("a",), ("b", 1, 4)),
        ("a: &x\n- b\n", ("a",), ("- b", 1, 4)),
        ("a: !<tag:yaml.org,2002:str> 1\n", ("a",), ("1", 1, 4)),
        ("a: &x # c\n  b: 1\n", ("a",), ("b: 1", 1, 4)),
        ("a: [x, &y z]\n", ("a", 1), ("z", 1, 8)),
        ("a:\nb: 1\n", ("a",), ("", 1, 3)),
        ("a: &x\nb: 1\n", ("a",), ("", 1, 4)),
        ("a:\n  -\n  - b\n", ("a", 0), ("", 2, 4)),
        ("a: |  # c\n  x\n   y\n\n# d\nb: 1\n", ("a",), ("|  # c\n  x\n   y", 1, 4)),
        ("a: |\n  x\n  \n    \nb: 1\n", ("a",), ("|\n  x\n  \n    ", 1, 4)),
        ("a: |\n   x\n  \n\nb: 1\n", ("a",), ("|\n   x", 1, 4)),
        ("a: |+\n  x\n\n\nb: 1\n", ("a",), ("|+\n  x\n\n", 1, 4)),
        ("a: |\n\n\nb: 1\n", ("a",), ("|", 1, 4)),
        ("a: >-\n  x", ("a",), (">-\n  x", 1, 4)),
        ("a: x\n  y # c\n", ("a",), ("x\n  y", 1, 4)),
        ("a: [b,\n  c # d\n  ]\n", ("a",), ("[b,\n  c # d\n  ]", 1, 4)),
        ("a: [b: c]\n", ("a", 0), ("b: c", 1, 5)),
        ("? a\n: b\n", ("a",), ("b", 2, 3)),
        ("%YAML 1.1\n---\na: b\n", ("a",), ("b", 3, 4)),
    ],
)
def test_where_things_stand(text: str, path: tuple[str | int, ...], place: tuple[str, int, int]) -> None:
    assert at(text, *path) == place


def test_documents_and_their_regions() -> None:
    text = "# c\n---\na: 1\n...\n---\nb: 2\n---\n"
    document = load(text)
    assert [text[root.start : root.end] for root in document.roots] == ["\na: 1\n", "\nb: 2\n", "\n"]
    assert find(document, ("b",)) is not None
    assert document.root is not None
    assert keys(document.root) == ("a",)
    assert load("# only a comment\n").roots == ()
    assert load("").root is None


def test_the_first_document_that_has_the_path_is_found() -> None:
    node = find(load("a: {b: 1}\n---\na: {c: 2}\n---\na: {c: 3}\n"), ("a", "c"))
    assert node is not None
    assert plain(node) == 2


def test_anchors_and_merge_keys() -> None:
    document = load(ANCHORS)
    services = plain(find(document, ("services",)))
    assert services == yaml.safe_load(ANCHORS)["services"]
    merged = find(document, ("services", "web", "environment", "B"))
    assert merged is not None
    assert document.where(merged) == Where("", 5, 8)
    alias = find(document, ("services", "job", "environment"))
    assert isinstance(alias, Alias)
    assert (alias.name, alias.line) == ("env", 17)
    assert follow(alias).line == 3
    assert keys(find(document, ("services", "worker"))) == ("environment", "restart")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x: &x {k: 1}\ny: &y {k: 2, l: 2}\na: {k: 0, <<: [*x, *y]}\n", {"k": 0, "l": 2}),
        ("x: &x {k: 1}\ny: &y {k: 2, l: 2}\na: {<<: [*x, *y]}\n", {"k": 1, "l": 2}),
        ("x: &x {k: 1}\ny: &y {<<: *x, l: 2}\na: {<<: *y}\n", {"l": 2, "k": 1}),
        ("x: &x [{k: 1}, {l: 2}]\na: {<<: *x}\n", {"k": 1, "l": 2}),
        ('a: {"<<": 1}\n', {"<<": 1}),
        ("k: &k key\na: {*k : 1}\n", {"key": 1}),
        ("x: &x 1\ny: &x 2\na: [*x]\n", [2]),
        ("a: &x {b: &x 1, c: *x}\n", {"b": 1, "c": 1}),
    ],
)
def test_what_aliases_mean(text: str, value: object) -> None:
    assert plain(find(load(text), ("a",))) == value


def test_nodes() -> None:
    document = load("a: !reset []\nb: &x\n  - 'c'\nd: ~\n")
    root = document.root
    assert isinstance(root, Mapping)
    a, b, d = (root.own[name].value for name in "abd")
    assert isinstance(a, Sequence)
    assert (a.tag, a.flow, a.items) == ("!reset", True, ())
    assert isinstance(b, Sequence)
    assert (b.anchor, b.flow) == ("x", False)
    assert isinstance(b.items[0], Scalar)
    assert (b.items[0].style, b.items[0].value) == ("'", "c")
    assert is_null(d)
    assert [written(document, node) for node in walk(root) if isinstance(node, Scalar)] == ["a", "b", "'c'", "d", "~"]
    assert child(root, 0) is None
    assert child(b, 1) is None
    assert keys(b) == ()


def test_tags_that_compose_knows() -> None:
    text = "ports: !override\n  - 80\nimage: !reset null\nenv: !reset {}\n"
    document = load(text)
    tags = {name: node.tag for name in ("ports", "image", "env") if (node := find(document, (name,))) is not None}
    assert tags == {"ports": "!override", "image": "!reset", "env": "!reset"}


def test_the_pure_parser_gives_the_same_places(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [MISSION, ANCHORS, "\ufeff# c\r\na: &x !t |+\r\n  b\r\n\r\nc: [*x, \U0001f600]\r\n"]
    fast = [[_facts(node) for node in walk_all(load(text))] for text in texts]
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    assert [[_facts(node) for node in walk_all(load(text))] for text in texts] == fast


def walk_all(document: Document) -> list[Node]:
    return [node for root in document.roots if root.node is not None for node in walk(root.node)]


def _facts(node: Node) -> tuple[object, ...]:
    return type(node), node.start, node.body, node.end, node.line, node.column, node.tag, node.anchor
