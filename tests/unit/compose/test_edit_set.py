"""Setting a key: what the text looks like afterwards."""

from __future__ import annotations

import pytest

from kobako.compose.document import Path, Value
from kobako.compose.edit import set_key
from unit.compose.samples import ANCHORS, MISSION

SERVICE: Path = ("services", "mmdetection")


@pytest.mark.parametrize(
    ("path", "value", "old", "new"),
    [
        (("shm_size",), "16gb", "'8gb'", "'16gb'"),
        (("shm_size",), 8, "'8gb'", "8"),
        (("container_name",), "other", "container_name: mmdetection", "container_name: other"),
        (("container_name",), "yes", "container_name: mmdetection", 'container_name: "yes"'),
        (("volumes", 1), "./d:/d", '"./data:/workspace/data"', '"./d:/d"'),
        (("build", "args"), {"A": "1"}, "docker/mmdetection\n", 'docker/mmdetection\n      args:\n        A: "1"\n'),
        (("build", "args", "A"), None, "docker/mmdetection\n", "docker/mmdetection\n      args:\n        A: null\n"),
        (("build",), ".", "\n      context: .\n      dockerfile: ./docker/mmdetection", " ."),
        (("build",), {"context": "."}, "\n      dockerfile: ./docker/mmdetection", ""),
        (
            ("deploy", "resources", "reservations", "devices", 0, "capabilities"),
            ["gpu", "compute"],
            "[gpu]",
            "[gpu, compute]",
        ),
        (
            ("deploy", "resources", "reservations", "devices", 0, "count"),
            "all",
            "[gpu]\n",
            "[gpu]\n              count: all\n",
        ),
        (("deploy", "resources", "reservations", "devices"), [], "\n            - driver: nvidia\n              capabilities: [gpu]", " []"),
        (
            ("x-kobako",),
            {"verify": {"command": ["python", "-c"]}, "entry": "a b"},
            "[gpu]\n",
            '[gpu]\n    x-kobako:\n      verify:\n        command:\n          - python\n          - "-c"\n      entry: a b\n',
        ),
    ],
)  # fmt: skip
def test_the_mission(path: Path, value: Value, old: str, new: str) -> None:
    assert MISSION.count(old) == 1
    assert set_key(MISSION, SERVICE + path, value) == MISSION.replace(old, new)


