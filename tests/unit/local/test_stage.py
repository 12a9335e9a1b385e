"""An environment while it is made: what it holds, and whether its Python may be started from outside."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from kobako.engines.local.interpreters import Interpreter
from kobako.engines.local.stage import CONFIG, Stage
from kobako.errors import BuildError, Where

HERE = Where("Dockerfile", 5)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """As uv makes one."""
    real = tmp_path / "p/bin/python3.11"
    real.parent.mkdir(parents=True)
    real.touch()
    made = Stage(tmp_path / "stage", Interpreter(str(real), "3.11.7", str(tmp_path / "p"), "x86_64"))
    made.site.mkdir(parents=True)
    (made.env / "bin").mkdir()
    (made.env / "bin/python").symlink_to(real)
    (made.env / "bin/python3").symlink_to("python")
    config = (
        f"home = {real.parent}\nimplementation = CPython\ninclude-system-site-packages = false\nrelocatable = true\n"
    )
    for path in (made.env / "pyvenv.cfg", made.folder / CONFIG):
        path.write_text(config, encoding="ascii")
    return made


def test_packages(stage: Stage) -> None:
    for name in (
        "six-1.17.0.dist-info",
        "Foo_Bar-2.0.dist-info",
        "torch-2.1.0+cpu.dist-info",
        "old.name-1.0-py3.11.egg-info",
        "older-3.egg-info",
        "no_version.egg-info",
        "six",
        "six.py",
    ):
        (stage.site / name).mkdir()
    assert stage.packages() == {
        "six": "1.17.0",
        "foo-bar": "2.0",
        "torch": "2.1.0+cpu",
        "old-name": "1.0",
        "older": "3",
    }


def test_nothing_is_there_yet(tmp_path: Path) -> None:
    one = Stage(tmp_path, Interpreter("/x", "3.11.7", "/opt", "x86_64"))
    assert one.packages() == {}
    with one.trusted(HERE):
        pass


def test_what_every_start_of_python_reads_is_put_aside(stage: Stage) -> None:
    for name in ("a.pth", "sitecustomize.py", "six.py"):
        (stage.site / name).write_text(name, encoding="ascii")
    (stage.site / "usercustomize").mkdir()
    with stage.trusted(HERE):
        assert os.listdir(stage.site) == ["six.py"]
        (stage.site / "b.pth").write_text("new", encoding="ascii")
    assert sorted(os.listdir(stage.site)) == ["a.pth", "b.pth", "sitecustomize.py", "six.py", "usercustomize"]
    assert (stage.site / "a.pth").read_text(encoding="ascii") == "a.pth"


def test_it_comes_back_after_an_error(stage: Stage) -> None:
    (stage.site / "a.pth").touch()
    with pytest.raises(ValueError, match="x"), stage.trusted(HERE):
        raise ValueError("x")
    assert (stage.site / "a.pth").exists()


def test_a_newer_one_is_kept(stage: Stage) -> None:
    (stage.site / "a.pth").write_text("old", encoding="ascii")
    for text in ("new", "newer"):
        with stage.trusted(HERE):
            assert not (stage.site / "a.pth").exists()
            (stage.site / "a.pth").write_text(text, encoding="ascii")
        assert (stage.site / "a.pth").read_text(encoding="ascii") == text


def _replace(path: Path, make: Callable[[Path], object]) -> None:
    if path.is_dir() and not path.is_symlink():
        path.rename(path.with_name("moved"))
    else:
        path.unlink()
    make(path)


def _write(text: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(text, encoding="ascii")


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("bin/python", _write("#!/bin/sh\n")),
        ("bin/python3", _write("#!/bin/sh\n")),
        ("bin/python", lambda path: path.symlink_to("/bin/sh")),
        ("bin", lambda path: path.symlink_to("moved")),
        ("lib", lambda path: path.symlink_to("moved")),
        ("lib/python3.11/site-packages", lambda path: path.symlink_to("/tmp")),
        ("pyvenv.cfg", _write("home = /tmp\n")),
        ("pyvenv.cfg", _write("")),
        ("pyvenv.cfg", lambda path: None),
    ],
)
def test_what_was_replaced_is_not_started(stage: Stage, name: str, make: Callable[[Path], object]) -> None:
    _replace(stage.env / name, make)
    with pytest.raises(BuildError) as caught, stage.trusted(HERE):
        pytest.fail("it was trusted")
    assert (caught.value.code, caught.value.where) == ("build-failed", HERE)


def test_the_systems_packages_are_not_let_in(stage: Stage) -> None:
    config = stage.env / "pyvenv.cfg"
    config.write_text(config.read_text(encoding="ascii").replace("= false", "= True"), encoding="ascii")
    with pytest.raises(BuildError), stage.trusted(HERE):
        pass


def test_what_the_sandbox_sees(stage: Stage) -> None:
    view = stage.view(("/wheels",))
    assert (view.root, view.env, view.local) == (stage.root, stage.env, stage.folder / "local")
    assert view.read_only == (stage.interpreter.prefix, "/wheels")
    assert view.mounts == ()


def test_emptied(stage: Stage) -> None:
    """uv starts the environment's Python: nothing that is installed is there then."""
    (stage.site / "six-1.dist-info").mkdir()
    (stage.site / "a.pth").write_text("import a\n", encoding="ascii")
    with stage.emptied():
        assert (os.listdir(stage.site), stage.packages()) == ([], {})
        (stage.site / "left").touch()
    assert sorted(os.listdir(stage.site)) == ["a.pth", "six-1.dist-info"]
    with pytest.raises(BuildError), stage.emptied():
        raise BuildError("build-failed", "uv cannot be started")
    assert sorted(os.listdir(stage.site)) == ["a.pth", "six-1.dist-info"]


def test_emptied_where_nothing_is_there_yet(tmp_path: Path) -> None:
    with Stage(tmp_path, Interpreter("/x", "3.11.7", "/opt", "x86_64")).emptied():
        assert os.listdir(tmp_path) == []
    assert os.listdir(tmp_path) == []
