"""What is believed of a stranger's file of requirements, and in which form it is passed on."""

from __future__ import annotations

from pathlib import Path

import pytest

from kobako.engines.local import requirements
from kobako.engines.local.requirements import Given
from kobako.errors import BuildError

FILES = {
    "w/more/b.txt": "-r c.txt\n",
    "w/more/c.txt": "six\n",
    "w/more/bounds.txt": "-c c.txt\nnumpy<2\n",
    "w/e.txt": "-e .\n",
    "loop": "-r loop\n",
    "w/circle.txt": "-r more/circle.txt\n",
    "w/more/circle.txt": "-c ../circle.txt\n",
}


def lay(root: Path, text: str | bytes) -> None:
    for name, content in {"w/r.txt": text, **FILES}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def read(root: Path, text: str | bytes) -> Given | None:
    lay(root, text)
    return requirements.read(root, "/w/r.txt")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", ()),
        ("\n  \n# all\n", ()),
        ("six\nnumpy<2  # old\n# all\n\n", ("six", "numpy<2")),
        ("six  # it costs $5\n", ("six",)),
        ("a[b,c]>=1,<2; python_version < '3.8'\n", ('a[b,c]<2,>=1; python_version < "3.8"',)),
        ("a (>=1)\n", ("a>=1",)),
        ("a == 1.0 ; sys_platform=='linux'\n", ('a==1.0; sys_platform == "linux"',)),
        ("six==1.17.0 --hash=sha256:aa\n", ("six==1.17.0 --hash=sha256:aa",)),
        (
            "six==1.17.0 \\\n    --hash=sha256:aa \\\n    --hash sha512:bb\nnumpy\n",
            ("six==1.17.0 --hash=sha256:aa --hash=sha512:bb", "numpy"),
        ),
        ("\ufeffsix\n", ("six",)),
        ("six\r\nnumpy\r\n", ("six", "numpy")),
        ("-r more/b.txt\nnumpy\n", ("six", "numpy")),
        ("-rmore/c.txt\n", ("six",)),
        ("--requirement=more/c.txt\n", ("six",)),
        ("-r /w/more/c.txt\n", ("six",)),
        ("-r /../../w/more/c.txt\n", ("six",)),
        ("-r link.txt\n", ("six",)),
        (
            "-i https://a/simple\n--extra-index-url https://b\n-f http://c/links  # more\nsix\n",
            ("--index-url=https://a/simple", "--extra-index-url=https://b", "--find-links=http://c/links", "six"),
        ),
        ("--prefer-binary\n--require-hashes\n--trusted-host a\nsix\n", ("six",)),
    ],
)
def test_what_it_says(tmp_path: Path, text: str, lines: tuple[str, ...]) -> None:
    lay(tmp_path, text)
    (tmp_path / "w/link.txt").symlink_to("/w/more/c.txt")
    assert requirements.read(tmp_path, "/w/r.txt") == Given(lines)


