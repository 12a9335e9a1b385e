"""What was compiled is kept for the same install beside the same packages, and for no other."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from kobako.engines.local import kept
from kobako.engines.local.given import Call, Shelf
from kobako.engines.local.interpreters import Interpreter
from kobako.engines.local.pip import Install
from kobako.engines.local.place import Place
from kobako.engines.local.stage import Means, Stage
from kobako.errors import Where
from kobako.pipconfig import PipConfig

WHEEL = "sdists-v11/pypi/mmcv-full/1.5.0/abc/mmcv_full-1.5.0-cp38-cp38-linux_x86_64.whl"
ASKED = ("--no-build-isolation", "mmcv-full")


def install(stage: Stage, name: str, version: str, content: str = "") -> None:
    folder = stage.site / f"{name}-{version}.dist-info"
    folder.mkdir(parents=True)
    (folder / "RECORD").write_text(f"{name}.py,sha256={content or version},1\n", encoding="ascii")


class Bench:
    """A workspace and a user's cache; each ``shelf`` is that of an install in a fresh environment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cache = folder / "cache"
        self.env = {"HOME": str(folder / "home"), "KOBAKO_CACHE": str(self.cache)}
        self.made = 0

    def shelf(
        self,
        *,
        packages: Mapping[str, str] | None = None,
        arguments: tuple[str, ...] = ASKED,
        said: Mapping[str, str] | None = None,
        settings: Mapping[str, str] | None = None,
        python: str = "3.8.18",
        pip: PipConfig | None = None,
        touched: bool = False,
    ) -> Shelf:
        self.made += 1
        stage = Stage(self.folder / f"stage-{self.made}", Interpreter("/p/python3.8", python, "/p", "x86_64"), touched)
        for name, version in (packages or {"torch": "1.11.0", "setuptools": "59.8.0"}).items():
            install(stage, name, version)
        call = Call(Install(arguments, environment=settings or {}), said or {}, "/", Where("Dockerfile", 3), "RUN", "a")
        means = Means("uv", None, "", gpu=False, env=self.env, seen={})
        place = Place(self.folder / f"workspace-{self.made}/.kobako")
        return kept.shelf(means, place, stage, call, pip or PipConfig())

    def build(self, shelf: Shelf) -> None:
        """As uv and a stranger's code leave a cache."""
        cache = kept.opened(shelf)
        revision = (cache / WHEEL).parent
        (revision / "src/build").mkdir(parents=True)
        (revision / "src/build/a.o").write_bytes(b"o" * 1000)
        (cache / WHEEL).write_bytes(b"wheel")
        (revision.parent / "revision.http").write_bytes(b"hash")
        kept.put(shelf)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def found(shelf: Shelf) -> bool:
    return (kept.opened(shelf) / WHEEL).is_file()


def test_the_same_install_in_another_workspace(bench: Bench) -> None:
    bench.build(bench.shelf())
    again = bench.shelf()
    assert (kept.opened(again) / WHEEL).read_bytes() == b"wheel"
    assert (kept.opened(again) / WHEEL).parent.with_name("revision.http").read_bytes() == b"hash"


def test_trees_that_were_built_in_are_not_kept(bench: Bench) -> None:
    shelf = bench.shelf()
    bench.build(shelf)
    assert not list(bench.cache.rglob("a.o"))
    assert not list(shelf.private.rglob("a.o"))


@pytest.mark.parametrize(
    "other",
    [
        {"packages": {"torch": "1.11.0+cpu", "setuptools": "59.8.0"}},
        {"packages": {"torch": "1.11.0"}},
        {"packages": {"torch": "1.11.0", "setuptools": "60.0.0"}},
        {"settings": {"MMCV_WITH_OPS": "1", "FORCE_CUDA": "1"}},
        {"said": {"TORCH_CUDA_ARCH_LIST": "8.6"}},
        {"arguments": ("--no-build-isolation", "mmcv-full==1.4.0")},
        {"python": "3.8.10"},
        {"pip": PipConfig(index_url="https://example.org/simple")},
        {"touched": True},
    ],
    ids=str,
)
def test_what_matters_is_another_install(bench: Bench, other: dict[str, object]) -> None:
    bench.build(bench.shelf())
    assert not found(bench.shelf(**other))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "other",
    [
        {"packages": {"torch": "1.11.0", "setuptools": "59.8.0", "tqdm": "4.67.1"}},
        {"packages": {"torch": "1.11.0", "setuptools": "59.8.0", "uv": "0.13.9", "pip": "25.0"}},
        {"said": {"TZ": "Asia/Tokyo", "KOBAKO_FRESH": "1", "LANG": "C.UTF-8"}},
        {"settings": {"MAX_JOBS": "64"}},
    ],
    ids=str,
)
def test_what_does_not_matter_is_the_same(bench: Bench, other: dict[str, object]) -> None:
    bench.build(bench.shelf())
    assert found(bench.shelf(**other))  # type: ignore[arg-type]


