"""``pip install`` and ``uv pip install`` lines of a Dockerfile, in uv's words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kobako.dockerfile.recipe import read_recipe
from kobako.engines.local import pip
from kobako.engines.local.pip import Install
from kobako.model.recipe import Command


def command_of(run: str) -> Command:
    return read_recipe(f"FROM x\nRUN {run}\n").steps[1].commands[0]


def install(run: str) -> Install | None:
    return pip.install(command_of(run))


def found(run: str) -> Install:
    made = install(run)
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("run", "arguments"),
    [
        ("pip install six", "six"),
        ("pip3 install six==1.17.0 'numpy<2'", "six==1.17.0 numpy<2"),
        ("python3 -m pip install six", "six"),
        ("python -u -m pip install six", "six"),
        ("/usr/bin/python3 -m pip install six", "six"),
        ("sudo -H pip install six", "six"),
        ("pip --no-cache-dir install six", "six"),
        ("pip --disable-pip-version-check -q install six", "six"),
        ("pip install --no-cache-dir --use-deprecated=legacy-resolver six", "six"),
        ("pip install --use-deprecated legacy-resolver six", "six"),
        ("pip install --progress-bar off --timeout=60 --retries 3 six", "six"),
        ("pip install --root-user-action=ignore --break-system-packages six", "six"),
        ("pip install -q -qq -v -vvv --quiet --verbose six", "six"),
        ("pip install -r reqs.txt", "--requirements reqs.txt"),
        ("pip install -rreqs.txt", "--requirements reqs.txt"),
        ("pip install --requirement=reqs.txt", "--requirements reqs.txt"),
        ("pip install --requirement reqs.txt -r more.txt", "--requirements reqs.txt --requirements more.txt"),
        ("pip install -qr reqs.txt", "--requirements reqs.txt"),
        ("pip install -qrreqs.txt", "--requirements reqs.txt"),
        ("pip install -c c.txt six", "--constraints c.txt six"),
        ("pip install --constraint=c.txt six", "--constraints c.txt six"),
        ("pip install -i https://a/simple six", "--index-url https://a/simple six"),
        ("pip install -ihttps://a/simple six", "--index-url https://a/simple six"),
        ("pip install --index-url=https://a/s?b=c six", "--index-url https://a/s?b=c six"),
        ("pip install --extra-index-url=https://a six", "--extra-index-url https://a six"),
        ("pip install --extra-index-url https://a six", "--extra-index-url https://a six"),
        ("pip install --trusted-host a six", "--allow-insecure-host a six"),
        ("pip install -f https://a/links six", "--find-links https://a/links six"),
        ("pip install --no-index --find-links=/wheels six", "--no-index --find-links /wheels six"),
        ("pip install --pre six", "--prerelease=allow six"),
        ("pip install --no-deps six", "--no-deps six"),
        ("pip install --no-dependencies six", "--no-deps six"),
        ("pip install --no-build-isolation six", "--no-build-isolation six"),
        ("pip install mmcv-full six", "--no-build-isolation-package=mmcv-full mmcv-full six"),
        ("pip install --no-build-isolation mmcv-full", "--no-build-isolation mmcv-full"),
        ("uv pip install mmcv-full", "mmcv-full"),
        ("pip install --force-reinstall six", "--reinstall six"),
        ("pip install -I six", "--reinstall six"),
        ("pip install --ignore-installed six", "--reinstall six"),
        ("pip install --require-hashes -r r.txt", "--require-hashes --requirements r.txt"),
        ("pip install --no-binary :all: six", "--no-binary :all: six"),
        ("pip install --no-binary=six,numpy six", "--no-binary six,numpy six"),
        ("pip install --only-binary numpy six", "--only-binary numpy six"),
        ("pip install --config-settings=a=b six", "--config-setting a=b six"),
        ("pip install -C a=b six", "--config-setting a=b six"),
        ("pip install -- six", "six"),
        ("pip install https://a/six-1-py3-none-any.whl", "https://a/six-1-py3-none-any.whl"),
        ("pip install 'six @ https://a/b.whl'", "six @ https://a/b.whl"),
        ("uv pip install six", "six"),
        ("uv pip install --system six", "six"),
        ("uv pip install --no-cache --link-mode=copy -q six", "six"),
        ("uv --no-cache pip install six", "six"),
        ("uv pip install -r r.txt --extra-index-url https://a", "-r r.txt --extra-index-url https://a"),
        ("uv pip install --index-strategy unsafe-best-match six", "--index-strategy unsafe-best-match six"),
        ("uv pip install --torch-backend=cpu torch", "--torch-backend cpu torch"),
        ("uv pip install --no-build-isolation --upgrade six", "--no-build-isolation --upgrade six"),
    ],
)
def test_translated(run: str, arguments: str) -> None:
    shown = " ".join(found(run).arguments)
    assert shown == arguments


@pytest.mark.parametrize(
    "run",
    [
        "pip install --target /x six",
        "pip install -t /x six",
        "pip install --prefix=/x six",
        "pip install --root /x six",
        "pip install --platform manylinux1_x86_64 --only-binary=:all: six",
        "pip install --python-version 3.8 six",
        "pip install --dry-run six",
        "pip install --report r.json six",
        "pip install --src /x -e git+https://a/b",
        "pip install --global-option=x six",
        "pip install --proxy http://a six",
        "pip install --cert /x six",
        "pip install --ignore-requires-python six",
        "pip install --never-heard-of six",
        "pip install -Z six",
        "pip install six > /dev/null",
        "pip install six 2>&1",
        "pip install $MORE six",
        "pip install torch==$V",
        "pip install -r ${FILE}",
        "pip install $(cat list)",
        "A=$B pip install six",
        "A+=1 pip install six",
        "uv pip install --target /x six",
        "uv pip install --prefix /x six",
        "uv pip install --python-platform linux six",
        "uv pip install --directory /x -r r.txt",
        "conda install six",
        "pip uninstall six",
        # what is before `install` counts as well
        "pip --python /venv/bin/python install six",
        "pip --proxy http://a install six",
        "pip --cert /x install six",
        "uv --directory /x pip install -r r.txt",
        "uv --project /x pip install -r r.txt",
        # an environment that the recipe made itself
        "/venv/bin/pip install six",
        "/opt/app/.venv/bin/python -m pip install six",
    ],
)
def test_not_translated(run: str) -> None:
    assert install(run) is None


@pytest.mark.parametrize("run", ["/opt/conda/bin/pip install six", "/usr/local/bin/pip3.8 install six"])
def test_the_images_own_pip_is_the_environments(run: str) -> None:
    assert found(run).arguments == ("six",)


@pytest.mark.parametrize(
    ("run", "flag"),
    [
        ("pip install -U -r r.txt", "--upgrade"),
        ("pip install --upgrade -r r.txt", "--upgrade"),
        ("pip install -Ur r.txt", "--upgrade"),
        ("pip install -qUr r.txt", "--upgrade"),
        ("pip install -Urr.txt", "--upgrade"),
        ("pip install -Ir r.txt", "--reinstall"),
        ("uv pip install -Ur r.txt", "-U"),
    ],
)
def test_no_letter_of_a_bundle_is_lost(run: str, flag: str) -> None:
    """The whole may be left to pip itself, but nothing of it may be left out."""
    made = install(run)
    assert made is None or flag in made.arguments or (flag == "-U" and "--upgrade" in made.arguments)


@pytest.mark.parametrize(
    ("run", "environment"),
    [
        ("MMCV_WITH_OPS=1 FORCE_CUDA=1 pip install mmcv-full", {"MMCV_WITH_OPS": "1", "FORCE_CUDA": "1"}),
        ("A='b c' uv pip install six", {"A": "b c"}),
        ("A= pip install six", {"A": ""}),
        ("A=1 /opt/kobako/keep-wheels python3 -m pip install six", {"A": "1"}),
        ("A=1 /opt/kobako/keep-wheels uv pip install six", {"A": "1"}),
        ("pip install six", {}),
    ],
)
def test_leading_assignments(run: str, environment: dict[str, str]) -> None:
    assert found(run).environment == environment


@pytest.mark.parametrize("run", ["env A=1 pip install six", "sudo A=1 pip install six", "sudo -E A=1 pip install six"])
def test_assignments_after_env_are_not_lost(run: str) -> None:
    made = install(run)
    assert made is None or made.environment == {"A": "1"}


@pytest.mark.parametrize(
    ("run", "files"),
    [
        ("pip install -r r.txt six", ["r.txt"]),
        ("pip install six -rr.txt -c c.txt", ["r.txt", "c.txt"]),
        ("pip install .", ["."]),
        ("pip install '.[dev]'", [".[dev]"]),
        ("pip install ./a", ["./a"]),
        ("pip install './a[b]'", ["./a[b]"]),
        ("pip install ../a", ["../a"]),
        ("pip install /a/b", ["/a/b"]),
        ("pip install third_party/apex", ["third_party/apex"]),
        ("pip install a.tar.gz", ["a.tar.gz"]),
        ("pip install dist/a-1-py3-none-any.whl", ["dist/a-1-py3-none-any.whl"]),
        ("pip install 'a-1-py3-none-any.whl[x]'", ["a-1-py3-none-any.whl[x]"]),
        ("pip install -f /wheels six", ["/wheels"]),
        ("pip install --find-links=wheels six", ["wheels"]),
        ("uv pip install --override o.txt -b b.txt -r r.txt", ["o.txt", "b.txt", "r.txt"]),
        ("uv pip install --excludes x.txt six", ["x.txt"]),
        ("pip install six numpy==1.0 'a[b]>=2'", []),
        ("pip install https://a/b.tar.gz", []),
        ("pip install git+https://a/b.git", []),
    ],
)
def test_files_are_known_as_such(run: str, files: list[str]) -> None:
    """They have other names outside. Leaving the command to pip itself is no mistake either."""
    made = install(run)
    if made is not None:
        assert [made.arguments[at] for at in made.files] == files


@pytest.mark.parametrize(
    ("run", "needs"),
    [
        ("pip install -e .", True),
        ("pip install -e git+https://a/b.git#egg=b", True),
        ("pip install --editable=./a", True),
        ("uv pip install -e '.[dev]'", True),
        ("pip install .", True),
        ("pip install '.[dev]'", True),
        ("pip install a.tar.gz", True),
        ("pip install third_party/apex", True),
        ("pip install git+https://a/b.git@v1", True),
        ("pip install 'b @ git+https://a/b.git'", True),
        ("pip install ./a-1-py3-none-any.whl", False),
        ("pip install six", False),
        ("pip install -r r.txt", False),
        ("pip install https://a/six-1-py3-none-any.whl", False),
    ],
)
def test_what_surely_runs_code(run: str, needs: bool) -> None:
    made = install(run)
    assert made is None or made.needs_code is needs


@pytest.mark.parametrize(
    ("run", "upgraded"),
    [
        ("pip install -U six numpy", ["six", "numpy"]),
        ("pip install --upgrade 'six<2'", ["six"]),
        ("pip install -U -r r.txt", [None]),
        ("pip install -U six -r r.txt", [None]),
    ],
)
def test_upgrades(run: str, upgraded: list[str | None]) -> None:
    """pip upgrades what is named on the line and in files; None stands for all of it."""
    wanted = ["--upgrade" if one is None else f"--upgrade-package={one}" for one in upgraded]
    assert [one for one in found(run).arguments if one.startswith("--upgrade")] == wanted


@pytest.mark.parametrize(
    "run",
    ["pip install -i /opt/simple six", "uv pip install --index ./i six", "uv pip install --default-index=/opt/i six"],
)
def test_an_index_that_is_a_folder_inside(run: str) -> None:
    made = install(run)
    assert made is None or made.needs_code or made.files == (1,)


def test_names() -> None:
    made = found("pip install Torch==2.1.0 'torch_vision[x]>=1' -r r.txt")
    assert made.names == ("torch", "torch-vision")
    assert made.wants_torch
    assert not found("pip install torchvision").wants_torch


@given(st.lists(st.sampled_from(["six", "numpy<2", "a[b]==1.*", "-U", "--pre", "--no-deps", "-q"]), min_size=1))
def test_words_keep_their_order(words: list[str]) -> None:
    made = found("pip install " + " ".join(f"'{word}'" for word in words))
    assert [one for one in made.arguments if not one.startswith("-")] == [one for one in words if one[0] != "-"]


def test_what_means_something_outside() -> None:
    """Not where to install and how, nor what would make uv run or read something of this machine."""
    kept = {"UV_OVERRIDE": "/o", "UV_CONSTRAINT": "/c", "UV_EXTRA_INDEX_URL": "https://a", "UV_TORCH_BACKEND": "cpu"}
    dropped = {
        "UV_SYSTEM_PYTHON": "1",
        "UV_BREAK_SYSTEM_PACKAGES": "1",
        "UV_LINK_MODE": "copy",
        "UV_CACHE_DIR": "/x",
        "UV_PYTHON": "/x",
        "UV_CONFIG_FILE": "/x",
        "LD_PRELOAD": "/x",
        "A": "1",
    }
    assert dict(pip.meant_outside({**kept, **dropped})) == kept