@pytest.mark.parametrize(
    "text",
    [
        "-e .",
        "--editable ./a",
        "-e",
        "./a",
        "../a",
        "/a/b",
        "a/b",
        ".",
        "file:///a",
        "a @ file:///b",
        "a @ https://b/a-1-py3-none-any.whl",
        "a@https://b/c",
        "https://b/a-1-py3-none-any.whl",
        "git+https://a/b",
        "a @ git+https://a/b",
        "a-1-py3-none-any.whl",
        "a-1.tar.gz",
        "a-1.zip",
        "x.tar.gz",
        "-f /wheels",
        "--find-links=/wheels",
        "-f wheels",
        "-i file:///a",
        "-i /a",
        "--index-url=git+https://a",
        "-r e.txt",
        "-r none.txt",
        "-r more",
        "-r /loop",
        "-r circle.txt",
        "-c circle.txt",
        "-r ../../../x",
        "-c ../../../x",
        "-r /etc/passwd",
        "-r https://a/r.txt",
        "-r file:///w/more/c.txt",
        "six --config-settings=a=b",
        "six --global-option=a",
        "six --hash=sha256:../a",
        "six --hash=sha256:aa --more",
        "--no-binary six",
        "--no-binary=:all:",
        "--pre",
        "--nobody-knows",
        "-",
        "--",
        "$A",
        "six==$A",
        "six==${A}",
        "six; python_version < '${A}'",
        "six --hash=sha256:${A}",
        "-r ${A}/c.txt",
        "-r $A",
        "-i https://a/${A}",
        "-i https://${A}@a/simple",
        "--extra-index-url http://x/${SECRET}",
        "--find-links https://a/$A",
        "--trusted-host ${A}",
        "a\\b",
        "six \\",
        "six \\\n-e ./x",
        "six \\\n# more\n--hash=sha256:aa",
        "six  # more \\\n-e ./x",
        "# more \\\n-e ./x",
        "# more \\\nnumpy",
        "six\x0c-e .",
        "six\x85-e .",
        "six\u2028-e .",
    ],
)
@pytest.mark.parametrize("around", ["{}\n", "numpy\n{}\nscipy\n", "numpy\n{}"])
def test_more_than_is_believed(tmp_path: Path, text: str, around: str) -> None:
    assert read(tmp_path, around.replace("{}", text)) is None


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("-c more/c.txt\nnumpy\n", Given(("numpy",), ("six",))),
        ("--constraint=more/c.txt\n", Given((), ("six",))),
        ("-c more/b.txt\n", Given((), ("six",))),
        ("-c more/bounds.txt\n", Given((), ("numpy<2", "six"))),
        ("scipy\n-r more/bounds.txt\n", Given(("scipy", "numpy<2"), ("six",))),
    ],
)
def test_bounds(tmp_path: Path, text: str, given: Given) -> None:
    assert read(tmp_path, text) == given


def test_text_that_is_not_utf8(tmp_path: Path) -> None:
    assert read(tmp_path, "# größe\nsix\n") == Given(("six",))
    assert read(tmp_path, "# größe\nsix\n".encode("latin-1")) is None
    assert read(tmp_path, "six\n".encode("utf-16")) is None


def test_a_large_file(tmp_path: Path) -> None:
    line = b"# " + b"x" * 61 + b"\n"
    assert read(tmp_path, line * (1 << 14)) == Given()
    assert read(tmp_path, line * (1 << 14) + b"\n") is None


@pytest.mark.parametrize(("depth", "deep"), [(1, False), (10, False), (11, True)])
def test_files_that_name_files(tmp_path: Path, depth: int, deep: bool) -> None:
    for number in range(depth):
        (tmp_path / f"{number}.txt").write_text(f"-r {number + 1}.txt\n", encoding="ascii")
    (tmp_path / f"{depth}.txt").write_text("six\n", encoding="ascii")
    assert requirements.read(tmp_path, "/0.txt") == (None if deep else Given(("six",)))


def test_links_do_not_lead_out(tmp_path: Path) -> None:
    root = tmp_path / "root"
    lay(root, "-r link.txt\n-r up.txt\n-r folder/mine.txt\n")
    mine = tmp_path / "mine.txt"
    mine.write_text("secret\n", encoding="ascii")
    for name, aim in {"link.txt": str(mine), "up.txt": "../../mine.txt", "folder": "../.."}.items():
        (root / "w" / name).symlink_to(aim)
    assert all(requirements.read(root, f"/w/{name}") is None for name in ("link.txt", "up.txt", "folder/mine.txt"))
    (root / "mine.txt").write_text("six\n", encoding="ascii")
    assert requirements.read(root, "/w/up.txt") == Given(("six",))
    assert requirements.read(root, "/w/folder/mine.txt") == Given(("six",))
    (root / "w/round").symlink_to("round")
    with pytest.raises(BuildError):
        requirements.read(root, "/w/round")


def test_a_workspace_that_is_reached_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root/r.txt").write_text("six\n", encoding="utf-8")
    (tmp_path / "linked").symlink_to("root")
    assert requirements.read(tmp_path / "linked", "/r.txt") == Given(("six",))
