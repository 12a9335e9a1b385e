"""Which build of torch is taken on a machine without a GPU, and what environment uv gets."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from kobako.engines.local.stage import CONFIG
from kobako.errors import BuildError
from unit.local.recorded_uv import NO_ANSWER, NOT_THERE, ONLY_SOURCE, Answer, Asked, Bench, bench, would

TORCH = would("filelock==3.1", "torch==2.1.0")


def offer(folder: Path, *versions: str) -> str:
    folder.mkdir(exist_ok=True)
    for version in versions:
        with zipfile.ZipFile(folder / f"torch-{version}-cp311-cp311-linux_x86_64.whl", "w") as file:
            file.writestr(f"torch-{version}.dist-info/METADATA", "Metadata-Version: 2.1\n")
    return str(folder)


def hold(one: Bench, *packages: str) -> None:
    """The environment is there, and has these packages."""
    env = one.stage.env
    (env / "bin").mkdir(parents=True)
    for name in ("python", "python3"):
        (env / "bin" / name).symlink_to(one.stage.interpreter.path)
    for path in (env / "pyvenv.cfg", one.stage.folder / CONFIG):
        path.write_text("home = /opt/p/bin\ninclude-system-site-packages = false\n", encoding="ascii")
    one.stage.site.mkdir(parents=True)
    for package in packages:
        (one.stage.site / f"{package}.dist-info").mkdir()


def torch_comes(backend: int = 0) -> Answer:
    """Everything works; ``backend`` is what becomes of PyTorch's own index."""
    return lambda asked: (backend, TORCH if backend == 0 else NO_ANSWER) if asked.cpu else (0, TORCH)


def last(asked: list[Asked]) -> Asked:
    assert not asked[-1].dry
    return asked[-1]


@pytest.mark.parametrize("line", ["pip install torch", "pip install timm"])
def test_a_cpu_build_of_find_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    links = offer(tmp_path / "links", "2.1.0+cpu", "2.0.0+cpu", "2.2.0+cu121")
    one = bench(tmp_path, monkeypatch, torch_comes(), gpu=False, env={"PIP_FIND_LINKS": links})
    asked = one.run(line)
    assert not any(one.cpu for one in asked)
    assert f"--find-links={links}" in last(asked).words
    assert one.constraints[-1] == "torch==2.1.0+cpu"
    assert one.told.warned == []


def test_the_newest_that_fits_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    links = offer(tmp_path / "links", "2.1.0+cpu", "2.0.0+cpu")

    def answer(asked: Asked) -> tuple[int, str]:
        return (1, NOT_THERE) if asked.constraint == "torch==2.1.0+cpu" else (0, TORCH)

    one = bench(tmp_path, monkeypatch, answer, gpu=False, env={"PIP_FIND_LINKS": links})
    one.run("pip install 'torch<2.1'")
    assert one.constraints[-1] == "torch==2.0.0+cpu"


def test_pytorchs_own_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = bench(tmp_path, monkeypatch, torch_comes(), gpu=False)
    asked = one.run("pip install torch")
    assert last(asked).cpu
    assert one.told.warned == []
    tries = [two for two in asked if two.cpu and two.dry and not two.inside]
    assert float(tries[0].environment["UV_HTTP_TIMEOUT"]) <= 5
    assert "UV_HTTP_RETRIES" not in last(asked).environment
    again = one.run("pip install torch")
    assert len(again) == 1
    assert last(again).cpu


