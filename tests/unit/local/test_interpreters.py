"""Where Pythons are looked for. None is started."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from kobako import process
from kobako.engines.local import interpreters
from kobako.engines.local.interpreters import Interpreter, newest_first
from kobako.process import Outcome

OWN = f"{sys.version_info[0]}.{sys.version_info[1]}"


def program(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/false\n", encoding="ascii")
    path.chmod(0o755)
    return str(path)


def folders(root: Path, *names: str) -> None:
    for name in names:
        (root / name).mkdir(parents=True)


@pytest.mark.parametrize(
    ("names", "short", "order"),
    [
        (["3.8.2", "3.8.18", "3.8.9", "3.9.1"], "3.8", ["3.8.18", "3.8.9", "3.8.2"]),
        (["3.8.2", "3.10.1", "3.9.1"], "", ["3.10.1", "3.9.1", "3.8.2"]),
        (["3.10.1"], "3.1", []),
        (["cpython-3.8.9-linux-x86_64-gnu", "cpython-3.8.20-linux-x86_64-gnu"], "3.8", ["3.8.20", "3.8.9"]),
        (["cpython-3.8-linux-x86_64-gnu", "pypy-3.8.16-linux-x86_64-gnu", "pypy3.8-7.3.11"], "3.8", []),
        (["cpython-3.13.1+freethreaded-linux-x86_64-gnu", "3.13.1t", "3.13-dev", "3.14.0rc1"], "", []),
        (["miniconda3-latest", "graalpy-22.3.0", "anaconda3-2023.03", "stackless-3.7.5", "3.7.5"], "", ["3.7.5"]),
        ([], "3.8", []),
    ],
)
def test_newest_first(tmp_path: Path, names: list[str], short: str, order: list[str]) -> None:
    folders(tmp_path, *names)
    found = [name.removeprefix("cpython-").partition("-")[0] for name in newest_first(str(tmp_path), short)]
    assert found == order


def test_no_folder_at_all(tmp_path: Path) -> None:
    assert newest_first(str(tmp_path / "none")) == []


def candidates(short: str, env: dict[str, str]) -> list[str]:
    return list(interpreters._candidates(short, env))


def test_the_order(tmp_path: Path) -> None:
    home = tmp_path / "home"
    pyenv = program(home / ".pyenv/versions/2.99.18/bin/python2.99")
    older = program(home / ".pyenv/versions/2.99.2/bin/python2.99")
    managed = program(home / ".local/share/uv/python/cpython-2.99.7-linux-x86_64-gnu/bin/python2.99")
    first = program(tmp_path / "one/python2.99")
    second = program(tmp_path / "two/python2.99")
    program(home / ".pyenv/shims/python2.99")
    path = f"{home}/.pyenv/shims:{tmp_path}/one::{tmp_path}/none:{tmp_path}/two:{tmp_path}/one"
    found = candidates("2.99", {"HOME": str(home), "PATH": path})
    assert found == [pyenv, older, managed, first, second]


def test_where_they_are_said_to_be(tmp_path: Path) -> None:
    pyenv = program(tmp_path / "p/versions/2.99.1/bin/python2.99")
    managed = program(tmp_path / "u/cpython-2.99.2-linux-x86_64-gnu/bin/python2.99")
    env = {"HOME": str(tmp_path), "PYENV_ROOT": f"{tmp_path}/p", "UV_PYTHON_INSTALL_DIR": f"{tmp_path}/u"}
    assert candidates("2.99", env) == [pyenv, managed]
    data = program(tmp_path / "d/uv/python/cpython-2.99.3-linux-x86_64-gnu/bin/python2.99")
    assert candidates("2.99", {"HOME": str(tmp_path), "XDG_DATA_HOME": f"{tmp_path}/d"}) == [data]


def test_kobakos_own_goes_first(tmp_path: Path) -> None:
    found = candidates(OWN, {"HOME": str(tmp_path), "PATH": ""})
    assert found[0] == str(Path(getattr(sys, "_base_executable", None) or sys.executable).resolve())


def test_each_once_and_only_programs(tmp_path: Path) -> None:
    real = program(tmp_path / "a/python2.99")
    (tmp_path / "b").mkdir()
    (tmp_path / "b/python2.99").symlink_to(real)
    program(tmp_path / "c/python2.99")
    (tmp_path / "c/python2.99").chmod(0o644)
    (tmp_path / "d/python2.99").mkdir(parents=True)
    (tmp_path / "e").mkdir()
    (tmp_path / "e/python2.99").symlink_to("/nowhere")
    path = ":".join(f"{tmp_path}/{name}" for name in "abcde")
    assert candidates("2.99", {"HOME": str(tmp_path), "PATH": path}) == [real]


@pytest.mark.parametrize(
    ("wanted", "version"),
    [("2.99", "2.99.18"), ("2.99.7", "2.99.7"), ("2.99.1", None), ("2.99.18", "2.99.18"), ("2.9", None)],
)
def test_find(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: str, version: str | None) -> None:
    asked = []

    def look(path: str) -> Interpreter | None:
        asked.append(path)
        found = path.split("/versions/")[1].split("/", maxsplit=1)[0]
        return None if found == "2.99.20" else Interpreter(path, found, path.partition("/bin/")[0], "x86_64")

    for one in ("2.99.20", "2.99.18", "2.99.7"):
        program(tmp_path / f".pyenv/versions/{one}/bin/python2.99")
    monkeypatch.setattr(interpreters, "look", look)
    found = interpreters.find(wanted, {"HOME": str(tmp_path), "PATH": ""})
    assert (found.version if found else None) == version
    assert len(set(asked)) == len(asked)


@pytest.mark.parametrize(
    ("code", "said", "found"),
    [
        (0, '["3.8.18", "/opt/p", "cpython", "x86_64"]', Interpreter("/x", "3.8.18", "/opt/p", "x86_64")),
        (0, '["3.13.0rc1", "/opt/p", "cpython", "aarch64"]', Interpreter("/x", "3.13.0", "/opt/p", "aarch64")),
        (0, '["3.12.3+", "/usr", "cpython", "x86_64"]', Interpreter("/x", "3.12.3", "/usr", "x86_64")),
        (0, '["3.9.17", "/opt/p", "pypy", "x86_64"]', None),
        (0, "pyenv: no such version", None),
        (0, "[]", None),
        (127, '["3.8.18", "/opt/p", "cpython", "x86_64"]', None),
        (None, "", None),
    ],
)
def test_look(monkeypatch: pytest.MonkeyPatch, code: int | None, said: str, found: Interpreter | None) -> None:
    def ask(argv: list[str], *, seconds: float) -> Outcome:
        assert argv[:3] == ["/x", "-I", "-S"]
        return Outcome(tuple(argv), code, said, "", 0.0)

    monkeypatch.setattr(process, "ask", ask)
    assert interpreters.look("/x") == found


def test_short() -> None:
    assert Interpreter("", "3.10.4", "", "").short == "3.10"
