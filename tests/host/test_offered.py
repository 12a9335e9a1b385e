"""Whether requirements can be had, asked of a small index that is served over loopback."""

from __future__ import annotations

import datetime as dt
import json
import threading
import time
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from kobako.model.requirement import Requirement
from kobako.pipconfig import PipConfig
from kobako.process import Outcome
from kobako.sources import offered
from kobako.sources.offered import Asked, Missing

File = tuple[str, str, dict[str, object]]
FILES: tuple[File, ...] = (
    ("toy-1.0-py3-none-any.whl", "2020-01-01T00:00:00Z", {}),
    ("toy-2.0-py3-none-any.whl", "2022-06-01T12:00:00.123456Z", {}),
    ("toy-3.0.tar.gz", "2024-01-01T00:00:00Z", {"requires-python": ">=3.10"}),
    ("old-0.8-py3-none-any.whl", "2020-01-01T00:00:00Z", {"requires-python": "<3.7"}),
    ("compiled-1.0-cp39-cp39-manylinux_2_17_x86_64.whl", "2021-01-01T00:00:00Z", {}),
    ("compiled-1.0-cp39-cp39-win_amd64.whl", "2021-01-01T00:00:00Z", {}),
    ("compiled-2.0-cp311-cp311-manylinux_2_17_x86_64.whl", "2023-01-01T00:00:00Z", {}),
    ("taken-1.0-py3-none-any.whl", "2021-01-01T00:00:00Z", {}),
    ("taken-1.1-py3-none-any.whl", "2021-02-01T00:00:00Z", {"yanked": "broken"}),
    ("early-1.0a1-py3-none-any.whl", "2021-01-01T00:00:00Z", {}),
    ("undated-1.0-py3-none-any.whl", "", {}),
)
SECRET = "hunter2"