@pytest.mark.parametrize(
    ("text", "path", "value", "new"),
    [
        # scalars in place, quotes and comments kept
        ("a: b\n", ("a",), "c", "a: c\n"),
        ("a: b", ("a",), "c", "a: c"),
        ("a: 'it''s'  # why\n", ("a",), "it's", "a: 'it''s'  # why\n"),
        ("a: 'b'  # why\n", ("a",), "it's", "a: 'it''s'  # why\n"),
        ('a: "b"\t# why\r\n', ("a",), "c", 'a: "c"\t# why\r\n'),
        ("a: 'b'\n", ("a",), "c\nd", 'a: "c\\nd"\n'),
        ("a: b\n", ("a",), "c: d", 'a: "c: d"\n'),
        ("a: 'x'\nb: c\n", ("b",), "", "a: 'x'\nb: ''\n"),
        ("a: b\n", ("a",), True, "a: true\n"),
        ("a: b\n", ("a",), 1.5, "a: 1.5\n"),
        ("a:\tb\n", ("a",), "c", "a:\tc\n"),
        ("\ufeffa: b\n", ("a",), "c", "\ufeffa: c\n"),
        ("a: b\n  c # d\ne: f\n", ("a",), "x", "a: x # d\ne: f\n"),
        ("? a\n: b\n", ("a",), "c", "? a\n: c\n"),
        # nothing there yet
        ("a:\nb: 1\n", ("a",), "x", "a: x\nb: 1\n"),
        ("a:   # c\nb: 1\n", ("a",), "x", "a: x   # c\nb: 1\n"),
        ("a: null # c\n", ("a",), "x", "a: x # c\n"),
        ("a: &x # c\nb: 1\n", ("a",), "x", "a: &x x # c\nb: 1\n"),
        ("a:\n  # c\nb: 1\n", ("a", "k"), 1, "a:\n  # c\n  k: 1\nb: 1\n"),
        ("a:\nb:\n    c: 1\n", ("a", "k"), 1, "a:\n    k: 1\nb:\n    c: 1\n"),
        ("a: {}\n", ("a", "k"), 1, "a:\n  k: 1\n"),
        ("a: {} # c\nb: 1\n", ("a", "k", "l"), 1, "a: # c\n  k:\n    l: 1\nb: 1\n"),
        ("a: ~ # c\n", ("a", "k"), 1, "a: # c\n  k: 1\n"),
        ("a:\n  -\n  - b\n", ("a", 0), "x", "a:\n  - x\n  - b\n"),
        ("a:\n  -\n  - b\n", ("a", 0), {"k": 1, "l": 2}, "a:\n  - k: 1\n    l: 2\n  - b\n"),
        ("", ("a", "b"), 1, "a:\n  b: 1\n"),
        ("# c\n", ("a",), 1, "# c\n\na: 1\n"),
        ("---\n# c\n...\n", ("a",), 1, "---\n# c\n\na: 1\n...\n"),
        ("--- {}\n", ("a",), 1, "--- \na: 1\n"),
        ("{}\n", ("a",), 1, "a: 1\n"),
        # blocks of text
        ("a: |  # c\n  x\n  y\nb: 1\n", ("a",), "p\n\nq\n", "a: |  # c\n  p\n\n  q\nb: 1\n"),
        ("a: |\n    x\n\n\nb: 1\n", ("a",), "p", "a: |-\n    p\n\n\nb: 1\n"),
        ("a: |  # c\n  x\nb: 1\n", ("a",), 5, "a: 5  # c\nb: 1\n"),
        ("a: |  # c\n  x\nb: 1\n", ("a",), " p\n", 'a: " p\\n"  # c\nb: 1\n'),
        ("a: |  # c\n  x\nb: 1\n", ("a",), {"k": 1}, "a: # c\n  k: 1\nb: 1\n"),
        ("a: >\n  x\n  y\nb: 1\n", ("a",), "p q\n", "a: >\n  p q\nb: 1\n"),
        ("a: >-\n  x\n  y\nb: 1\n", ("a",), "p\nq", "a: |-\n  p\n  q\nb: 1\n"),
        ("a: |\n  x", ("a",), "p\n", 'a: "p\\n"'),
        ("a: b\n", ("a",), "two\nlines\n", 'a: "two\\nlines\\n"\n'),
        # collections in place
        ("a: # c\n  - x\n  # d\n  - y\nb: 1\n", ("a",), "z", "a: z # c\nb: 1\n"),
        ("a: # c\n  - x\nb: 1\n", ("a",), {"k": 1}, "a: # c\n  k: 1\nb: 1\n"),
        ("a:\n- x\nb: 1\n", ("a",), {"k": 1}, "a:\n  k: 1\nb: 1\n"),
        ("a: # c\n  - x\n  - y # d\n\nb: 1\n", ("a",), "z", "a: z # c\n\nb: 1\n"),
        ("a: [x] # c\n", ("a",), "z", "a: z # c\n"),
        ("a: [x] # c\n", ("a",), {"k": "v, w"}, 'a: {k: "v, w"} # c\n'),
        ("a: x # c\n", ("a",), ["p", {"k": 1, "l": [2]}], "a: # c\n  - p\n  - k: 1\n    l:\n      - 2\n"),
        ("a: &x [1]\n", ("a",), [1, 2], "a: &x [1, 2]\n"),
        ("a: &x\n  k: 1\n", ("a",), "z", "a: &x z\n"),
        ("a: &x # c\n  k: 1\n", ("a",), "z", "a: &x z # c\n"),
        ("x: &x {k: 1}\na: *x # c\n", ("a",), {"k": 2}, "x: &x {k: 1}\na: # c\n  k: 2\n"),
        ("a:\n  - x # 1\n  - y # 2\n", ("a",), ["x", "z", "w"], "a:\n  - x # 1\n  - z # 2\n  - w\n"),
        ("a:\n  - x # 1\n  - y # 2\n", ("a",), ["x"], "a:\n  - x # 1\n"),
        ("a:\n  k: 1 # 1\n  l: 2 # 2\n", ("a",), {"l": 3, "m": 4}, "a:\n  l: 3 # 2\n  m: 4\n"),
        ("a:\n  - k: 1\n    l: 2\n", ("a", 0), "x", "a:\n  - x\n"),
        ("a:\n  - x\n", ("a", 0), {"k": 1, "l": 2}, "a:\n  - k: 1\n    l: 2\n"),
        ("a:\n  - - x\n    - y\n", ("a", 0), ["p", "q", "r"], "a:\n  - - p\n    - q\n    - r\n"),
        # tags
        ("a: !reset null # c\n", ("a",), "x", "a: x # c\n"),
        ("a: !override\n  - x\n", ("a",), ["p", "z"], "a: !override\n  - p\n  - z\n"),
        ("a: !reset\n  - x\n", ("a",), ["p", "z"], "a:\n  - p\n  - z\n"),
        ("a: !!str 8 # c\n", ("a",), 8, "a: 8 # c\n"),
        # new keys: behind the last one, with what belongs to it
        ("a: 1", ("b",), 2, "a: 1\nb: 2"),
        ("a: 1 # c\r\n", ("b",), 2, "a: 1 # c\r\nb: 2\r\n"),
        ("a: 1\n...\n", ("b",), 2, "a: 1\nb: 2\n...\n"),
        ("a:\n  k: 1\n  # own\n\n# next\nb: 1\n", ("a", "l"), 2, "a:\n  k: 1\n  # own\n  l: 2\n\n# next\nb: 1\n"),
        ("a:\n  k:\n    - x\n    # - y\n#   - z\n# next\nb: 1\n", ("a", "l"), 2, "a:\n  k:\n    - x\n    # - y\n#   - z\n  l: 2\n# next\nb: 1\n"),
        ("a:\n  k: |\n    x\n    # no comment\n\nb: 1\n", ("a", "l"), 2, "a:\n  k: |\n    x\n    # no comment\n  l: 2\n\nb: 1\n"),
        ("a:\n  k: |+\n    x\n\nb: 1\n", ("a", "l"), 2, "a:\n  k: |+\n    x\n\n  l: 2\nb: 1\n"),
        ("a:\n  k: |\n    x\n  \n   \nb: 1\n", ("a", "l"), 2, "a:\n  k: |\n    x\n  l: 2\n  \n   \nb: 1\n"),
        ("a:\n- k: 1\n", ("a", 0, "l"), 2, "a:\n- k: 1\n  l: 2\n"),
        ("a:\n-   k: 1\n", ("a", 0, "l"), 2, "a:\n-   k: 1\n    l: 2\n"),
        ("a:\n  k: 'x'\n  l: 'y'\n", ("a", "m"), "z", "a:\n  k: 'x'\n  l: 'y'\n  m: 'z'\n"),
        ("a:\n- x\nb:\n  c: 1\n", ("b", "d"), ["p"], "a:\n- x\nb:\n  c: 1\n  d:\n  - p\n"),
        # flow style
        ("a: {b: 1}\n", ("a", "c"), "d", "a: {b: 1, c: d}\n"),
        ("a: {b: 1, }\n", ("a", "c"), ["d"], "a: {b: 1, c: [d], }\n"),
        ("a: {b, c: }\n", ("a", "c"), "x", "a: {b, c: x}\n"),
        ("a: {b: {}}\n", ("a", "b", "c"), 1, "a: {b: {c: 1}}\n"),
        ("a: {\n  b: 1, # x\n  c: 2 # y\n}\n", ("a", "d"), 3, "a: {\n  b: 1, # x\n  c: 2, # y\n  d: 3\n}\n"),
        ("a: {\n  b: 1, # x\n  c: 2, # y\n}\n", ("a", "d"), 3, "a: {\n  b: 1, # x\n  c: 2, # y\n  d: 3,\n}\n"),
        ('{"a": {"b": "1"}}\n', ("a", "c"), {"d": "e"}, '{"a": {"b": "1", "c": {"d": "e"}}}\n'),
        ('{"a":1}\n', ("a",), 2, '{"a":2}\n'),
        # several documents
        ("a: {b: 1}\n---\na: {c: 1}\n", ("a", "c"), 2, "a: {b: 1}\n---\na: {c: 2}\n"),
        ("a: {b: 1}\n---\na: {c: 1}\n", ("a", "d"), 2, "a: {b: 1, d: 2}\n---\na: {c: 1}\n"),
        ("x: 1\n---\na:\n  b: 1\n", ("a", "c"), 2, "x: 1\n---\na:\n  b: 1\n  c: 2\n"),
    ],
)  # fmt: skip
def test_anything(text: str, path: Path, value: Value, new: str) -> None:
    assert set_key(text, path, value) == new
    assert set_key(new, path, value) == new


