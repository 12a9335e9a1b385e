"""Whether somebody's code has to run for an install, and what becomes of uv's answers."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kobako.engines.local.given import Call
from kobako.engines.local.pip import Install
from kobako.engines.local.stage import CONFIG
from kobako.errors import BuildError
from unit.local.recorded_uv import (
    DISK_FULL,
    HERE,
    NO_ANSWER,
    NOT_THERE,
    ONLY_SOURCE,
    OTHER_PYTHON,
    Answer,
    Asked,
    bench,
    would,
)


def always(code: int, said: str) -> Answer:
    return lambda asked: (code, said)


def shape(asked: list[Asked]) -> list[str]:
    return [f"{'inside' if one.inside else 'outside'}{' dry' if one.dry else ''}" for one in asked]


def test_wheels_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = bench(tmp_path, monkeypatch, always(0, would("six==1.17.0")))
    asked = one.run("pip install six")
    assert shape(asked) == ["outside dry", "inside dry", "outside"]
    assert "--no-build" in asked[0].words
    assert "--no-build" not in asked[1].words
    assert asked[2].words[-2:] == ("--no-build", "six") or {"--no-build", "six"} <= set(asked[2].words)
    assert not one.stage.touched


def test_a_source_that_is_newer_than_the_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = bench(tmp_path, monkeypatch, lambda asked: (0, would("both==2.0" if asked.inside else "both==1.0")))
    asked = one.run("pip install both")
    assert shape(asked) == ["outside dry", "inside dry", "inside"]
    assert one.stage.touched
    assert one.told.lines == ["RUN pip install both: built inside the sandbox"]


def test_a_source_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = bench(tmp_path, monkeypatch, lambda asked: (0, would("a==1")) if asked.inside else (1, ONLY_SOURCE))
    assert shape(one.run("pip install onlysource")) == ["outside dry", "inside"]


@pytest.mark.parametrize("line", ["pip install -e .", "pip install git+https://a/b", "pip install ."])
def test_a_checkout_needs_no_question(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    one = bench(tmp_path, monkeypatch, always(0, would("a==1")))
    assert shape(one.run(line)) == ["inside"]
    assert one.told.warned == []


def test_only_wheels_are_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """uv refuses ``--no-build`` beside ``--only-binary``."""
    one = bench(tmp_path, monkeypatch, always(0, would("six==1")))
    asked = one.run("pip install --only-binary :all: six")
    assert asked[-1].words[0] == "pip"
    assert not any(asked_one.inside for asked_one in asked)
    for asked_one in asked:
        assert not ({"--no-build", "--only-binary"} <= set(asked_one.words))


def test_only_sources_are_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = bench(tmp_path, monkeypatch, always(0, would("six==1")))
    asked = one.run("pip install --no-binary six six")
    assert shape(asked) == ["inside"]


@pytest.mark.parametrize(
    "line",
    [
        "uv pip install --extra-index-url https://a --index-strategy unsafe-best-match six",
        "uv pip install --torch-backend cpu torch",
        "pip install --no-index -f /wheels six",
        "uv pip install -i https://a six",
        "uv pip install --index-url https://a six",
        "pip install -i https://a --extra-index-url https://b six",
    ],
)
def test_uv_takes_most_options_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    links = tmp_path / "links"
    links.mkdir()
    pip = {"PIP_INDEX_URL": "https://pip", "PIP_EXTRA_INDEX_URL": "https://more", "PIP_NO_INDEX": ""}
    one = bench(tmp_path, monkeypatch, always(0, would("six==1")), env=pip, gpu=False)
    for asked in one.run(line):
        names = [word.partition("=")[0] for word in asked.words if word.startswith("-")]
        single = {"--index-url", "-i", "--index-strategy", "--torch-backend", "--no-index", "--dry-run", "--no-build"}
        names = ["--index-url" if name == "-i" else name for name in names]
        assert [name for name in single if names.count(name) > 1] == []
        if "--index-url" in names:
            assert "UV_INDEX_URL" not in asked.environment


def test_it_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = bench(tmp_path, monkeypatch, always(0, would("six==1")))
    one.run("pip install six")
    assert shape(one.run("pip install six")) == ["outside"]
    assert len(one.run("pip install numpy")) == 3
    old = next((tmp_path / ".kobako/local/cache/ways").iterdir())
    for way in old.parent.iterdir():
        os.utime(way, (1, 1))
    assert len(one.run("pip install six")) == 3


def test_but_not_when_the_requirements_have_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = bench(tmp_path, monkeypatch, always(0, would("six==1")))
    file = one.stage.root / "w/r.txt"
    file.parent.mkdir()
    file.write_text("six\n", encoding="ascii")
    assert len(one.run("pip install -r r.txt")) == 3
    assert len(one.run("pip install -r r.txt")) == 1
    file.write_text("six\nonlysource\n", encoding="ascii")
    assert len(one.run("pip install -r r.txt")) == 3


def test_the_environments_python_is_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is installed from outside, and never once a stranger's code has run."""
    one = bench(tmp_path, monkeypatch, always(0, would("six==1")))
    one.run("pip install six")
    one.run("pip install numpy")
    (listed,) = one.listed
    assert not listed.inside
    assert {"--no-config", f"--python={one.stage.python}"} <= set(listed.words)
    assert one.stage.asked
    one.stage.touched, one.stage.asked = True, False
    one.run("pip install six")
    assert len(one.listed) == 1