class Index(ThreadingHTTPServer):
    """Serves ``FILES`` as PEP 691 and PEP 700 have it. ``refuses`` and ``waits`` say how pages are answered instead."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Page)
        self.refuses: dict[str, int] = {}
        self.waits = 0.0
        self.asked: list[str] = []

    @property
    def config(self) -> PipConfig:
        host = f"127.0.0.1:{self.server_port}"
        return PipConfig(index_url=f"http://me:{SECRET}@{host}/simple/", trusted_hosts=(host,))


class Page(BaseHTTPRequestHandler):
    server: Index

    def do_GET(self) -> None:
        name = self.path.strip("/").rpartition("/")[2]
        self.server.asked.append(name)
        time.sleep(self.server.waits)
        files = [file for file in FILES if file[0].partition("-")[0] == name]
        code = self.server.refuses.get(name, 200 if files else 404)
        self.send_response(code)
        self.send_header("Content-Type", "application/vnd.pypi.simple.v1+json")
        self.end_headers()
        if code == 200:
            listed = [
                {
                    "filename": file,
                    "url": f"../../{file}",
                    "hashes": {},
                    **({"upload-time": when} if when else {}),
                    **more,
                }
                for file, when, more in files
            ]
            self.wfile.write(json.dumps({"meta": {"api-version": "1.1"}, "name": name, "files": listed}).encode())

    def log_message(self, *_: object) -> None:
        """Nothing on the standard streams."""


@pytest.fixture
def index() -> Iterator[Index]:
    with Index() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def never(argv: Sequence[str], *_: object, **__: object) -> Outcome:
    raise AssertionError(f"not expected: {argv}")


def look(index: Index, *wanted: Requirement, python: str = "3.9", as_of: str = "") -> list[Missing]:
    day = dt.date.fromisoformat(as_of) if as_of else None
    return offered.missing(wanted, Asked(python, day), never, index.config)


@pytest.mark.parametrize(
    ("name", "specifier", "python", "as_of"),
    [
        ("toy", "", "3.9", ""),
        ("toy", "<2", "3.9", ""),
        ("toy", ">=3", "3.11", ""),
        ("toy", ">=2", "3.9", "2022-06-01"),
        ("toy", "==1.*", "3.9", "2020-01-01"),
        ("toy", "", "", ""),
        ("old", "", "3.6", ""),
        ("compiled", "", "3.9", ""),
        ("compiled", ">=2", "3.11", ""),
        ("taken", "", "3.9", ""),
        ("taken", "==1.1", "3.9", ""),
        ("early", "", "3.9", ""),
    ],
)
def test_what_is_there(name: str, specifier: str, python: str, as_of: str, index: Index) -> None:
    assert look(index, Requirement(name, specifier), python=python, as_of=as_of) == []
    assert index.asked == [name]


@pytest.mark.parametrize(
    ("wanted", "python", "why"),
    [
        ("absent", "3.9", "no index has a package of that name"),
        ("toy>=3", "3.9", "no version fits for Python 3.9; there is 2.0, 1.0"),
        ("toy==1.5", "", "no version fits; there is 3.0, 2.0, 1.0"),
        ("old", "3.9", "no index has a release of it for Python 3.9; of any, the newest is 0.8"),
        ("compiled", "3.10", "no index has a release of it for Python 3.10; of any, the newest is 2.0"),
        ("compiled>=2", "3.9", "no version fits for Python 3.9; there is 1.0"),
        ("taken>1.0", "3.9", "only 1.1 fits, which was withdrawn from the index (yanked)"),
    ],
)
def test_what_is_not(wanted: str, python: str, why: str, index: Index) -> None:
    name = wanted.rstrip("<>=.0123456789")
    (one,) = look(index, Requirement(name, wanted.removeprefix(name)), python=python)
    assert (one.kind, one.why) == ("absent", why)


def test_what_came_later(index: Index) -> None:
    (one,) = look(index, Requirement("toy", ">=2"), as_of="2022-05-31")
    assert (one.kind, one.why) == ("too-new", "no version that fits was there on 2022-05-31; 2.0 came later")
    (one,) = look(index, Requirement("undated"), as_of="2022-05-31")
    assert one.kind == "too-new"


def test_several_in_their_order(index: Index) -> None:
    wanted = [Requirement("absent", "==1"), Requirement("toy"), Requirement("gone"), Requirement("absent", "==2")]
    assert [str(one.requirement) for one in look(index, *wanted)] == ["absent==1", "gone", "absent==2"]


def test_a_marker_that_keeps_it_away(index: Index) -> None:
    wanted = [
        Requirement("old", marker='python_version < "3.7"'),
        Requirement("absent", marker='sys_platform == "win32"'),
        Requirement("gone", marker='python_version >= "3.9"'),
    ]
    assert [one.requirement.name for one in look(index, *wanted)] == ["gone"]


@pytest.mark.parametrize("code", [401, 403, 500, 503])
def test_an_index_that_refuses(code: int, index: Index) -> None:
    index.refuses = {"toy": code}
    one, other = look(index, Requirement("toy"), Requirement("absent"))
    assert (one.kind, other.kind) == ("unknown", "absent")
    assert str(code) in one.why
    assert SECRET not in one.why


def test_an_index_that_does_not_answer_is_asked_once() -> None:
    config = PipConfig(index_url=f"http://me:{SECRET}@127.0.0.1:9/simple", trusted_hosts=("127.0.0.1:9",))
    found = offered.missing([Requirement(f"toy{at}") for at in range(30)], Asked("3.9"), never, config)
    assert [one.kind for one in found] == ["unknown"] * 30
    assert found[0].why.startswith("127.0.0.1:9: ")
    assert SECRET not in str(found)


def test_one_of_two_indexes_does_not_answer(index: Index) -> None:
    both = PipConfig(index.config.index_url, ("http://127.0.0.1:9/simple",), trusted_hosts=index.config.trusted_hosts)
    found = offered.missing([Requirement("toy"), Requirement("absent")], Asked("3.9"), never, both)
    assert [(one.requirement.name, one.kind) for one in found] == [("absent", "unknown")]


def test_a_slow_index_is_not_waited_for(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offered, "PATIENCE", 0.5)
    index.waits = 5.0
    begin = time.monotonic()
    (one,) = look(index, Requirement("toy"))
    assert time.monotonic() - begin < 3
    assert (one.kind, one.why) == ("unknown", "no answer within 0.5 s")


def test_a_folder_of_wheels(index: Index, tmp_path: Path) -> None:
    (tmp_path / "local-1.0-py3-none-any.whl").touch()
    config = PipConfig(no_index=True, find_links=(str(tmp_path),))
    found = offered.missing([Requirement("local"), Requirement("toy")], Asked("3.9"), never, config)
    assert [(one.requirement.name, one.kind) for one in found] == [("toy", "absent")]
    assert index.asked == []


@pytest.mark.parametrize(
    "config",
    [
        PipConfig(no_index=True, find_links=("/not/there/at/all",)),
        PipConfig(index_url="http://[broken/"),
        PipConfig(index_url="https://127.0.0.1:9/", cert="/not/there/at/all.crt"),
        PipConfig(index_url="ftp://127.0.0.1:9/"),
    ],
)
def test_a_configuration_that_is_wrong(config: PipConfig) -> None:
    (one,) = offered.missing([Requirement("toy")], Asked("3.9"), never, config)
    assert (one.kind, bool(one.why)) == ("unknown", True)


def test_nothing_is_configured() -> None:
    assert offered.missing([Requirement("toy")], Asked("3.9"), never, PipConfig(no_index=True)) == []