@pytest.mark.parametrize(
    ("path", "value", "old", "new"),
    [
        (("web", "restart"), "no", "    image: web:1\n", '    image: web:1\n    restart: "no"\n'),
        (
            ("web", "environment"),
            {"A": "9"},
            "    image: web:1\n",
            '    image: web:1\n    environment:\n      A: "9"\n',
        ),
        (("worker", "environment", "B"), "c", '      A: "2"\n', '      A: "2"\n      B: "c"\n'),
        (("worker", "environment", "A"), "3", '"2"', '"3"'),
        (("job", "environment"), {"A": "1"}, "environment: *env\n", 'environment:\n      A: "1"\n'),
        (("derived", "image"), "own", "    <<: *base\n", "    <<: *base\n    image: own\n"),
    ],
)
def test_what_an_anchor_holds_stays(path: Path, value: Value, old: str, new: str) -> None:
    assert set_key(ANCHORS, ("services", *path), value) == ANCHORS.replace(old, new)


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        (MISSION, (*SERVICE, "shm_size"), "8gb"),
        (MISSION, (*SERVICE, "build"), {"dockerfile": "./docker/mmdetection", "context": "."}),
        (ANCHORS, ("services", "web", "restart"), "always"),
        ("a: 0x10 # c\n", ("a",), 16),
        ("a:\n", ("a",), None),
    ],
)
def test_what_is_there_already_stays_as_it_is_written(text: str, path: Path, value: Value) -> None:
    assert set_key(text, path, value) == text
