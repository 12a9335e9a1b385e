"""Stand-in base images, made from Debian packages and Python wheels alone, under any name that a test gives.

``base``  Debian 12 with Python 3.11 (``python``, ``python3``, ``pip``), writable by pip as NGC's images are.
``torch`` the same with PyTorch for the CPU, NumPy, TensorBoard and scikit-learn: a real model can be trained.
``ngc``   the same with NGC's traps and no real PyTorch: a pre-release torch of a release's version, its torchvision,
          and from 25.03 on a constraint file that pip is told of. Built in seconds.
``real``  NGC's 22.02 with a PyTorch that works, for repositories of its time (see ``infra.real``).
"""

from __future__ import annotations

import ast
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

from infra.cache import cache_folder, locked
from infra.debian import make_file_system
from infra.engine import Engine
from infra.wheels import write_wheel

Kind = Literal["base", "torch", "ngc", "real"]

SUITE = "bookworm"
PACKAGES = ("python3", "python3-pip", "python3-venv", "python-is-python3", "ca-certificates", "procps")
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
TORCH = "2.13.0"
TORCH_PACKAGES = (f"torch=={TORCH}", "numpy", "tensorboard", "scikit-learn")
HOOKS = (
    f'cp {BUNDLE} "$1{BUNDLE}"',
    'rm -f "$1"/usr/lib/python3*/EXTERNALLY-MANAGED',
    'mkdir -p "$1/workspace"',
)


class Release(NamedTuple):
    """Versions in an NGC release, as published, and whether it constrains pip."""

    torch: str
    torchvision: str
    constrained: bool


RELEASES = {
    "22.02": Release("1.11.0a0+17540c5", "0.12.0a0", constrained=False),
    "25.04": Release("2.7.0a0+79aa17489c.nv25.4", "0.22.0a0", constrained=True),
}
# In the images of the release, beside torch: what a requirement of a repository is likely to move.
FELLOWS = {"tqdm": "4.67.1", "tabulate": "0.9.0"}


