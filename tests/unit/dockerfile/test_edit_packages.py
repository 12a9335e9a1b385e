"""Install lists: add, change, take out; each in the list's own layout."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kobako.dockerfile.edit import Install, add_packages, remove_packages
from kobako.dockerfile.packages import quoted
from kobako.dockerfile.recipe import read_recipe
from kobako.errors import UsageError
from kobako.model.recipe import Manager
from unit.dockerfile.samples import MISSION


def added(run: str, *packages: str, manager: Manager = "pip", replace: bool = False) -> str:
    text = f"FROM x\n{run}"
    return add_packages(text, Install(manager, 2), packages, replace=replace).removeprefix("FROM x\n")


def removed(run: str, *names: str, manager: Manager = "pip") -> str:
    return remove_packages(f"FROM x\n{run}", Install(manager, 2), names).removeprefix("FROM x\n")


def refused(edit: Callable[[], str]) -> tuple[str, str]:
    with pytest.raises(UsageError) as caught:
        edit()
    assert caught.value.code == "cannot-edit"
    return caught.value.why, str(caught.value.where)


def test_each_list_of_the_mission() -> None:
    text = add_packages(MISSION, Install("apt", 12), ["ffmpeg"])
    text = add_packages(text, Install("pip", 23), ["ninja"])
    text = add_packages(text, Install("pip", 30), ["SIX==1", "shapely[vectorized]>=2,<3", "tqdm"])
    text = add_packages(text, Install("pip", 46), ["clearml"])
    assert text == (
        MISSION.replace("tzdata", "tzdata ffmpeg")
        .replace("    mmcv-full\n", "    mmcv-full \\\n    ninja\n")
        .replace("    prettytable\n", "    prettytable \\\n    'shapely[vectorized]>=2,<3' \\\n    tqdm\n")
        .replace("    boto3\n", "    boto3 \\\n    clearml\n")
    )
    text = add_packages(text, Install("pip", 30), ["mmcls>=0.21"], replace=True)
    assert "    'mmcls>=0.21' \\\n" in text
    step = read_recipe(text).steps[3]
    assert remove_packages(text, Install("pip", step), ["ninja"]).count("ninja") == 0


@pytest.mark.parametrize(
    ("run", "new"),
    [
        ("RUN pip install a\n", "RUN pip install a b\n"),
        ("RUN pip install a", "RUN pip install a b"),
        ("RUN pip install a && c\n", "RUN pip install a b && c\n"),
        ("RUN pip install a; c\n", "RUN pip install a b; c\n"),
        ("RUN pip install a -i https://x\n", "RUN pip install a b -i https://x\n"),
        ("RUN pip install -r r.txt\n", "RUN pip install -r r.txt b\n"),
        ("RUN pip install torch==$V\n", "RUN pip install torch==$V b\n"),
        ("RUN pip install a # c\n", "RUN pip install a b # c\n"),
        ("RUN pip install a > /log 2>&1\n", "RUN pip install a b > /log 2>&1\n"),
        ("RUN pip install \\\n  a\n", "RUN pip install \\\n  a \\\n  b\n"),
        ("RUN pip install \\\r\n\ta\r\n", "RUN pip install \\\r\n\ta \\\r\n\tb\r\n"),
        ("RUN pip install \\\n  a && \\\n  c", "RUN pip install \\\n  a \\\n  b && \\\n  c"),
        (
            "RUN pip install \\\n  # for a\n  a \\\n  # then\n  && c",
            "RUN pip install \\\n  # for a\n  a \\\n  b \\\n  # then\n  && c",
        ),
        ("RUN pip install c \\  \n    a \\ \n  && d", "RUN pip install c \\  \n    a \\\n    b \\ \n  && d"),
        ("RUN pip install \\\n  a c\n", "RUN pip install \\\n  a c b\n"),
        ("RUN if x; then pip install a; fi\n", "RUN if x; then pip install a b; fi\n"),
        ("RUN (cd x && pip install a)\n", "RUN (cd x && pip install a b)\n"),
        ("RUN <<EOF\npip install \\\n  a\nc\nEOF\n", "RUN <<EOF\npip install \\\n  a \\\n  b\nc\nEOF\n"),
        ("RUN cat <<EOF >x && pip install a\nb\nEOF\n", "RUN cat <<EOF >x && pip install a b\nb\nEOF\n"),
        ("RUN --mount=type=cache,target=/c pip install a\n", "RUN --mount=type=cache,target=/c pip install a b\n"),
    ],
)
def test_add_in_the_lists_own_layout(run: str, new: str) -> None:
    assert added(run, "b") == new


def test_add_with_the_files_escape_character() -> None:
    text = "# escape=`\nFROM x\nRUN pip install `\n  a\n"
    assert add_packages(text, Install("pip", 4), ["b"]) == text[:-1] + " `\n  b\n"
    text = "# escape=`\nFROM x\nRUN <<EOF\npip install \\\n  a\nEOF\n"
    assert add_packages(text, Install("pip", 4), ["b"]) == text.replace("  a\n", "  a \\\n  b\n")


@pytest.mark.parametrize(
    ("run", "package", "new"),
    [
        ("RUN pip install a\n", "b>=1,!=2", "RUN pip install a 'b>=1,!=2'\n"),
        ('RUN pip install "a>1"\n', "b>=1", 'RUN pip install "a>1" "b>=1"\n'),
        ('RUN pip install "a>1"\n', "b!=1", "RUN pip install \"a>1\" 'b!=1'\n"),
        ("RUN pip install a\n", "b; python_version<'3'", "RUN pip install a 'b; python_version<'\"'\"'3'\"'\"''\n"),
        ("RUN pip install a\n", "b @ https://x/b.whl", "RUN pip install a 'b @ https://x/b.whl'\n"),
    ],
)
def test_quoting(run: str, package: str, new: str) -> None:
    assert added(run, package) == new


def test_what_a_shell_leaves_alone_is_not_quoted() -> None:
    assert [quoted(one) for one in ("a==1.2+cu1", "g++", "a:b/c@d", "")] == ["a==1.2+cu1", "g++", "a:b/c@d", "''"]


def test_other_managers() -> None:
    assert added("RUN apt-get install -y a\n", "libgl1=1.2", manager="apt") == "RUN apt-get install -y a libgl1=1.2\n"
    assert (
        added("RUN apt install -y \\\n  a \\\n&&  c\n", "b", manager="apt")
        == "RUN apt install -y \\\n  a \\\n  b \\\n&&  c\n"
    )
    assert added("RUN uv pip install a\n", "b", manager="uv") == "RUN uv pip install a b\n"
    assert added("RUN conda install -c x a -n e\n", "b>=2", manager="conda") == "RUN conda install -c x a 'b>=2' -n e\n"


@pytest.mark.parametrize(
    ("run", "package"),
    [
        ("RUN pip install Foo_Bar\n", "foo.bar>=2"),
        ("RUN pip install 'foo-bar==1'\n", "foo_bar"),
        ("RUN pip install foo-bar==$V\n", "foo-bar==1"),
    ],
)
def test_a_name_that_is_there_stays(run: str, package: str) -> None:
    assert added(run, package) == run


@pytest.mark.parametrize(
    ("run", "package", "new"),
    [
        ("RUN pip install a==1 'b>=1'\n", "a==2", "RUN pip install a==2 'b>=1'\n"),
        ('RUN pip install "b>=1" a\n', "b==2", 'RUN pip install "b==2" a\n'),
        ("RUN pip install My_Pkg[x]==1\n", "my-pkg>=2", "RUN pip install 'My_Pkg[x]>=2'\n"),
        ("RUN pip install 'a==1; sys_platform==\"x\"'\n", "a==2", "RUN pip install 'a==2; sys_platform==\"x\"'\n"),
        ("RUN pip install a==1\n", "a", "RUN pip install a\n"),
        ("RUN pip install 'a @ https://x/a.whl'\n", "a==1", "RUN pip install 'a==1'\n"),
    ],
)
def test_replace_in_place(run: str, package: str, new: str) -> None:
    assert added(run, package, replace=True) == new


def test_replace_for_other_managers() -> None:
    assert (
        added("RUN apt-get install a:i386=1\n", "a=2", manager="apt", replace=True) == "RUN apt-get install a:i386=2\n"
    )
    run = "RUN conda install c::a=1\n"
    assert added(run, "a=2", manager="conda", replace=True) == "RUN conda install c::a=2\n"


def test_replace_is_refused_where_it_is_not_clear() -> None:
    why = refused(lambda: added("RUN pip install a==$V\n", "a==1", replace=True))[0]
    assert why == "the version of a comes from a variable"
    why = refused(lambda: added("RUN pip install a==1 A==2\n", "a==3", replace=True))[0]
    assert why == "a is in it more than once"
    why = refused(lambda: added("RUN pip install a==\\\n1\n", "a==3", replace=True))[0]
    assert why == "a==1 runs over more than one line"


@pytest.mark.parametrize(
    ("run", "why"),
    [
        ("RUN pip install $X\n", "what $X stands for is not known"),
        ("RUN for i in a; do pip install $i b; done\n", "it is part of a do group, and not all its words are static"),
        ('RUN ["pip", "install", "a"]\n', "the step is in JSON form"),
        ("RUN pip install a && if b\n", "the shell commands of this step are not understood"),
        ("RUN echo\n", "the step has no pip install"),
        ("RUN pip install a && pip install c\n", "more than one install is meant (lines 2, 2)"),
        ("ENV a=b\n", "the step is ENV, not RUN"),
        ("ONBUILD RUN pip install a\n", "the step is ONBUILD, not RUN"),
        ("RUN <<EOF\n#!/usr/bin/python3\nEOF\n", "the step's commands are not those of a POSIX shell"),
        ("\n", "there is nothing there to edit"),
    ],
)
def test_what_is_refused(run: str, why: str) -> None:
    assert refused(lambda: added(run, "b")) == (why, "Dockerfile:2")


def test_the_line_tells_two_installs_apart() -> None:
    run = "RUN pip install a && \\\n  pip install c\n"
    assert add_packages(f"FROM x\n{run}", Install("pip", 3), ["b"]) == "FROM x\n" + run.replace("c", "c b")
    assert added(run, "b") == run.replace(" a ", " a b ")


@pytest.mark.parametrize("package", ["", "-r x", "./x", "a\nb", "https://x/y.whl", "a b"])
def test_what_is_no_package(package: str) -> None:
    with pytest.raises(UsageError) as caught:
        added("RUN pip install a\n", package)
    assert caught.value.code == "bad-requirement"


@pytest.mark.parametrize(
    ("run", "new"),
    [
        ("RUN pip install a b c\n", "RUN pip install a c\n"),
        ("RUN pip install a b", "RUN pip install a"),
        ("RUN pip install \\\n  a \\\n  b \\\n  c\n", "RUN pip install \\\n  a \\\n  c\n"),
        ("RUN pip install \\\n  a \\\n  b\n", "RUN pip install \\\n  a\n"),
        ("RUN pip install \\\r\n  a \\\r\n  b", "RUN pip install \\\r\n  a"),
        ("RUN pip install \\\n  a \\\n  b && \\\n  c\n", "RUN pip install \\\n  a && \\\n  c\n"),
        ("RUN pip install \\\n  b a \\\n  c\n", "RUN pip install \\\n  a \\\n  c\n"),
        ("RUN pip install a \\\n  # for b\n  b \\\n  && c\n", "RUN pip install a \\\n  # for b\n  && c\n"),
        ("RUN pip install a \\\n  # for b\n  b\nRUN d\n", "RUN pip install a\n  # for b\nRUN d\n"),
        ("RUN pip install a \\\n  # for b\n  b", "RUN pip install a\n  # for b"),
        ("RUN pip install -r x b\n", "RUN pip install -r x\n"),
        ("RUN pip install a && c\n", "RUN pip install a && c\n"),
        ("RUN pip install a b\\\nc\n", "RUN pip install a b\\\nc\n"),
        ("RUN pip install 'B>=1' a b\n", "RUN pip install a\n"),
    ],
)
def test_remove(run: str, new: str) -> None:
    assert removed(run, "b>=2") == new


@pytest.mark.parametrize(
    ("run", "new"),
    [
        ("RUN pip install b && c\n", "RUN c\n"),
        ("RUN A=1 pip install b > x; c\n", "RUN c\n"),
        ("RUN a && pip install b && c\n", "RUN a && c\n"),
        ("RUN a \\\n  && pip install \\\n    b \\\n  && c\n", "RUN a \\\n  && c\n"),
        ("RUN a \\\n  # why\n  && pip install b \\\n  && c\n", "RUN a \\\n  # why\n  && c\n"),
        ("RUN a && \\\n  pip install b && \\\n  c\n", "RUN a && \\\n  c\n"),
        ("RUN a \\\n  && pip install b\n", "RUN a\n"),
        ("RUN a \\\n  # why\n  && pip install b\nRUN c\n", "RUN a\n  # why\nRUN c\n"),
        ("RUN a; pip install b && c\n", "RUN a; c\n"),
        ("RUN a && pip install b; c\n", "RUN a; c\n"),
        ("RUN <<EOF\na\npip install \\\n  b\nc\nEOF\n", "RUN <<EOF\na\nc\nEOF\n"),
        ("RUN <<EOF\npip install b\nc\nEOF\n", "RUN <<EOF\nc\nEOF\n"),
        ("RUN pip install b\nRUN c\n", "RUN c\n"),
        ("RUN pip install b", "FROM x"),
    ],
)
def test_an_install_left_empty_goes(run: str, new: str) -> None:
    assert removed(run, "b") == new


@pytest.mark.parametrize(
    ("run", "why"),
    [
        ("RUN pip install b || c\n", "other commands depend on its result"),
        ("RUN a | pip install b\n", "other commands depend on its result"),
        ("RUN a && pip install b &\n", "it runs in the background"),
        ("RUN if a; then pip install b; fi\n", "it is part of another construct"),
        ("RUN pip install b \\\n  # why\n  && c\n", "comment lines stand between it and the next command"),
    ],
)
def test_removals_that_are_refused(run: str, why: str) -> None:
    assert refused(lambda: removed(run, "b")) == (why, "Dockerfile:2")


def test_a_whole_step_goes_with_its_comment_only_on_request() -> None:
    text = "FROM x\n\n# why\nRUN pip install b\n\nRUN c\n"
    install = Install("pip", 4)
    assert remove_packages(text, install, ["b"]) == "FROM x\n\n# why\n\nRUN c\n"
    assert remove_packages(text, install, ["b"], with_comment=True) == "FROM x\n\nRUN c\n"


def test_a_heredoc_with_carriage_returns_is_left_alone() -> None:
    why, where = refused(lambda: added("RUN <<EOF\r\npip install a\r\nEOF\r\n", "b"))
    assert why == "the heredoc's lines end with carriage returns, which the shell takes as part of its words"
    assert where == "Dockerfile:3"