def test_a_package_of_the_same_version_with_other_files(bench: Bench) -> None:
    """A wheel that was built beside something else of that name is not taken."""
    bench.build(bench.shelf())
    shelf = bench.shelf()
    assert found(shelf)
    assert not found(shelf._replace(private=bench.folder / "else", packages={**shelf.packages, "torch": "tampered"}))


def test_several_environments_have_their_own(bench: Bench) -> None:
    bench.build(bench.shelf(packages={"torch": "1", "tqdm": "1"}))
    assert not found(bench.shelf(packages={"torch": "1"}))
    bench.build(bench.shelf(packages={"torch": "1"}))
    assert found(bench.shelf(packages={"torch": "1"}))
    assert found(bench.shelf(packages={"torch": "1", "tqdm": "2"}))


def test_nothing_is_kept_twice(bench: Bench) -> None:
    for _ in range(3):
        shelf = bench.shelf()
        bench.build(shelf)
    assert shelf.kept is not None
    assert len(list(shelf.kept.iterdir())) == 1


def test_only_plain_files_of_sources_with_a_name_are_kept(bench: Bench) -> None:
    secret = bench.folder / "secret"
    secret.write_text("secret", encoding="ascii")
    shelf = bench.shelf()
    cache = kept.opened(shelf)
    (cache / "sdists-v11/path/x").mkdir(parents=True)
    (cache / "sdists-v11/path/x/x-1-py3-none-any.whl").write_bytes(b"a folder's")
    (cache / "sdists-v11/pypi/x").mkdir(parents=True)
    (cache / "sdists-v11/pypi/x/x-1-py3-none-any.whl").symlink_to(secret)
    os.mkfifo(cache / "sdists-v11/pypi/x/pipe.whl")
    (cache / "sdists-v11/pypi/out").symlink_to(bench.folder, target_is_directory=True)
    (cache / "sdists-v12").symlink_to(bench.folder, target_is_directory=True)
    (cache / "wheels-v8").mkdir()
    (cache / "wheels-v8/y.whl").write_bytes(b"the index's")
    bench.build(shelf)
    files = [path.name for path in bench.cache.rglob("*") if not path.is_dir()]
    assert sorted(files) == sorted([".lock", "told.json", Path(WHEEL).name, "revision.http"])


def test_a_wheel_is_a_copy(bench: Bench) -> None:
    """What a stranger's code writes into its cache later does not reach what is kept."""
    bench.build(bench.shelf())
    shelf = bench.shelf()
    (kept.opened(shelf) / WHEEL).write_bytes(b"evil")
    assert (kept.opened(bench.shelf()) / WHEEL).read_bytes() == b"wheel"


def test_a_cache_that_cannot_be_written(bench: Bench) -> None:
    (bench.folder / "file").touch()
    bench.env["KOBAKO_CACHE"] = str(bench.folder / "file/below")
    assert kept.home(bench.env) is None
    bench.build(bench.shelf())  # and no error


def test_where_it_is() -> None:
    assert kept.home({"HOME": "/tmp", "XDG_CACHE_HOME": "/tmp/x"}) == Path("/tmp/x/kobako/built")
    assert kept.home({"HOME": "/tmp"}) == Path("/tmp/.cache/kobako/built")
    assert kept.home({"HOME": "/tmp", "KOBAKO_CACHE": "/tmp/k"}) == Path("/tmp/k/built")


def test_it_is_bounded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.build(bench.shelf(packages={"torch": "1"}))
    bench.build(bench.shelf(packages={"torch": "2"}))
    monkeypatch.setattr(kept, "LIMIT", 300)
    bench.build(bench.shelf(packages={"torch": "3"}))
    assert found(bench.shelf(packages={"torch": "3"}))
    assert not found(bench.shelf(packages={"torch": "1"}))


def test_what_a_killed_one_left(bench: Bench) -> None:
    (bench.cache / "built/.tmp-x").mkdir(parents=True)
    bench.build(bench.shelf())
    assert not (bench.cache / "built/.tmp-x").exists()


def test_forgotten_caches(bench: Bench) -> None:
    place = Place(bench.folder / "w/.kobako")
    for name in ("old", "new"):
        place.cache("uv", name)
    os.utime(place.cache("uv", "old"), (0, 0))
    kept.forget(place)
    assert [path.name for path in (place.top / "cache/uv").iterdir()] == ["new"]