def key_of(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def pip_settings() -> dict[str, list[str]]:
    """This machine's pip options (environment over files), each as a list of words."""
    argv = [sys.executable, "-m", "pip", "--disable-pip-version-check", "config", "list"]
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    found: dict[str, list[str]] = {}
    for line in sorted(done.stdout.splitlines(), key=lambda line: line.startswith(":env:")):
        name, _, value = line.partition("=")
        found[name.rpartition(".")[2]] = str(ast.literal_eval(value)).split()
    return found


def _index_environment() -> dict[str, str]:
    """What leads pip, and uv, which ignores pip's settings, to the host's index. Folders of the host are left out."""
    settings = pip_settings()
    found = {"PIP_CERT": BUNDLE, "SSL_CERT_FILE": BUNDLE}
    for option, names in (
        ("index-url", ("PIP_INDEX_URL", "UV_DEFAULT_INDEX")),
        ("extra-index-url", ("PIP_EXTRA_INDEX_URL", "UV_INDEX")),
    ):
        addresses = [url for url in settings.get(option, []) if url.startswith(("http://", "https://"))]
        if addresses:
            found |= dict.fromkeys(names, " ".join(addresses))
    return found


def base(engine: Engine) -> str:
    """The tag of the base image on this Engine; its file system is made once and stays in the cache."""
    variables = _index_environment()
    contents = key_of(SUITE, *PACKAGES, *HOOKS, Path(BUNDLE).read_text(encoding="utf-8"))
    tag = f"kobako-test/base:{key_of(contents, str(sorted(variables.items())))}"
    if not has(engine, tag):
        changes = [f"ENV {name}={_quoted(value)}" for name, value in variables.items()]
        changes += ["ENV LANG=C.UTF-8", "WORKDIR /workspace", 'CMD ["/bin/bash"]']
        options = [word for change in changes for word in ("--change", change)]
        engine.docker("import", *options, str(_file_system(contents)), tag)
        forget_others(engine, tag)
    return tag


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$") + '"'


def _file_system(key: str) -> Path:
    cache = cache_folder()
    tar = cache / f"base-{key}.tar"
    with locked(cache / "base.lock"):
        if not tar.exists():
            for old in cache.glob("base-*.tar"):
                old.unlink()
            fresh = tar.with_name(f"making-{key}.tar")
            make_file_system(PACKAGES, SUITE, fresh, HOOKS)
            fresh.rename(tar)
    return tar


def torch(engine: Engine) -> str:
    """The tag of the image with PyTorch. It is built once; another Engine, or an emptied one, loads it from the cache.

    A CPU wheel from pip's find-links is taken where there is one.
    """
    return kept(engine, "torch", key_of(base(engine), *TORCH_PACKAGES), lambda tag: _build_torch(engine, tag))


def kept(engine: Engine, name: str, key: str, make: Callable[[str], None]) -> str:
    """The tag of an image that takes long to make: made once, then loaded from the cache into every new Engine."""
    tag = f"kobako-test/{name}:{key}"
    if has(engine, tag):
        return tag
    cache = cache_folder()
    tar = cache / f"{name}-{key}.tar"
    with locked(cache / f"{name}.lock"):
        if tar.exists():
            engine.docker("load", "--input", str(tar))
        else:
            make(tag)
            for old in cache.glob(f"{name}-*.tar"):
                old.unlink()
            fresh = tar.with_name(f"making-{key}.tar")
            engine.docker("save", "--output", str(fresh), tag)
            fresh.rename(tar)
    forget_others(engine, tag)
    return tag


def _build_torch(engine: Engine, tag: str) -> None:
    with tempfile.TemporaryDirectory(prefix="kobako-torch-") as name:
        for folder in pip_settings().get("find-links", []):
            for wheel in Path(folder).glob(f"torch-{TORCH}*-cp311-*.whl"):
                shutil.copy2(wheel, name)
        recipe = (
            f"FROM {base(engine)}\n"
            "RUN --mount=type=bind,target=/wheels pip install --no-cache-dir --find-links /wheels "
            f"{' '.join(TORCH_PACKAGES)}\n"
        )
        build(engine, Path(name), recipe, tag)


def ngc(engine: Engine, release: str) -> str:
    """The tag of a release's stand-in; ``RELEASES`` has the known ones."""
    facts = RELEASES[release]
    recipe = _ngc_recipe(base(engine), release, facts)
    tag = f"kobako-test/ngc-{release}:{key_of(recipe, str(facts), str(FELLOWS))}"
    if not has(engine, tag):
        with tempfile.TemporaryDirectory(prefix="kobako-ngc-") as name:
            _write_family(Path(name), facts)
            build(engine, Path(name), recipe, tag)
        forget_others(engine, tag)
    return tag


def _ngc_recipe(start: str, release: str, facts: Release) -> str:
    lines = [
        f"FROM {start}",
        "RUN --mount=type=bind,target=/wheels pip install --no-cache-dir --no-index --no-deps /wheels/*.whl",
        f"ENV NVIDIA_PYTORCH_VERSION={release} PYTORCH_VERSION={facts.torch} PYTORCH_BUILD_VERSION={facts.torch}",
    ]
    if facts.constrained:
        lines += ["COPY constraint.txt /etc/pip/constraint.txt", "ENV PIP_CONSTRAINT=/etc/pip/constraint.txt"]
    return "\n".join(lines) + "\n"


def _write_family(folder: Path, facts: Release) -> None:
    code = (
        f'__version__ = "{facts.torch}"\n\n\nclass cuda:\n    @staticmethod\n'
        "    def is_available():\n        return False\n"
    )
    write_wheel(folder, "torch", facts.torch, files={"torch/__init__.py": code})
    # NGC's torchvision names no torch: its own build would not satisfy a released version
    write_wheel(folder, "torchvision", facts.torchvision)
    for name, version in FELLOWS.items():
        write_wheel(folder, name, version)
    pins = [f"{name}=={version}" for name, version in FELLOWS.items()]
    (folder / "constraint.txt").write_text("\n".join(pins) + "\n", encoding="utf-8")


def stand_in(engine: Engine, name: str, kind: Kind = "base") -> str:
    """Give a stand-in this name, and return the name. For ``ngc`` the name's tag says the release (25.04-py3)."""
    if kind == "ngc":
        release = re.search(r":(\d\d\.\d\d)", name)
        if release is None:
            raise ValueError(f"{name!r} names no NGC release")
        source = ngc(engine, release[1])
    elif kind == "real":
        from infra import real  # noqa: PLC0415 - it builds on this module

        source = real.real(engine)
    else:
        source = {"base": base, "torch": torch}[kind](engine)
    engine.docker("tag", source, name)
    engine.expected.add(name)
    return name


def has(engine: Engine, tag: str) -> bool:
    return any(tag in (image.get("RepoTags") or []) for image in engine.api.images())


def build(engine: Engine, folder: Path, recipe: str, tag: str) -> None:
    (folder / "Dockerfile").write_text(recipe, encoding="utf-8")
    engine.docker("build", "--network=host", "--provenance=false", "--tag", tag, str(folder))


def forget_others(engine: Engine, tag: str) -> None:
    """Drop the earlier makes of an image, which nothing asks for any more."""
    repository = tag.rpartition(":")[0]
    for image in engine.api.images():
        for other in image.get("RepoTags") or []:
            if other.startswith(f"{repository}:") and other != tag:
                engine.api.remove("images", other)
