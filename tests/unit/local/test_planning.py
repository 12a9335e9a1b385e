"""What is decided of a service before anything is done, and where packages may come from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from kobako import process
from kobako.engines.local import interpreters, origin
from kobako.engines.local.interpreters import Interpreter
from kobako.engines.local.planning import Plan, Planner
from kobako.engines.local.sandbox import Tools
from kobako.engines.local.stage import Means
from kobako.errors import BuildError, UsageError, Where
from kobako.model.service import Build, Hints, Service
from kobako.pipconfig import PipConfig
from kobako.process import Outcome
from unit.local.recorded_uv import TOOLS, Told

PYTHON = Interpreter("/opt/p/bin/python3.11", "3.11.7", "/opt/p", "x86_64")
SLIM = "FROM python:3.11-slim\n"


@pytest.fixture(autouse=True)
def one_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreters, "find", lambda wanted, env: PYTHON if wanted.startswith("3.11") else None)


def service(folder: Path, text: str, args: Mapping[str, str | None] | None = None) -> Service:
    (folder / "Dockerfile").write_text(text, encoding="utf-8")
    return Service("a", build=Build(str(folder), str(folder / "Dockerfile"), args or {}))


def planner(tools: Tools | None = TOOLS, *, gpu: bool = False, env: Mapping[str, str] | None = None) -> Planner:
    return Planner(Means("/uv", tools, "bubblewrap is not installed", gpu, {}, env or {}), Told())


def plan(folder: Path, text: str, args: Mapping[str, str | None] | None = None) -> Plan:
    return planner().plan(service(folder, text, args))


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("RUN a\nENV A=1", "RUN a\nENV A=2"),
        ("RUN a\nENV A=1", "RUN a"),
        ("RUN a\nWORKDIR /a", "RUN a\nWORKDIR /b"),
        ("RUN a\nCMD b", "RUN a\nCMD c"),
        ('RUN a\nENTRYPOINT ["b"]', 'RUN a\nCMD ["b"]'),
        ("RUN a", "RUN b"),
        ("ENV A=1", ""),
        ("COPY Dockerfile /a", "COPY Dockerfile /b"),
    ],
)
def test_what_makes_another_image(tmp_path: Path, one: str, two: str) -> None:
    """Also where nothing has to be done for it: what is only said of an image belongs to it."""
    assert plan(tmp_path, SLIM + one).key != plan(tmp_path, SLIM + two).key


def test_what_makes_the_same_image(tmp_path: Path) -> None:
    first = plan(tmp_path, f"{SLIM}RUN a\nENV A=1\n")
    again = plan(tmp_path, f"# a comment\n{SLIM}\nRUN a\nLABEL b=c\nENV A=1\n")
    assert (first.key, first.keys) == (again.key, again.keys)
    assert len(first.keys) == 2


def test_an_image_is_never_its_base(tmp_path: Path) -> None:
    """What is known of an image is more than what is known of a base."""
    assert plan(tmp_path, SLIM).key != plan(tmp_path, SLIM).base


def test_the_base_depends_on_the_machine(tmp_path: Path) -> None:
    one = service(tmp_path, SLIM)
    assert planner(gpu=True).plan(one).base != planner(gpu=False).plan(one).base


def test_the_content_of_what_is_copied(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1", encoding="ascii")
    text = f"{SLIM}COPY a /a\nRUN b\n"
    first = plan(tmp_path, text)
    (tmp_path / "a").write_text("2", encoding="ascii")
    other = plan(tmp_path, text)
    assert first.keys[0] == other.keys[0]
    assert not set(first.keys[1:]) & set(other.keys[1:])
    with pytest.raises(BuildError) as caught:
        plan(tmp_path, f"{SLIM}\nCOPY none /a\n")
    assert caught.value.where == Where(str(tmp_path / "Dockerfile"), 3)


def test_arguments(tmp_path: Path) -> None:
    text = "ARG V=3.9\nFROM python:${V}\nARG A\nARG B=2\nRUN x\n"
    one = service(tmp_path, text, {"V": "3.11", "A": None, "B": None})
    made = planner(env={"A": "1"}).plan(one)
    values = made.tasks[0].environment
    assert (made.standin.python, values["A"], values["B"]) == ("3.11", "1", "2")


def test_commands_without_bubblewrap(tmp_path: Path) -> None:
    text = f"{SLIM}RUN pip install six\nRUN make\nRUN ./configure\n"
    with pytest.raises(BuildError) as caught:
        planner(None).plan(service(tmp_path, text))
    error = caught.value
    assert error.code == "needs-sandbox"
    assert error.what == "this command may not run outside of a sandbox: RUN make"
    assert error.why == "bubblewrap is not installed\nline 4: RUN ./configure"
    assert error.where == Where(str(tmp_path / "Dockerfile"), 3)
    assert planner(None).plan(service(tmp_path, f"{SLIM}RUN pip install six\n")).tasks


def test_a_service_that_is_an_image(tmp_path: Path) -> None:
    made = planner().plan(Service("a", image="python:3.11", where=Where("docker-compose.yaml", 4)))
    assert (made.standin.python, made.tasks) == ("3.11", ())


def test_a_service_whose_recipe_is_no_file(tmp_path: Path) -> None:
    where = Where("docker-compose.yaml", 4)
    with pytest.raises(UsageError) as caught:
        planner().plan(Service("a", build=Build(str(tmp_path), None, where=where)))
    assert (caught.value.code, caught.value.where) == ("not-honoured", where)


def test_hints(tmp_path: Path) -> None:
    one = service(tmp_path, "FROM team/base:7\n")._replace(hints=Hints(base={"python": "3.11", "torch": "2.1.0"}))
    made = planner().plan(one)
    assert made.standin.packages == ("torch==2.1.0", "torchvision==0.16.0")
    with pytest.raises(BuildError) as caught:
        planner().plan(one._replace(hints=Hints()))
    assert caught.value.where == Where(str(tmp_path / "Dockerfile"), 1)


def test_a_python_that_is_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(argv: list[str], **_: object) -> Outcome:
        assert argv == ["/uv", "python", "install", "3.8"]
        return Outcome(tuple(argv), 2, "", "error: no download", 0.0)

    monkeypatch.setattr(process, "run", run)
    with pytest.raises(BuildError) as caught:
        plan(tmp_path, "FROM python:3.8\n")
    error = caught.value
    assert (error.code, error.why) == ("no-interpreter", "error: no download")
    assert error.where == Where(str(tmp_path / "Dockerfile"), 1)


def test_without_secrets() -> None:
    settings = PipConfig(
        index_url="https://me:sesame@host/simple",
        extra_index_urls=("https://open/simple", "https://TOKEN@host/simple"),
        proxy="http://me:sesame@proxy",
        find_links=("/wheels",),
    )
    open_ = origin.without_secrets(settings)
    assert open_ == PipConfig(extra_index_urls=("https://open/simple",), find_links=("/wheels",))
    assert origin.without_secrets(open_) == open_


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("-i", "https://a"), True),
        (("--index-url", "https://a"), True),
        (("--default-index", "https://a"), True),
        (("--extra-index-url", "https://a"), False),
        (("six",), False),
    ],
)
def test_a_line_that_names_its_index(arguments: tuple[str, ...], named: bool) -> None:
    assert origin.names_index("UV_INDEX_URL", arguments) is named
    assert not origin.names_index("UV_EXTRA_INDEX_URL", arguments)


def test_folders_that_uv_sees_inside(tmp_path: Path) -> None:
    home = tmp_path / "home"
    index = home / "index/simple"
    wheels = tmp_path / "with blank"
    cert = tmp_path / "cert.pem"
    for folder in (index, wheels):
        folder.mkdir(parents=True)
    cert.touch()
    settings = PipConfig(
        index_url=index.as_uri(), find_links=(wheels.as_uri(), "https://a/links", "/none"), cert=str(cert)
    )
    found = origin.folders(settings, {"HOME": str(home)})
    assert {str(index), str(wheels), str(cert)} <= set(found)
    assert not {str(home), *map(str, home.parents)} & set(found)
    at_home = PipConfig(index_url=(home / "index").as_uri())
    assert not {str(home), *map(str, home.parents)} & set(origin.folders(at_home, {"HOME": str(home)}))


def test_proxies() -> None:
    env = {"http_proxy": "a", "HTTPS_PROXY": "b", "No_Proxy": "c", "ALL_PROXY": "d", "PROXY": "e"}
    assert set(origin.proxies(env)) == {"http_proxy", "HTTPS_PROXY", "No_Proxy", "ALL_PROXY"}
    secret = {"https_proxy": "http://me:sesame@proxy", "ALL_PROXY": "http://TOKEN@proxy", "http_proxy": "http://proxy"}
    assert origin.proxies(secret) == {"http_proxy": "http://proxy"}


def test_what_uv_outside_needs_of_the_callers_variables() -> None:
    """uv puts variables into addresses that a stranger wrote: it gets none that is anybody's secret."""
    kept = {
        "PATH": "/usr/bin",
        "HOME": "/home/me",
        "USER": "me",
        "LOGNAME": "me",
        "TMPDIR": "/tmp",
        "LANG": "C",
        "LC_ALL": "C",
        "XDG_CACHE_HOME": "/cache",
        "SSL_CERT_FILE": "/cert.pem",
        "SSL_CERT_DIR": "/certs",
        "http_proxy": "http://me:sesame@proxy",
        "HTTPS_PROXY": "http://proxy",
        "no_proxy": "a",
        "ALL_PROXY": "b",
    }
    dropped = [
        *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"),
        *("TOKEN", "GITHUB_TOKEN", "HF_TOKEN", "PYPI_PASSWORD", "UV_INDEX_MINE_PASSWORD", "UV_PUBLISH_TOKEN"),
        *("PIP_INDEX_URL", "UV_INDEX_URL", "NETRC", "SSH_AUTH_SOCK", "GIT_ASKPASS", "KOBAKO_SESSION"),
        *("PYTHONPATH", "PYTHONHOME", "LD_PRELOAD", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "CONDA_PREFIX"),
        *("MY_HOME", "HOMES", "USERNAME", "MY_HTTP_PROXY", "HTTP_PROXY_PASSWORD", "PATH_TOKEN", "LANGUAGE"),
    ]
    assert origin.outside({**kept, **dict.fromkeys(dropped, "sesame")}) == kept


def test_what_pip_inside_may_know(tmp_path: Path) -> None:
    settings = PipConfig(
        index_url="https://me:sesame@host/simple",
        extra_index_urls=("https://open/simple", "https://TOKEN@host/simple"),
        proxy="http://me:sesame@proxy",
        cert="/cert.pem",
    )
    certificates = dict.fromkeys(("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"), "/cert.pem")
    assert origin.variables(settings, tmp_path) == {"PIP_EXTRA_INDEX_URL": "https://open/simple", **certificates}


@pytest.mark.parametrize("name", ["/etc/pip.conf", "/root/.config/pip/pip.conf", "/root/.pip/pip.conf"])
def test_an_image_that_configures_pip(tmp_path: Path, name: str) -> None:
    """Variables would go before its own configuration."""
    path = tmp_path / name[1:]
    path.parent.mkdir(parents=True)
    path.touch()
    assert origin.configures_pip(tmp_path)
    settings = PipConfig(index_url="https://mine/simple", cert="/cert.pem")
    certificates = dict.fromkeys(("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"), "/cert.pem")
    assert origin.variables(settings, tmp_path) == certificates
    assert origin.variables(PipConfig(index_url="https://mine/simple"), tmp_path) == {}