@pytest.mark.parametrize(
    "line",
    [
        "pip install -i 'https://a/${TOKEN}/simple' six",
        "pip install --extra-index-url 'https://$TOKEN@a/simple' six",
        "uv pip install --index 'x=https://a/${TOKEN}' six",
        "pip install -f 'https://a/${TOKEN}' six",
    ],
)
def test_uv_outside_puts_no_variable_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    one = bench(tmp_path, monkeypatch, always(0, would("six==1")))
    assert shape(one.run(line)) == ["inside"]
    assert one.listed == []


@pytest.mark.parametrize("line", ["pip install -r r.txt", "uv pip install --override r.txt six"])
def test_files_that_say_too_much_without_bubblewrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    one = bench(tmp_path, monkeypatch, always(0, would("six==1")), tools=None)
    one.lay({"w/r.txt": "six\n-e ./x\n"})
    with pytest.raises(BuildError) as caught:
        one.run(line)
    assert (caught.value.code, one.asked, one.listed) == ("needs-sandbox", [], [])


def test_where_code_has_run_uv_stays_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = bench(tmp_path, monkeypatch, always(0, would("six==1")))
    one.stage.touched = True
    assert shape(one.run("pip install six")) == ["inside"]


@pytest.mark.parametrize("line", ["pip install --only-binary :all: six", "uv pip install --no-build six"])
def test_there_too_only_wheels_may_be_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    one = bench(tmp_path, monkeypatch, always(0, would("six==1")))
    one.stage.touched = True
    (asked,) = one.run(line)
    words = " ".join(asked.words)
    assert "--no-build" in words or "--only-binary :all:" in words


def test_without_bubblewrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = bench(tmp_path, monkeypatch, always(0, would("six==1")), tools=None)
    asked = one.run("pip install six")
    assert asked[-1].words[-1] == "six"
    assert set(shape(asked)) <= {"outside", "outside dry"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("pip install onlysource", ONLY_SOURCE),
        ("pip install -e .", "error: `/tmp` does not appear to be a Python project, as neither `pyproject.toml` nor"),
        ("pip install git+https://a/b", "error: Git operation failed"),
        ("pip install .", "error: whatever"),
    ],
)
def test_code_without_bubblewrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, said: str) -> None:
    one = bench(tmp_path, monkeypatch, always(1, said), tools=None)
    with pytest.raises(BuildError) as caught:
        one.run(line)
    error = caught.value
    assert (error.code, error.where) == ("needs-sandbox", HERE)
    assert error.what == f"cannot install without running a stranger's code: RUN {line}"
    assert "building from source needs bubblewrap: bubblewrap is not installed" in error.why


@pytest.mark.parametrize(
    ("said", "code", "what"),
    [
        (NO_ANSWER, "index-unreachable", "the package index does not answer: RUN pip install six"),
        (DISK_FULL, "disk-full", "no space left: RUN pip install six"),
        (NOT_THERE, "build-failed", "cannot build at RUN pip install six"),
        (OTHER_PYTHON, "build-failed", "nothing fits this Python: RUN pip install six"),
        ("", "build-failed", "cannot build at RUN pip install six"),
    ],
)
@pytest.mark.parametrize("gpu", [True, False])
def test_what_went_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, code: str, what: str, gpu: bool
) -> None:
    one = bench(tmp_path, monkeypatch, always(2, said), gpu=gpu)
    with pytest.raises(BuildError) as caught:
        one.run("pip install six")
    error = caught.value
    assert (error.code, error.what, error.where, error.exit_code) == (code, what, HERE, 5)
    assert "secret" not in f"{error.why}{error.what}{error.fix}"
    assert one.told.warned == []
    assert not list((tmp_path / ".kobako/local/cache/ways").iterdir())


@pytest.mark.parametrize("extra", range(0, 60, 3))
def test_no_credentials_wherever_the_text_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extra: int) -> None:
    address = "https://somebody:sesame@host/simple/six/"
    said = f"error: Failed to fetch: {address}\n{'x' * (1500 - len(address) + extra - 20)}"
    one = bench(tmp_path, monkeypatch, always(2, said))
    with pytest.raises(BuildError) as caught:
        one.run("pip install six")
    assert "sesame" not in caught.value.why


def test_no_credentials_of_the_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = bench(tmp_path, monkeypatch, always(2, NOT_THERE))
    install = Install(("-i", "https://me:sesame@host/simple", "six"))
    call = Call(install, {}, "/", HERE, "RUN pip install -i https://***@host/simple six", "a")
    with pytest.raises(BuildError) as caught:
        one.installer.run(one.stage, call)
    assert "sesame" not in f"{caught.value.what}{caught.value.why}{one.told.lines}"


def test_an_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = bench(tmp_path, monkeypatch, always(0, ""))
    one.stage.env.mkdir()
    (one.stage.env / "pyvenv.cfg").write_text("home = /opt/p/bin\n", encoding="ascii")
    one.installer.venv(one.stage, HERE)
    assert (one.stage.folder / CONFIG).read_text(encoding="ascii") == "home = /opt/p/bin\n"
    (asked,) = one.asked
    assert {"venv", "--relocatable", "--no-config", "--python=/opt/p/bin/python3.11"} <= set(asked.words)
    one.answer = always(2, DISK_FULL)
    with pytest.raises(BuildError) as caught:
        one.installer.venv(one.stage, HERE)
    assert (caught.value.code, caught.value.what) == ("disk-full", "no space left: making an environment")
