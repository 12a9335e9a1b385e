"""Versions for old interpreters, from uv's recorded answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from kobako import process, resolving, uv
from kobako.catalogue import recognise
from kobako.model.requirement import Requirement
from kobako.pipconfig import PipConfig
from kobako.process import Outcome

IMAGE = recognise("nvcr.io/nvidia/pytorch:20.11-py3")
WANTED = (
    Requirement("matplotlib"),
    Requirement("pycocotools", ">=2"),
    Requirement("x", url="git+https://example.org/x"),
)

# Recorded from uv 0.13.9.
NO_WHEEL = (
    "error: No solution found when resolving dependencies\n"
    "  cause: Because all versions of pycocotools have no usable wheels and you require pycocotools, we can conclude"
    " that your requirements are unsatisfiable.\n\n"
    "hint: Wheels are required for `pycocotools` because building from source is disabled for all packages"
    " (i.e., with `--no-build`)\n"
)


class Uv:
    """Answers one after the other, and keeps what it was asked."""

    def __init__(self, *answers: tuple[int, str, str]) -> None:
        self.answers = list(answers)
        self.argv: list[Sequence[str]] = []
        self.wanted: list[str] = []
        self.env: Mapping[str, str] | None = None

    def __call__(self, argv: Sequence[str], *, cwd: Path, env: Mapping[str, str] | None = None) -> Outcome:
        self.argv.append(argv)
        self.wanted.append((cwd / "wanted.txt").read_text())
        self.env = env
        code, out, err = self.answers.pop(0)
        return Outcome(tuple(argv), code, out, err, 0.0)


def install(fake: Uv, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uv, "program", lambda: "uv")
    monkeypatch.setattr(process, "run", fake)


def test_what_has_no_wheel_is_left_to_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Uv((1, "", NO_WHEEL), (0, "matplotlib==3.3.4\nnumpy==1.19.5\n", ""))
    install(fake, monkeypatch)
    found, why = resolving.resolve(WANTED, IMAGE, PipConfig(), tmp_path)
    assert found is not None
    assert (dict(found.pins), set(found.loose), why) == (
        {"matplotlib": "3.3.4", "numpy": "1.19.5"},
        {"pycocotools", "x"},
        "",
    )
    assert fake.wanted == ["matplotlib\npycocotools>=2\n", "matplotlib\n"]
    assert "--no-build" in fake.argv[0]
    assert "torch; python_version < '0'\n" in (tmp_path / "floor.txt").read_text()


@pytest.mark.parametrize("stderr", ["error: no network\n", NO_WHEEL.replace("pycocotools", "somebody-else")])
def test_no_solution(stderr: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(Uv((1, "", stderr)), monkeypatch)
    found, why = resolving.resolve(WANTED, IMAGE, PipConfig(), tmp_path)
    assert found is None
    assert why.lower().startswith("error: no")


def test_pip_s_configuration_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Uv((0, "", ""))
    install(fake, monkeypatch)
    config = PipConfig("https://i.example/s", ("https://e.example/s",), find_links=("/shelf",), cert="/ca.pem")
    resolving.resolve(WANTED[:1], IMAGE, config, tmp_path)
    assert "--find-links=/shelf" in fake.argv[0]
    assert not any("example" in word for word in fake.argv[0])  # an address may hold credentials
    indexes = {"UV_INDEX_URL": "https://i.example/s", "UV_EXTRA_INDEX_URL": "https://e.example/s"}
    assert fake.env == {"SSL_CERT_FILE": "/ca.pem", **indexes}
    assert uv.flags(PipConfig(no_index=True)) == ["--no-index"]