def test_neither(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = bench(tmp_path, monkeypatch, torch_comes(backend=2), gpu=False)
    asked = one.run("pip install torch")
    assert not last(asked).cpu
    (problem,) = one.told.warned
    assert problem.code == "torch-size"
    assert problem.fix == "name a folder with a CPU wheel of torch: PIP_FIND_LINKS=/folder"
    # not remembered: what could not be had may be had tomorrow
    one.run("pip install torch")
    assert len(one.told.warned) == 2


@pytest.mark.parametrize("gpu", [True, False])
@pytest.mark.parametrize("held", [True, False])
def test_no_word_on_torch_where_none_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gpu: bool, held: bool
) -> None:
    """With a GPU, where torch is there already, and for what does not want it."""
    links = offer(tmp_path / "links", "2.1.0+cpu")
    answer = torch_comes(backend=2) if gpu or held else lambda asked: (0, would("six==1"))
    one = bench(tmp_path, monkeypatch, answer, gpu=gpu, env={"PIP_FIND_LINKS": links})
    hold(one, *(["torch-2.1.0"] if held else []))
    asked = one.run("pip install timm")
    assert not any(two.cpu for two in asked)
    assert set(one.constraints) == {""}
    assert one.told.warned == []


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("pip install git+https://a/b", lambda asked: (0, would("b==1")) if asked.inside else (1, ONLY_SOURCE)),
        ("pip install -e .", lambda asked: (0, would("b==1")) if asked.inside else (1, ONLY_SOURCE)),
        ("pip install onlysource", lambda asked: (0, would("onlysource==1")) if asked.inside else (1, ONLY_SOURCE)),
    ],
)
def test_no_false_alarm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, answer: Answer) -> None:
    """A source of which nobody knows whether it wants torch: nothing is said of the size of torch."""
    one = bench(tmp_path, monkeypatch, answer, gpu=False)
    assert last(one.run(line)).inside
    assert one.told.warned == []


def test_a_source_that_wants_another_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The CPU build at hand is an offer, no demand."""
    links = offer(tmp_path / "links", "2.1.0+cpu")

    def answer(asked: Asked) -> tuple[int, str]:
        return (1, NOT_THERE) if any("--constraint" in word for word in asked.words) else (0, would("b==1"))

    one = bench(tmp_path, monkeypatch, answer, gpu=False, env={"PIP_FIND_LINKS": links})
    asked = one.run("pip install -e .")
    assert [any("--constraint" in word for word in two.words) for two in asked if not two.dry] == [True, False]


PAIR = ("torch-2.13.0+cpu", "torchvision-0.28.0")
VISION = would("torchvision==0.28.0+cpu")


@pytest.mark.parametrize("gpu", [True, False])
def test_a_torchvision_for_cuda_beside_a_torch_for_the_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gpu: bool
) -> None:
    """Importing it would fail: the index's own pair is taken, and that is said."""
    one = bench(tmp_path, monkeypatch, torch_comes(backend=2), gpu=gpu)
    hold(one, *PAIR)
    asked = one.run("pip install timm")
    if gpu:  # whoever has one chose the CPU build
        assert (last(asked).words[-1], one.told.warned) == ("timm", [])
        return
    assert last(asked).words[-1] == "torch==2.13.0,!=2.13.0+cpu"
    (problem,) = one.told.warned
    assert problem.code == "torch-size"
    assert problem.what.startswith(
        "no CPU build of torchvision==0.28.0 is at hand: torch is taken from the package index"
    )
    assert "cannot be imported beside torch 2.13.0+cpu" in problem.why


def test_a_torchvision_of_pytorchs_own_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = bench(tmp_path, monkeypatch, lambda asked: (0, VISION if asked.cpu else would("timm==1")), gpu=False)
    hold(one, *PAIR)
    asked = last(one.run("pip install timm"))
    assert {"--reinstall-package=torchvision", "--torch-backend=cpu", "torchvision==0.28.0"} <= set(asked.words)
    assert "UV_HTTP_RETRIES" not in asked.environment
    assert one.told.warned == []


def test_an_index_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = bench(tmp_path, monkeypatch, lambda asked: (2, NO_ANSWER), gpu=False)
    for line in ("pip install six", "pip install torch"):
        with pytest.raises(BuildError) as caught:
            one.run(line)
        assert caught.value.code == "index-unreachable"
    assert one.told.warned == []
    assert len(one.asked) <= 3


