"""Services, read as Compose understands them: values, places, and what is wrong. See tests/engines for Compose itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kobako.compose import files, project
from kobako.compose.nodes import Node
from kobako.compose.tree import Items, Keys, Leaf, Source, Tree, merge, target_of
from kobako.errors import UsageError, Where
from kobako.model.service import Hints, Mount, Project, Service

MISSION = """\
services:
  mmdetection:
    container_name: mmdetection
    build:
      context: .
      dockerfile: ./docker/mmdetection
    shm_size: '8gb'
    volumes:
      - "./mmdetection:/workspace/mmdetection"
      - "./data:/workspace/data"
    command: /bin/sh -c "while sleep 1000; do :; done"
    deploy:
      resources:
        reservations:
          devices:
            - driver: nvidia
              capabilities: [gpu]
"""


def load(root: Path, content: str | Mapping[str, str], env: Mapping[str, str] | None = None) -> Project:
    written = {"compose.yaml": content} if isinstance(content, str) else content
    for name, text in written.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8", newline="")
    return project.load(files.find(root, {} if env is None else env))[0]


def one(root: Path, body: str, env: Mapping[str, str] | None = None) -> Service:
    return load(root, f"services:\n  a: {body}\n", env).services["a"]


def refused(root: Path, content: str | Mapping[str, str]) -> UsageError:
    with pytest.raises(UsageError) as caught:
        load(root, content)
    return caught.value


def test_the_mission_s_service(tmp_path: Path) -> None:
    found = load(tmp_path, {"docker-compose.yaml": MISSION})
    service = found.services["mmdetection"]
    file = str(tmp_path / "docker-compose.yaml")
    assert (found.root, found.files, found.implicit) == (str(tmp_path), (file,), True)
    assert service.build is not None
    assert service.build.context == str(tmp_path)
    assert service.build.dockerfile == str(tmp_path / "docker" / "mmdetection")
    assert service.build.where == Where(file, 6, 19)
    assert service.mounts == (
        Mount("bind", str(tmp_path / "mmdetection"), "/workspace/mmdetection", where=Where(file, 9, 9)),
        Mount("bind", str(tmp_path / "data"), "/workspace/data", where=Where(file, 10, 9)),
    )
    assert service.command == '/bin/sh -c "while sleep 1000; do :; done"'
    assert service.reserves_nvidia
    assert service.where == Where(file, 3, 5)
    assert (service.title, service.hints, service.user) == ("mmdetection", Hints(), None)


@pytest.mark.parametrize(
    ("body", "reserves"),
    [
        ("{gpus: all}", True),
        ("{runtime: nvidia}", True),
        ("{runtime: runc}", False),
        ("{deploy: {resources: {reservations: {devices: [{capabilities: [gpu]}]}}}}", True),
        ("{deploy: {resources: {reservations: {devices: [{driver: nvidia, capabilities: [compute]}]}}}}", True),
        ("{deploy: {resources: {reservations: {devices: [{driver: cdi, capabilities: [gpu]}]}}}}", False),
        ("{deploy: {resources: {reservations: {devices: [{capabilities: [tpu]}]}}}}", False),
        ("{deploy: {resources: {limits: {memory: 1g}}}}", False),
    ],
)
def test_reservations(tmp_path: Path, body: str, reserves: bool) -> None:
    assert one(tmp_path, body).reserves_nvidia is reserves


@pytest.mark.parametrize(
    ("volume", "mount"),
    [
        ("./a:/b", Mount("bind", "{root}/a", "/b")),
        ('"../a:/b:ro,z"', Mount("bind", "{above}/a", "/b", read_only=True)),
        ("~/a:/b/", Mount("bind", "/home/me/a", "/b")),
        ("~:/b", Mount("bind", "/home/me", "/b")),
        ("/a/:/b:rw", Mount("bind", "/a", "/b")),
        ("'${D:-./d}:/b'", Mount("bind", "{root}/d", "/b")),
        ("a:/b", Mount("volume", "a", "/b")),
        ("/b", Mount("volume", None, "/b")),
        ("{type: bind, source: ./a, target: /b}", Mount("bind", "{root}/a", "/b")),
        (
            "{type: bind, source: a, target: /b, read_only: true, bind: {create_host_path: true}}",
            Mount("bind", "{root}/a", "/b", read_only=True),
        ),
        ("{type: volume, source: a, target: /b}", Mount("volume", "a", "/b")),
        ("{type: tmpfs, target: /b}", Mount("tmpfs", None, "/b")),
        ("'./a b$$:/b'", Mount("bind", "{root}/a b$", "/b")),
    ],
)
def test_volumes(tmp_path: Path, volume: str, mount: Mount) -> None:
    (found,) = one(tmp_path, f"{{volumes: [{volume}]}}", {"HOME": "/home/me"}).mounts
    source = mount.source and mount.source.format(root=tmp_path, above=tmp_path.parent)
    assert found._replace(where=None) == mount._replace(source=source)


@pytest.mark.parametrize(
    ("body", "context", "dockerfile"),
    [
        ("{build: ./app}", "app", "app/Dockerfile"),
        ("{build: {context: app, dockerfile: ../docker/X}}", "app", "docker/X"),
        ("{build: {dockerfile: docker/X}}", ".", "docker/X"),
        ("{build: {context: ., dockerfile_inline: FROM x}}", ".", None),
    ],
)
def test_builds(tmp_path: Path, body: str, context: str, dockerfile: str | None) -> None:
    build = one(tmp_path, body).build
    assert build is not None
    assert build.context == str(tmp_path / context)
    assert build.dockerfile == (dockerfile and str(tmp_path / dockerfile))


@pytest.mark.parametrize("context", ["https://example.com/x.git#main", "git@example.com:x/y", "github.com/x/y"])
def test_a_build_from_afar(tmp_path: Path, context: str) -> None:
    build = one(tmp_path, f"{{build: '{context}'}}").build
    assert build is not None
    assert (build.context, build.dockerfile) == (context, None)


def test_a_service_with_nothing_in_it(tmp_path: Path) -> None:
    found = load(tmp_path, "services:\n  a:\n  b: {image: '${U}', build: }\n").services
    assert (found["a"].image, found["a"].build) == (None, None)
    assert (found["b"].image, found["b"].build) == (None, None)
    assert found["a"].where is not None
    assert found["a"].where.line == 2


@pytest.mark.parametrize("content", ["", "# only a comment\n", "services:\n", "services: {}\n", "x-a: 1\n"])
def test_a_file_without_services(tmp_path: Path, content: str) -> None:
    assert load(tmp_path, content).services == {}


def test_overrides(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        {
            "compose.yaml": "services:\n  a: {image: x, user: me, command: [a], volumes: ['${B:-./b}:/b', './c:/c']}\n",
            "compose.override.yaml": "services:\n  a: {user: , command: [b], volumes: [./d:/b/]}\n  b: {image: y}\n",
        },
    ).services
    assert [mount.source for mount in found["a"].mounts] == [f"{tmp_path}/d", f"{tmp_path}/c"]
    assert (found["a"].user, found["a"].command, found["b"].image) == ("me", ("b",), "y")
    where = found["a"].mounts[0].where
    assert where is not None
    assert (where.file, where.line) == (f"{tmp_path}/compose.override.yaml", 2)


def test_a_null_takes_a_command_away(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        {
            "compose.yaml": "services: {a: {image: x, command: a, entrypoint: [b]}, b: {entrypoint: [a, b]}}\n",
            "compose.override.yaml": "services: {a: {command: , entrypoint: }, b: {entrypoint: a 'b c'}}\n",
        },
    ).services
    assert (found["a"].command, found["a"].entrypoint, found["b"].entrypoint) == (None, None, "a 'b c'")


def test_build_arguments_are_what_compose_makes_of_them(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        {
            "compose.yaml": "services: {a: {build: {context: ., args: {A: 3.10, B: '3.10', C: 1}}}}\n",
            "compose.override.yaml": "services: {a: {build: {args: [C, D=3.10]}}}\n",
        },
    )
    build = found.services["a"].build
    assert build is not None
    assert build.args == {"A": "3.1", "B": "3.10", "C": None, "D": "3.10"}


def test_all_keys_with_their_places(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        {
            "compose.yaml": (
                "services:\n  b: {cap_add: [X]}\n  a:\n    image: x\n    extends: b\n    ports:\n      - '${P:?}:1'\n"
                "    shm_size: 1g\n    links:\n    environment:\n      A: b\n    privileged: true\n    dns: [x]\n"
            ),
            "compose.override.yaml": (
                "services:\n  a:\n    privileged: !reset false\n    shm_size: 2g\n    dns:\n    tty: true\n"
                "    environment: {C: d}\n"
            ),
        },
    )
    base, over = f"{tmp_path}/compose.yaml", f"{tmp_path}/compose.override.yaml"
    assert found.services["a"].keys == (
        ("cap_add", Where(base, 2, 7)),
        ("image", Where(base, 4, 5)),
        ("ports", Where(base, 6, 5)),
        ("shm_size", Where(over, 4, 5)),
        ("environment", Where(base, 10, 5)),
        ("dns", Where(base, 13, 5)),
        ("tty", Where(over, 6, 5)),
    )


def test_reset_and_override(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        {
            "compose.yaml": "services:\n  a: {image: x, user: !reset me, volumes: [./a:/a]}\n  gone: {image: y}\n",
            "compose.override.yaml": (
                "services:\n  a: {volumes: !override [./b:/b], image: !reset null, build: {target: !reset x}}\n"
                "  gone: !reset null\n"
            ),
        },
    ).services
    assert list(found) == ["a"]
    assert (found["a"].image, found["a"].user) == (None, None)
    assert [mount.target for mount in found["a"].mounts] == ["/b"]
    assert found["a"].build is not None
    assert found["a"].build.target is None


def test_paths_belong_to_their_file(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        {
            "compose.yaml": "include: [sub/compose.yaml]\nservices:\n  a: {extends: {file: lib/x.yaml, service: b}}\n",
            "lib/x.yaml": "services:\n  b: {build: ., volumes: [./v:/v]}\n",
            "sub/compose.yaml": "services:\n  c: {build: ., image: '${N}'}\n",
            "sub/.env": "N=inner\n",
        },
    ).services
    assert found["a"].build is not None
    assert found["a"].build.context == f"{tmp_path}/lib"
    assert found["a"].mounts[0].source == f"{tmp_path}/lib/v"
    assert found["c"].build is not None
    assert found["c"].build.dockerfile == f"{tmp_path}/sub/Dockerfile"
    assert found["c"].image == "inner"


def test_several_documents(tmp_path: Path) -> None:
    found = load(
        tmp_path, "name: one\nservices: {a: {image: x, user: me}}\n---\nname: two\nservices: {a: {image: y}}\n"
    )
    assert found.name == "two"
    assert (found.services["a"].image, found.services["a"].user) == ("y", "me")


def test_x_kobako(tmp_path: Path) -> None:
    service = one(
        tmp_path,
        "{image: x, x-kobako: {source: {url: u, n: [1]}, entry: [python, t.py], verify: 'x $$Y', engine: docker}}",
    )
    assert service.hints == Hints({"url": "u", "n": ["1"]}, ("python", "t.py"), "x $Y", "docker")


def test_what_x_kobako_says_of_the_base(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        {
            "compose.yaml": "services: {a: {image: x, x-kobako: {base: {python: 3.10, torch: '1.11.0'}}}}\n",
            "compose.override.yaml": "services: {a: {x-kobako: {base: {torch: 2}}}}\n",
        },
    )
    assert found.services["a"].hints.base == {"python": "3.10", "torch": "2"}


VERSION = "write digits with dots between them, such as 3.8"


@pytest.mark.parametrize(
    ("hints", "code", "what", "fix"),
    [
        ("{entri: x}", "unknown-x-kobako-key", "x-kobako has no key entri", "did you mean entry?"),
        (
            "{colour: x}",
            "unknown-x-kobako-key",
            "x-kobako has no key colour",
            "known are: source, entry, verify, engine, base",
        ),
        ("[entry]", "invalid-setting", "x-kobako is to be a mapping", ""),
        ("{source: x}", "invalid-setting", "x-kobako.source is to be a mapping", ""),
        ("{entry: []}", "invalid-setting", "a command is wanted here", ""),
        ("{entry: {a: b}}", "invalid-compose", "a single value is wanted here", ""),
        ("{base: 3.8}", "invalid-setting", "x-kobako.base is to be a mapping", ""),
        ("{base: {pyton: 3.8}}", "unknown-x-kobako-key", "x-kobako.base has no key pyton", "did you mean python?"),
        ("{base: {cuda: 1}}", "unknown-x-kobako-key", "x-kobako.base has no key cuda", "known are: python, torch"),
        ("{base: {python: }}", "invalid-setting", "x-kobako.base.python is to be a version", VERSION),
        ("{base: {python: [3.8]}}", "invalid-setting", "x-kobako.base.python is to be a version", VERSION),
        ("{base: {torch: 1.11.0a0}}", "invalid-setting", "x-kobako.base.torch is to be a version", VERSION),
        ("{base: {torch: '>=1.11'}}", "invalid-setting", "x-kobako.base.torch is to be a version", VERSION),
        ("{base: {torch: 1.}}", "invalid-setting", "x-kobako.base.torch is to be a version", VERSION),
    ],
)
def test_what_is_wrong_in_x_kobako(tmp_path: Path, hints: str, code: str, what: str, fix: str) -> None:
    error = refused(tmp_path, f"services:\n  a:\n    image: x\n    x-kobako: {hints}\n")
    assert (error.code, error.what, error.fix) == (code, what, fix)
    assert error.where is not None
    assert (error.where.file, error.where.line) == (f"{tmp_path}/compose.yaml", 4)


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        ("services: [a]\n", "invalid-compose", 1),
        ("- a\n", "invalid-compose", 1),
        ("services:\n  a: b\n", "invalid-compose", 2),
        ("services:\n  a:\n    volumes: ./x:/x\n", "invalid-compose", 3),
        ("services:\n  a:\n    image: [x]\n", "invalid-compose", 3),
        ("services:\n  a:\n    image: ${U:?}\n", "invalid-interpolation", 3),
        ("services:\n  a:\n    image: x\n    extends: b\n", "invalid-compose", 4),
        ("services:\n  a:\n    extends: a\n", "invalid-compose", 3),
        ("services:\n  a:\n    extends: {file: no.yaml, service: b}\n", "invalid-compose", 3),
        ("include:\n  - no.yaml\n", "invalid-compose", 2),
        ("include: [{path: }]\n", "invalid-compose", 1),
        ("include: compose.yaml\n", "invalid-compose", None),
        ("services:\n  a: [\n", "invalid-yaml", 3),
        ("services:\n  a: {image: x}\n  a: {image: y}\n", "invalid-yaml", 3),
        ("services:\n\ta: 1\n", "invalid-yaml", 2),
    ],
)
def test_what_is_wrong_and_where(tmp_path: Path, content: str, code: str, line: int | None) -> None:
    error = refused(tmp_path, content)
    assert error.code == code
    assert error.where is not None
    assert (error.where.file, error.where.line) == (f"{tmp_path}/compose.yaml", line)


WHERE = Where("x", 1)
LEAVES = st.one_of(st.none(), st.text(max_size=3)).map(lambda value: Leaf(value, WHERE, Path("/")))
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: Items(tuple(items), WHERE)),
        st.dictionaries(st.sampled_from("abc"), inner, max_size=3).map(lambda keys: Keys(keys, WHERE)),
    ),
    max_leaves=8,
)
SERVICES = st.dictionaries(st.sampled_from(["a", "volumes", "build", "command"]), TREES, max_size=4)


@settings(deadline=None)
@given(SERVICES, SERVICES)
def test_merging_never_loses_a_key(base: dict[str, Tree], over: dict[str, Tree]) -> None:
    merged = merge(Keys(base, WHERE), Keys(over, WHERE))
    assert isinstance(merged, Keys)
    assert set(merged.keys) == {*base, *over}
    volumes = merged.get("volumes")
    if isinstance(base.get("volumes"), Items) and isinstance(over.get("volumes"), Items):
        assert isinstance(volumes, Items)
        targets = [target_of(item) for item in volumes.items]
        assert len(targets) == len(set(targets))


@settings(deadline=None)
@given(SERVICES)
def test_merging_nothing_changes_nothing(keys: dict[str, Tree]) -> None:
    merged = merge(Keys(keys, WHERE), Keys({}, WHERE))
    assert merged == Keys(keys, WHERE)


def test_a_source_knows_its_places() -> None:
    class Placed:
        line, column = 3, 7

    node: Node = Placed()  # type: ignore[assignment]
    assert Source("compose.yaml", Path("/w"), {}).where(node) == Where("compose.yaml", 3, 7)
