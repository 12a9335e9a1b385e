"""Adding a service: where it goes and how it is indented."""

from __future__ import annotations

import pytest

from kobako.compose.document import find, load, plain
from kobako.compose.edit import add_service, remove_key
from kobako.errors import UsageError
from unit.compose.samples import ANCHORS, BLOCK, MISSION

ONE = "image: y\n"
NESTED = "build:\n  context: .\nports:\n  - '80'\n"


def test_the_mission() -> None:
    indented = "".join(f"    {line}\n" for line in BLOCK.splitlines())
    assert add_service(MISSION, "new", BLOCK) == MISSION + "  new:\n" + indented


@pytest.mark.parametrize(
    ("text", "block", "new"),
    [
        # nothing there
        ("", ONE, "services:\n  svc:\n    image: y\n"),
        ("\ufeff", ONE, "\ufeffservices:\n  svc:\n    image: y\n"),
        ("# c\n", ONE, "# c\n\nservices:\n  svc:\n    image: y\n"),
        ("# c", ONE, "# c\n\nservices:\n  svc:\n    image: y\n"),
        ("---\n", ONE, "---\nservices:\n  svc:\n    image: y\n"),
        ("---\n# c\n...\n", ONE, "---\n# c\n\nservices:\n  svc:\n    image: y\n...\n"),
        ("{}\n", ONE, "services:\n  svc:\n    image: y\n"),
        # no services
        ("version: '3'\n", ONE, "version: '3'\n\nservices:\n  svc:\n    image: y\n"),
        ("a: 1\nb: 2\n", ONE, "a: 1\nb: 2\nservices:\n  svc:\n    image: y\n"),
        ("a: 1\r\n\r\nb: 2", ONE, "a: 1\r\n\r\nb: 2\r\n\r\nservices:\r\n  svc:\r\n    image: y"),
        ("x:\n    y: 1\n...\n", NESTED, "x:\n    y: 1\n\nservices:\n    svc:\n        build:\n            context: .\n        ports:\n            - '80'\n...\n"),
        # empty services
        ("services:\n", ONE, "services:\n  svc:\n    image: y\n"),
        ("services: # c\nx: 1\n", ONE, "services: # c\n  svc:\n    image: y\nx: 1\n"),
        ("services: {}\n", ONE, "services:\n  svc:\n    image: y\n"),
        ("services: {} # c\n", ONE, "services: # c\n  svc:\n    image: y\n"),
        ("services: null\n", ONE, "services:\n  svc:\n    image: y\n"),
        ("services: &s\nx: 1\n", ONE, "services: &s\n  svc:\n    image: y\nx: 1\n"),
        ("services:\n  # none\n\n# vols\nvolumes: {}\n", ONE, "services:\n  # none\n  svc:\n    image: y\n\n# vols\nvolumes: {}\n"),
        # behind the last one
        ("services:\n  a: {image: x}", ONE, "services:\n  a: {image: x}\n  svc:\n    image: y"),
        ("services:\r\n  a:\r\n    image: x\r\n", ONE, "services:\r\n  a:\r\n    image: x\r\n  svc:\r\n    image: y\r\n"),
        ("services:\n  a: {image: x}\n  b: {image: x}\nvolumes: {}\n", ONE, "services:\n  a: {image: x}\n  b: {image: x}\n  svc:\n    image: y\nvolumes: {}\n"),
        ("services:\n  a: {image: x}\n\n  # b\n  b: {image: x}\nvolumes: {}\n", ONE, "services:\n  a: {image: x}\n\n  # b\n  b: {image: x}\n\n  svc:\n    image: y\nvolumes: {}\n"),
        ("services:\n  a: {image: x}\n\nvolumes: {}\n", ONE, "services:\n  a: {image: x}\n\n  svc:\n    image: y\n\nvolumes: {}\n"),
        ("services:\n  a:\n    image: x # c\n    # ports: []\n  # more\n\n# vols\nvolumes: {}\n", ONE, "services:\n  a:\n    image: x # c\n    # ports: []\n  # more\n\n  svc:\n    image: y\n\n# vols\nvolumes: {}\n"),
        ("services:\n  a: {image: x}\n#  old:\n#    image: x\n# vols\nvolumes: {}\n", ONE, "services:\n  a: {image: x}\n#  old:\n#    image: x\n  svc:\n    image: y\n# vols\nvolumes: {}\n"),
        ("services:\n  a:\n    command: |\n      x\n\nvolumes: {}\n", ONE, "services:\n  a:\n    command: |\n      x\n\n  svc:\n    image: y\n\nvolumes: {}\n"),
        ("services:\n  a: {image: x}\n", "command: |\n  x\n", "services:\n  a: {image: x}\n  svc:\n    command: |\n      x\n"),
        ("services:\n  a: {image: x}", "command: |\n  x\n", "services:\n  a: {image: x}\n  svc:\n    command: |\n      x\n"),
        # the file's own indentation
        ("services:\n    a:\n        image: x\n        ports:\n        - '1'\n", NESTED, "services:\n    a:\n        image: x\n        ports:\n        - '1'\n    svc:\n        build:\n            context: .\n        ports:\n        - '80'\n"),
        ("services:\n a:\n   image: x\n   build:\n     context: .\n", NESTED, "services:\n a:\n   image: x\n   build:\n     context: .\n svc:\n   build:\n     context: .\n   ports:\n     - '80'\n"),
        # flow style
        ("services: {a: {image: x}}\n", NESTED, 'services: {a: {image: x}, svc: {build: {context: .}, ports: ["80"]}}\n'),
        ('{"services": {"a": {"image": "x"}}}\n', ONE, '{"services": {"a": {"image": "x"}, "svc": {"image": "y"}}}\n'),
        ('{"x": 1}', ONE, '{"x": 1, "services": {"svc": {"image": "y"}}}'),
        # the second document has the services
        ("x: 1\n---\nservices:\n  a: {}\n---\ny: 1\n", ONE, "x: 1\n---\nservices:\n  a: {}\n  svc:\n    image: y\n---\ny: 1\n"),
    ],
)  # fmt: skip
def test_where_it_goes(text: str, block: str, new: str) -> None:
    assert add_service(text, "svc", block) == new
    assert plain(find(load(new), ("services", "svc"))) == plain(load(block).root)