SAID = {
    "UV_SYSTEM_PYTHON": "1",
    "UV_BREAK_SYSTEM_PACKAGES": "1",
    "UV_LINK_MODE": "copy",
    "UV_CACHE_DIR": "/x",
    "UV_PYTHON": "/x",
    "UV_OVERRIDE": "/opt/kobako/floor.txt",
    "UV_CONSTRAINT": "c.txt /opt/c.txt",
    "UV_SYSTEM_CERTS": "1",
    "UV_CONFIG_FILE": "/x",
    "PYTHONPATH": "/x",
    "LD_PRELOAD": "/x",
    "TOKEN": "sesame",
}
OWN = {
    "UV_SYSTEM_PYTHON": "1",
    "UV_INDEX_URL": "https://mine",
    "UV_HTTP_TIMEOUT": "9",
    "PYTHONPATH": "/mine",
    "CONDA_PREFIX": "/mine",
    "VIRTUAL_ENV": "/mine",
    "KOBAKO_SESSION": "x",
    "PIP_TARGET": "/mine",
    "https_proxy": "http://proxy",
    "AWS_SECRET_ACCESS_KEY": "sesame",
    "HF_TOKEN": "sesame",
    "UV_INDEX_MINE_PASSWORD": "sesame",
}


def test_what_uv_gets_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = bench(tmp_path, monkeypatch, lambda asked: (0, would("six==1")), env=OWN)
    one.lay({"w/o.txt": "a==1\n", "w/c.txt": "b<2\n", "opt/c.txt": "c<3\n"})
    asked = last(one.run("UV_OVERRIDE=o.txt pip install six", SAID))
    assert not asked.inside
    env = asked.environment
    for name in ("UV_SYSTEM_PYTHON", "UV_BREAK_SYSTEM_PACKAGES", "UV_LINK_MODE", "UV_PYTHON", "UV_CONFIG_FILE"):
        assert name not in env
    for name in ("PYTHONPATH", "CONDA_PREFIX", "VIRTUAL_ENV", "KOBAKO_SESSION", "PIP_TARGET", "UV_INDEX_URL"):
        assert name not in env
    assert not {"LD_PRELOAD", "TOKEN"} & env.keys()
    assert "sesame" not in f"{env}{one.listed}"
    assert (asked.said("--override"), asked.said("--constraint")) == (["a==1\n"], ["b<2\n", "c<3\n"])
    assert str(one.stage.root) not in " ".join(asked.words)
    assert not {"UV_CONSTRAINT", "UV_OVERRIDE"} & env.keys()
    assert (env["UV_HTTP_TIMEOUT"], env["https_proxy"]) == ("9", "http://proxy")
    assert env["UV_CACHE_DIR"] == f"{tmp_path}/home/.cache/uv"
    assert f"--python={one.stage.env}/bin/python" in asked.words
    assert "--no-config" in asked.words


def test_what_uv_gets_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = bench(tmp_path, monkeypatch, lambda asked: (0, would("six==1")), env=OWN)
    line = "UV_SYSTEM_PYTHON=1 UV_CACHE_DIR=/x A=1 pip install --no-build-isolation -e ."
    env = last(one.run(line, SAID)).environment
    assert not {"UV_SYSTEM_PYTHON", "UV_BREAK_SYSTEM_PACKAGES", "KOBAKO_SESSION", "CONDA_PREFIX"} & env.keys()
    assert env["UV_CACHE_DIR"] not in {"/x", f"{tmp_path}/home/.cache/uv"}
    assert "--override=/opt/kobako/floor.txt" in one.asked[-1].words
    assert {"--constraint=c.txt", "--constraint=/opt/c.txt"} <= set(one.asked[-1].words)
    assert (env["A"], env["TOKEN"], env["https_proxy"]) == ("1", "sesame", "http://proxy")
    assert env["PATH"].startswith("/opt/kobako/env/bin:")
    assert str(tmp_path) not in " ".join(one.asked[-1].words)


def test_links_in_the_image_do_not_lead_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = bench(tmp_path, monkeypatch, lambda asked: (0, would("six==1")))
    (one.stage.root / "opt").symlink_to("/etc")
    one.lay({"etc/x": "a==1\n"})
    asked = last(one.run("pip install six", {"UV_OVERRIDE": "/opt/x"}))
    assert not asked.inside
    assert asked.said("--override") == ["a==1\n"]


