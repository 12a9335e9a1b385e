"""What the user names is understood, or refused with a reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from kobako.errors import UsageError
from kobako.sources.spec import hide, name_of_archive, resolve


@pytest.mark.parametrize(
    ("spec", "location", "name", "ref"),
    [
        ("https://example.org/open-mmlab/mmdetection.git", None, "mmdetection", ""),
        ("https://example.org/open-mmlab/mmdetection", None, "mmdetection", ""),
        ("https://example.org/a/YOLOX/", None, "YOLOX", ""),
        ("https://example.org/a/x.git#v2", "https://example.org/a/x.git", "x", "v2"),
        ("https://example.org/a/x.git@v2.24.1", "https://example.org/a/x.git", "x", "v2.24.1"),
        ("https://example.org/a/x@v2", "https://example.org/a/x", "x", "v2"),
        ("https://example.org/a/x.git@feature/y", "https://example.org/a/x.git", "x", "feature/y"),
        ("https://user:pw@example.org/a/x.git", None, "x", ""),
        ("git+https://example.org/a/x.git@v1#egg=x", "https://example.org/a/x.git", "x", "v1"),
        ("git@example.org:a/CBNetV2.git", None, "CBNetV2", ""),
        ("git@example.org:x.git@v1", "git@example.org:x.git", "x", "v1"),
        ("git@example.org:a/x.git@v1", "git@example.org:a/x.git", "x", "v1"),
        ("ssh://git@example.org:2222/a/x.git", None, "x", ""),
        ("file:///srv/git/x.git#main", "file:///srv/git/x.git", "x", "main"),
    ],
)
def test_git_urls(spec: str, location: str | None, name: str, ref: str, tmp_path: Path) -> None:
    found = resolve(spec, cwd=tmp_path)
    assert (found.kind, found.location, found.name, found.ref) == ("git", location or spec, name, ref)


def test_a_version_on_the_index(tmp_path: Path) -> None:
    found = resolve("mmdet == 2.24.1", cwd=tmp_path)
    assert (found.kind, found.location, found.name) == ("index", "mmdet==2.24.1", "mmdet")


def test_folders_and_archives(tmp_path: Path) -> None:
    (tmp_path / "repo").mkdir()
    (tmp_path / "x-1.0.tar.gz").write_bytes(b"")
    assert resolve("repo", cwd=tmp_path).kind == "folder"
    assert resolve("./repo/", cwd=tmp_path).name == "repo"
    assert resolve(".", cwd=tmp_path / "repo").name == "repo"
    archive = resolve("x-1.0.tar.gz", cwd=tmp_path)
    assert (archive.kind, archive.name) == ("archive", "x")


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("mmdetection-2.24.1.zip", "mmdetection"),
        ("YOLOX-main.tar.gz", "YOLOX"),
        ("x-v2.0rc1.tgz", "x"),
        ("DAB-DETR.tar.xz", "DAB-DETR"),
        ("x-0123456789abcdef0123456789abcdef01234567.zip", "x"),
    ],
)
def test_an_archive_s_name(filename: str, name: str) -> None:
    assert name_of_archive(filename) == name


@pytest.mark.parametrize(
    ("spec", "what"),
    [
        ("", "'' is not a source"),
        ("mmdetection", "'mmdetection' is not a source"),
        ("./nowhere", "./nowhere does not exist"),
        ("nowhere.zip", "nowhere.zip does not exist"),
        ("--upload-pack=sh", "'--upload-pack=sh' is not a source"),
        ("ext::sh -c whoami", "is not a source"),
        ("svn+https://example.org/x", "has a scheme that Kobako does not fetch"),
        ("https://example.org/x-1.0.tar.gz", "is an archive on another machine"),
        ("https://example.org/x.git@--upload-pack=sh", "is not a branch, tag or commit"),
        ("https://example.org/x.git#a..b", "is not a branch, tag or commit"),
        ("notes.txt", "is a file, but no archive"),
    ],
)
def test_what_cannot_be_a_source(spec: str, what: str, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(UsageError) as caught:
        resolve(spec, cwd=tmp_path)
    assert caught.value.code == "bad-source"
    assert what in caught.value.what


def test_a_ref_is_said_once_and_for_git_only(tmp_path: Path) -> None:
    url = "https://example.org/x.git"
    assert resolve(url, ref="v2", cwd=tmp_path).ref == "v2"
    assert resolve(f"{url}#v2", ref="v2", cwd=tmp_path).ref == "v2"
    for spec in (f"{url}#v1", "x==1"):
        with pytest.raises(UsageError) as caught:
            resolve(spec, ref="v2", cwd=tmp_path)
        assert caught.value.code == "bad-source"


def test_credentials_are_hidden() -> None:
    assert hide("https://user:pw@example.org/x.git?token=abc#v1") == "https://example.org/x.git#v1"
    assert hide("fatal: cannot read https://ghp_abc@example.org/x") == "fatal: cannot read https://example.org/x"
    assert hide("git@example.org:x.git") == "git@example.org:x.git"