def test_a_block_moved_to_another_step() -> None:
    text = "services:\n    a:\n        deploy:\n            devices:\n            - x\n"
    new = add_service(text, "new", BLOCK)
    assert new.removeprefix(text) == (
        "    new:\n"
        "        container_name: new\n"
        "        build:\n"
        "            context: .\n"
        "        # the mounts\n"
        "        volumes:\n"
        "        # data\n"
        "        - ./data:/workspace/data\n"
        "        - type: bind\n"
        "          source: ./configs\n"
        "        command: |\n"
        "          while sleep 1000; do\n"
        "            :\n"
        "          done\n"
        "        deploy:\n"
        "            devices:\n"
        "            - driver: nvidia\n"
        "              capabilities: [gpu]\n"
    )


def test_a_name_that_needs_quotes() -> None:
    assert add_service("services:\n", "on", ONE) == 'services:\n  "on":\n    image: y\n'


@pytest.mark.parametrize(
    "text", [MISSION, ANCHORS, MISSION.replace("\n", "\r\n"), "services:\n  a: {}\n\n  b: {}\n\nx: 1\n"]
)
def test_removed_again_the_text_is_the_same(text: str) -> None:
    assert remove_key(add_service(text, "new", BLOCK), ("services", "new")) == text


@pytest.mark.parametrize(
    ("text", "block", "why", "line"),
    [
        (MISSION.replace("mmdetection:\n", "svc:\n", 1), ONE, "it exists", 3),
        ("x: &x {svc: {}}\nservices:\n  <<: *x\n", ONE, "it exists", 1),
        ("x: &x {a: {}}\nservices: *x\n", ONE, "`services` is the alias `*x`, so its content belongs to line 1", 2),
        ("services: [a]\n", ONE, "`services` is a list", 1),
        ("services: a\n", ONE, "`services` is a plain value", 1),
        ("- a\n", ONE, "the document is a list", 1),
        ("services:\n", "- a\n", "its lines are not a mapping", None),
        ("services:\n  a:\n    command: |\n      x", ONE, "the value of `services.a.command` would change too", 4),
    ],
)
def test_refused(text: str, block: str, why: str, line: int | None) -> None:
    with pytest.raises(UsageError) as caught:
        add_service(text, "svc", block, file="f")
    error = caught.value
    assert (error.code, error.what, error.why) == ("cannot-edit", "cannot add the service `svc`", why)
    assert error.where is not None
    assert (error.where.file, error.where.line) == ("f", line)
    assert error.fix
