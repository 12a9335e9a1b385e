"""``clearml.conf``: what of it is passed on, and what is said of one that cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from kobako import clearmlconf

CONF = """\
# ClearML SDK configuration file
api {
    web_server: "https://app.example.com"
    api_server: ${SERVER_OF_TEST}
    files_server: https://files.example.com:8081
    credentials {"access_key": "AKEY", "secret_key": "s#//cret"}
}
sdk { aws.s3 { key: "", secret: ${?NOT_SET_OF_TEST} } }
"""


def written(tmp_path: Path, text: str) -> dict[str, str]:
    (tmp_path / "clearml.conf").write_text(text, encoding="utf-8")
    return {"HOME": str(tmp_path)}


def test_all_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVER_OF_TEST", "https://api.example.com")
    given = clearmlconf.read(written(tmp_path, CONF) | {"CLEARML_API_ACCESS_KEY": "mine"})
    assert dict(given.values) == {
        "CLEARML_API_HOST": "https://api.example.com",
        "CLEARML_WEB_HOST": "https://app.example.com",
        "CLEARML_FILES_HOST": "https://files.example.com:8081",
        "CLEARML_API_ACCESS_KEY": "mine",
        "CLEARML_API_SECRET_KEY": "s#//cret",
    }
    assert (given.secrets, given.problem) == (("mine", "s#//cret"), None)


def test_none_is_no_problem(tmp_path: Path) -> None:
    assert clearmlconf.read({"HOME": str(tmp_path)}) == clearmlconf.Given({})
    missing = clearmlconf.read({"CLEARML_CONFIG_FILE": str(tmp_path / "x.conf")})
    assert missing.problem is not None
    assert missing.problem.code == "unreadable"


@pytest.mark.parametrize("text", ["api {", "api { x: ${NOT_SET_OF_TEST} }", "[]", 'api: "s3cret', "\x00"])
def test_what_cannot_be_read_is_said_without_its_words(tmp_path: Path, text: str) -> None:
    given = clearmlconf.read(written(tmp_path, text))
    assert given.values == {}
    assert given.problem is not None
    assert "s3cret" not in str(given.problem)


def test_an_empty_one_gives_nothing(tmp_path: Path) -> None:
    assert clearmlconf.read(written(tmp_path, "sdk {}")).values == {}
