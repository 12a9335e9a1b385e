"""``.dockerignore``: https://docs.docker.com/build/concepts/context/#dockerignore-files, github:moby/patternmatcher."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kobako.engines.local.context import Context


def context(folder: Path, text: str) -> Context:
    folder.mkdir(exist_ok=True)
    (folder / ".dockerignore").write_text(text, encoding="utf-8")
    return Context(folder, folder / "Dockerfile")


# github:moby/patternmatcher, patternmatcher_test.go (TestMatches, both tables)
MOBY = [
    ("**", "file", True),
    ("**/", "file", True),
    ("**", "dir/file", True),
    ("**/", "dir/file", True),
    ("**/**", "dir/file", True),
    ("dir/**", "dir/file", True),
    ("dir/**", "dir/dir2/file", True),
    ("**/dir", "dir", True),
    ("**/dir", "dir/file", True),
    ("**/dir2/*", "dir/dir2/file", True),
    ("**/dir2/**", "dir/dir2/dir3/file", True),
    ("**file", "file", True),
    ("**file", "dir/file", True),
    ("**/file", "dir/file", True),
    ("**file", "dir/dir/file", True),
    ("**file", "dir/otherfile", False),
    ("a**c", "axxc", False),
    ("**/file", "dir/dir/file", True),
    ("**/file*", "dir/dir/file", True),
    ("**/file*", "dir/dir/file.txt", True),
    ("**/file*txt", "dir/dir/file.txt", True),
    ("**/file*.txt", "dir/dir/file.txt", True),
    ("**/file*.txt*", "dir/dir/file.txt", True),
    ("**/**/*.txt", "dir/dir/file.txt", True),
    ("**/**/*.txt2", "dir/dir/file.txt", False),
    ("**/*.txt", "file.txt", True),
    ("**/**/*.txt", "file.txt", True),
    ("a**/*.txt", "a/file.txt", True),
    ("a**/*.txt", "a/dir/file.txt", True),
    ("a**/*.txt", "a/dir/dir/file.txt", True),
    ("a/*.txt", "a/dir/file.txt", False),
    ("a/*.txt", "a/file.txt", True),
    ("a/*.txt**", "a/file.txt", True),
    ("a[b-d]e", "ae", False),
    ("a[b-d]e", "ace", True),
    ("a[b-d]e", "aae", False),
    ("a[^b-d]e", "aze", True),
    (".*", ".foo", True),
    (".*", "foo", False),
    ("abc.def", "abcdef", False),
    ("abc.def", "abc.def", True),
    ("abc.def", "abcZdef", False),
    ("abc?def", "abcZdef", True),
    ("abc?def", "abcdef", False),
    ("a\\*b", "a*b", True),
    ("a\\*b", "axb", False),
    ("**/foo/bar", "foo/bar", True),
    ("**/foo/bar", "dir/foo/bar", True),
    ("**/foo/bar", "dir/dir2/foo/bar", True),
    ("abc/**", "abc", False),
    ("abc/**", "abc/def", True),
    ("abc/**", "abc/def/ghi", True),
    ("**/.foo", ".foo", True),
    ("**/.foo", "bar.foo", False),
    ("a(b)c/def", "a(b)c/def", True),
    ("a(b)c/def", "a(b)c/xyz", False),
    ("a.|)$(}+{bc", "a.|)$(}+{bc", True),
    ("dist/*.whl", "dist/proxy.py-2.4.0rc3.dev36+g08acad9-py3-none-any.whl", True),
]

LINES = [
    # Docker's documentation
    ("*/temp*", "somedir/temporary.txt", True),
    ("*/temp*", "somedir/temp", True),
    ("*/temp*", "somedir/subdir/temp", False),
    ("*/*/temp*", "somedir/subdir/temporary.txt", True),
    ("temp?", "tempa", True),
    ("temp?", "temp", False),
    ("**/*.go", "a/b/c.go", True),
    ("*.md\n!README.md", "README.md", False),
    ("*.md\n!README.md", "a.md", True),
    ("*.md\n!README*.md\nREADME-secret.md", "README-secret.md", True),
    ("*.md\n!README*.md\nREADME-secret.md", "README-x.md", False),
    ("*.md\nREADME-secret.md\n!README*.md", "README-secret.md", False),
    ("*.md", "docs/a.md", False),
    # what is before and after
    ("/a", "a", True),
    ("/a", "b/a", False),
    ("a/", "a", True),
    ("a/", "a/b/c", True),
    ("a", "a/b", True),
    ("a", "ab", False),
    ("./a", "a", True),
    ("a/../b", "b", True),
    ("a/../b", "a", False),
    ("../a", "a", False),
    ("..", "a", False),
    (".", "a", False),
    ("/", "a", False),
    ("  a  ", "a", True),
    ("a\r\nb\r\n", "a", True),
    ("# a\nb", "# a", False),
    ("#a", "#a", False),
    (" #a", "#a", True),
    ("\\#a", "#a", True),
    ("\ufeffa", "a", True),
    ("", "a", False),
    ("\n\n", "a", False),
    # exceptions
    ("*\n!a", "a", False),
    ("*\n!a", "a/b", False),
    ("*\n!a", "b", True),
    ("*\n!a/b", "a/b", False),
    ("*\n!a/b", "a/c", True),
    ("*\n!a\na/c", "a/c", True),
    ("*\n! a", "a", False),
    ("*\n!/a", "a", False),
    ("*\n!a/", "a/b", False),
    ("**\n!**/*.py", "x/y.py", False),
    ("**\n!**/*.py", "x/y.c", True),
    ("a\n!a", "a/b", False),
    ("!a", "a", False),
    ("!a\na", "a", True),
    ("data/**\n!data/keep", "data/keep/x", False),
    ("日本", "日本/語", True),
]


@pytest.mark.parametrize(("pattern", "path", "out"), [*MOBY, *LINES])
def test_left_out(tmp_path: Path, pattern: str, path: str, out: bool) -> None:
    assert context(tmp_path, pattern).left_out(path) is out


def test_none_is_no_trouble(tmp_path: Path) -> None:
    assert not Context(tmp_path, tmp_path / "Dockerfile").left_out("a")


def test_the_one_beside_the_dockerfile_goes_first(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_text("a", encoding="utf-8")
    (tmp_path / "x.Dockerfile.dockerignore").write_text("b", encoding="utf-8")
    special = Context(tmp_path, tmp_path / "x.Dockerfile")
    assert (special.left_out("a"), special.left_out("b")) == (False, True)
    usual = Context(tmp_path, tmp_path / "Dockerfile")
    assert (usual.left_out("a"), usual.left_out("b")) == (True, False)


NAMES = st.text(st.characters(codec="ascii", exclude_characters="\0/\r\n\v\f\x1c\x1d\x1e"), min_size=1, max_size=4)


@given(st.lists(NAMES, min_size=1, max_size=4))
def test_no_pattern_is_too_odd(tmp_path_factory: pytest.TempPathFactory, parts: list[str]) -> None:
    folder = tmp_path_factory.mktemp("context")
    made = context(folder, "/".join(parts))
    assert made.left_out("a/b") in {True, False}


@given(st.lists(st.from_regex(r"[a-z]{1,3}", fullmatch=True), min_size=1, max_size=4))
def test_a_plain_path_is_left_out_with_all_below_it(tmp_path_factory: pytest.TempPathFactory, parts: list[str]) -> None:
    made = context(tmp_path_factory.mktemp("context"), "/".join(parts))
    assert made.left_out("/".join(parts))
    assert made.left_out("/".join([*parts, "x", "y"]))
    assert not made.left_out("/".join(["0", *parts]))
    assert not made.left_out("/".join(parts) + "0")