PIP_SAYS = {"PIP_CONSTRAINT": "/c.txt", "PIP_FIND_LINKS": "/wheels https://a", "PIP_NO_DEPS": "1", "PIP_PRE": "no"}


def test_pips_variables_of_the_recipe_name_files_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = bench(tmp_path, monkeypatch, lambda asked: (0, would("six==1")))
    one.lay({"c.txt": "a<2\n"})
    asked = last(one.run("pip install six", PIP_SAYS))
    wanted = {f"--find-links={one.stage.root}/wheels", "--find-links=https://a", "--no-deps"}
    assert wanted <= set(asked.words)
    assert asked.said("--constraint") == ["a<2\n"]
    assert "--prerelease=allow" not in asked.words
    other = last(one.run("uv pip install numpy", PIP_SAYS))
    assert not wanted & set(other.words)
    assert other.said("--constraint") == []


@pytest.mark.parametrize("leading", [True, False])
def test_pips_own_variables_of_the_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, leading: bool) -> None:
    one = bench(tmp_path, monkeypatch, lambda asked: (0, would("six==1")))
    said = {"PIP_INDEX_URL": "https://theirs/simple"}
    line = " ".join(f"{name}={value}" for name, value in said.items()) if leading else ""
    asked = last(one.run(f"{line} pip install six".strip(), {} if leading else said))
    assert asked.environment.get("UV_INDEX_URL") == said["PIP_INDEX_URL"] or "https://theirs/simple" in str(asked.words)


def test_credentials_stay_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a list of processes nor a stranger's code gets to see them."""
    env = {"PIP_INDEX_URL": "https://me:sesame@host/simple", "PIP_EXTRA_INDEX_URL": "https://open/simple"}
    one = bench(tmp_path, monkeypatch, lambda asked: (0, would("six==1")), env=env)
    asked = one.run("pip install six")
    assert "sesame" in last(asked).environment["UV_INDEX_URL"]
    one.run("pip install -e .")
    for two in (*asked, *one.asked):
        assert "sesame" not in str(two.words)
        assert not two.inside or "sesame" not in str(two.environment)


def test_files_are_kobakos_own_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = bench(tmp_path, monkeypatch, lambda asked: (0, would("six==1")))
    one.lay({"w/r.txt": "six\n", "opt/c.txt": "six<2\n"})
    folder = one.stage.folder
    for asked in one.run("pip install -r r.txt -c /opt/c.txt six"):
        if not asked.inside:
            assert asked.words[-3:] == (
                "six",
                f"--requirements={folder}/given-0.txt",
                f"--constraints={folder}/given-1.txt",
            )
            assert (asked.said("--requirements"), asked.said("--constraints")) == (["six\n"], ["six<2\n"])


@pytest.mark.parametrize(
    "text",
    [
        "-e .\n",
        "./local\n",
        "file:///opt/x.whl\n",
        "a @ file:///opt/x.whl\n",
        "/opt/x.whl\n",
        "x.tar.gz\n",
        "git+https://a/b\n",
    ],
)
def test_a_requirements_file_that_leads_to_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """From outside, they would be this machine's."""
    one = bench(tmp_path, monkeypatch, lambda asked: (0, would("six==1")))
    (one.stage.root / "w").mkdir()
    (one.stage.root / "w/r.txt").write_text(f"six\n{text}", encoding="ascii")
    assert all(two.inside for two in one.run("pip install -r r.txt"))


@pytest.mark.parametrize(
    "line", ["pip install file:///opt/x.whl", "pip install 'x @ file:///opt/x.whl'", "pip install -f file:///opt six"]
)
def test_addresses_of_files_are_not_this_machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    one = bench(tmp_path, monkeypatch, lambda asked: (0, would("six==1")))
    for asked in one.run(line):
        assert asked.inside or "file:///opt" not in " ".join(asked.words)


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    one = bench(tmp_path, monkeypatch, lambda asked: (0, would("six==1")))
    asked = last(one.run("pip install six"))
    assert asked.environment["UV_CACHE_DIR"] == f"{tmp_path}/.kobako/local/cache/uv/wheels"
