"""pip's configuration, read as pip reads it."""

from __future__ import annotations

from pathlib import Path

from kobako import pipconfig


def test_nothing_configured(tmp_path: Path) -> None:
    assert pipconfig.read({"PIP_CONFIG_FILE": "/dev/null"}, tmp_path) == pipconfig.PipConfig()


def test_files_then_variables(tmp_path: Path) -> None:
    (tmp_path / ".config/pip").mkdir(parents=True)
    (tmp_path / ".config/pip/pip.conf").write_text(
        "[global]\nindex-url = https://one.example/simple\ntrusted-host = a b\nextra-index-url =\n"
        "    https://two.example/simple\n    https://three.example/simple\n[install]\nfind_links = ~/shelf /opt/x\n"
    )
    named = tmp_path / "named.conf"
    named.write_text("[global]\nindex-url = https://named.example/simple\ncert = ~/ca.pem\n")
    env = {"PIP_CONFIG_FILE": str(named), "XDG_CONFIG_DIRS": str(tmp_path), "VIRTUAL_ENV": str(tmp_path)}
    found = pipconfig.read(env, tmp_path)
    assert found.index_url == "https://named.example/simple"
    assert found.extra_index_urls == ("https://two.example/simple", "https://three.example/simple")
    assert found.trusted_hosts == ("a", "b")
    assert found.find_links == (str(Path("~/shelf").expanduser()), "/opt/x")
    assert found.cert == str(Path("~/ca.pem").expanduser())
    again = pipconfig.read({**env, "PIP_INDEX_URL": "https://env.example/simple", "PIP_NO_INDEX": "1"}, tmp_path)
    assert (again.index_url, again.no_index) == ("https://env.example/simple", True)


def test_a_broken_file_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "pip.conf").write_text("not an ini file\n")
    env = {"PIP_CONFIG_FILE": str(tmp_path / "pip.conf"), "XDG_CONFIG_DIRS": str(tmp_path), "VIRTUAL_ENV": "/nowhere"}
    assert pipconfig.read(env, tmp_path).find_links == ()
