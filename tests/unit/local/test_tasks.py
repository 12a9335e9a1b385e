"""What a Dockerfile sets on its way, what it refuses, and the keys of its tasks."""

from __future__ import annotations

import platform
import posixpath
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kobako.engines.local.tasks import digest, keyed
from kobako.engines.local.work import Copy, Folder, Task
from kobako.errors import BuildError
from unit.local.walked import SLIM, native, task, tasks, walk

MACHINE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


@pytest.mark.parametrize(
    ("text", "arguments", "values"),
    [
        (f"{SLIM}ENV A=1\nRUN x", {}, {"A": "1"}),
        (f"{SLIM}ENV A 1 2\nRUN x", {}, {"A": "1 2"}),
        (f"{SLIM}ENV A=1 B=$A\nRUN x", {}, {"A": "1", "B": ""}),
        (f"{SLIM}ENV A=1\nENV B=${{A}}2 C='$A' D=\"$A 3\"\nRUN x", {}, {"B": "12", "C": "$A", "D": "1 3"}),
        (f"{SLIM}ENV A=${{B:-2}} C=${{B:+3}}\nRUN x", {}, {"A": "2", "C": ""}),
        (f"{SLIM}ARG A=1\nRUN x", {}, {"A": "1"}),
        (f"{SLIM}ARG A=1\nRUN x", {"A": "2"}, {"A": "2"}),
        (f"{SLIM}ARG A\nRUN x", {"A": "2"}, {"A": "2"}),
        (f"{SLIM}ARG A\nRUN x", {}, {"A": None}),
        (f"{SLIM}RUN x", {"A": "2"}, {"A": None}),
        (f"{SLIM}ARG A=1\nENV A=2\nRUN x", {"A": "3"}, {"A": "2"}),
        (f"{SLIM}ENV A=2\nARG A=1\nRUN x", {"A": "3"}, {"A": "3"}),
        (f"{SLIM}ARG A=1\nENV A=${{A}}b\nRUN x", {"A": "3"}, {"A": "3b"}),
        (f"{SLIM}ARG A=1 B=${{A}}2\nRUN x", {}, {"A": "1", "B": "12"}),
        ("ARG A=1\nFROM python:3.11\nRUN x", {}, {"A": None}),
        ("ARG A=1\nFROM python:3.11\nARG A\nRUN x", {}, {"A": "1"}),
        ("ARG A=1\nFROM python:3.11\nARG A\nRUN x", {"A": "2"}, {"A": "2"}),
        ("ARG A=1\nFROM python:3.11\nARG A=5\nRUN x", {}, {"A": "5"}),
        ("ARG A=1\nARG B=$A-2\nFROM python:3.11\nARG B\nRUN x", {}, {"B": "1-2", "A": None}),
        ("ARG V=3.11\nFROM python:${V}-slim\nRUN x", {}, {"V": None}),
        (f"{SLIM}ARG TARGETARCH\nARG TARGETOS\nARG TARGETPLATFORM\nRUN x", {}, {"TARGETARCH": MACHINE}),
        (f"{SLIM}ARG BUILDPLATFORM\nRUN x", {}, {"BUILDPLATFORM": f"linux/{MACHINE}"}),
        (f"{SLIM}ARG TARGETARCH\nRUN x", {"TARGETARCH": "riscv64"}, {"TARGETARCH": "riscv64"}),
        (f"{SLIM}RUN x", {}, {"TARGETARCH": None}),
    ],
)
def test_values(text: str, arguments: Mapping[str, str], values: Mapping[str, str | None]) -> None:
    """https://docs.docker.com/reference/dockerfile/#using-arg-variables and #environment-replacement."""
    found = walk(text, arguments).tasks[-1].environment
    assert {name: found.get(name) for name in values} == values


def test_arguments_do_not_stay_in_the_image() -> None:
    made = walk(f"{SLIM}ARG A=1\nENV B=2\nRUN x")
    assert made.environment.get("B") == "2"
    assert "A" not in made.environment


def test_the_path_of_the_image_is_known() -> None:
    """``ENV PATH=/x:$PATH`` must leave the system's programs in reach."""
    folders = task("ENV PATH=/opt/x/bin:$PATH\nRUN x").environment["PATH"].split(":")
    assert folders[0] == "/opt/x/bin"
    assert {"/usr/local/bin", "/usr/bin", "/bin"} <= set(folders)


@pytest.mark.parametrize(
    ("body", "workdir"),
    [
        ("RUN x", "/"),
        ("WORKDIR /a\nRUN x", "/a"),
        ("WORKDIR a\nRUN x", "/a"),
        ("WORKDIR /a\nWORKDIR b/../c\nRUN x", "/a/c"),
        ("WORKDIR /a/\nRUN x", "/a"),
        ("WORKDIR //a\nRUN x", "/a"),
        ("ENV A=/b\nWORKDIR $A/c\nRUN x", "/b/c"),
        ("ARG A=/b\nWORKDIR ${A}\nRUN x", "/b"),
        ("RUN x\nWORKDIR /a", "/"),
    ],
)
def test_workdir(body: str, workdir: str) -> None:
    assert [one.workdir for one in tasks(body) if one.name == "RUN x"] == [workdir]


def test_a_workdir_is_there_from_then_on() -> None:
    """COPY sees whether its target is a folder."""
    made = native("WORKDIR /a\nWORKDIR b")
    assert made.parts == (Folder("/a/b"),)


@pytest.mark.parametrize(
    ("body", "entrypoint", "command"),
    [
        ("CMD python3 a.py", (), ("/bin/sh", "-c", "python3 a.py")),
        ('CMD ["python3", "a.py"]', (), ("python3", "a.py")),
        ('ENTRYPOINT ["a"]\nCMD ["b"]', ("a",), ("b",)),
        ("ENTRYPOINT a b", ("/bin/sh", "-c", "a b"), ()),
        ('SHELL ["/bin/bash", "-ec"]\nCMD a', (), ("/bin/bash", "-ec", "a")),
        ('CMD ["a"]\nCMD ["b"]', (), ("b",)),
    ],
)
def test_what_the_image_runs(body: str, entrypoint: tuple[str, ...], command: tuple[str, ...]) -> None:
    made = walk(SLIM + body)
    assert (made.entrypoint, made.command) == (entrypoint, command)


@pytest.mark.parametrize(
    ("body", "sources", "target", "mode"),
    [
        ("COPY a /b", ("a",), "/b", ""),
        ("WORKDIR /w\nCOPY a b", ("a",), "/w/b", ""),
        ("WORKDIR /w\nCOPY a b/", ("a",), "/w/b/", ""),
        ("WORKDIR /w\nCOPY a ./", ("a",), "/w/", ""),
        ("WORKDIR /w\nCOPY a .", ("a",), "/w/", ""),
        ("WORKDIR /w\nCOPY a x/.", ("a",), "/w/x/", ""),
        ("COPY a .", ("a",), "/", ""),
        ("COPY a b /c/", ("a", "b"), "/c/", ""),
        ('COPY ["a b", "/c d"]', ("a b",), "/c d", ""),
        ('COPY "a" /b', ("a",), "/b", ""),
        ("COPY --chmod=755 --chown=1:1 a /b", ("a",), "/b", "755"),
        ("ENV A=x\nCOPY $A.txt /b/${A}", ("x.txt",), "/b/x", ""),
        ("ADD a /b", ("a",), "/b", ""),
    ],
)
def test_copy(body: str, sources: tuple[str, ...], target: str, mode: str) -> None:
    does = task(body).does
    assert isinstance(does, Copy)
    folder = does.target.endswith(("/", "/."))
    assert (does.sources, posixpath.normpath(does.target), folder, does.mode) == (
        sources,
        posixpath.normpath(target),
        target.endswith("/"),
        mode,
    )


@pytest.mark.parametrize(
    ("body", "line", "said"),
    [
        ("COPY --from=build /a /b", 2, "container engine"),
        ("COPY --parents a/b /c/", 2, ""),
        ("COPY --exclude=*.o . /c/", 2, ""),
        ("COPY <<EOF /a\nx\nEOF", 2, "RUN can write them"),
        ("ADD https://a/b /c", 2, "RUN can fetch"),
        ("ADD a.tar.gz /c", 2, "RUN can fetch"),
        ("ADD git@github.com:a/b.git /c", 2, "RUN can fetch"),
        ("RUN x\nRUN --mount=type=secret,id=a x", 3, "container engine"),
        ("RUN --mount=type=bind,source=a,target=b x", 2, "container engine"),
        ("RUN --mount=target=b x", 2, "container engine"),
        ("RUN --mount=type=ssh x", 2, "container engine"),
        ("RUN --security=insecure x", 2, "container engine"),
        ("ENV A=${B:?must}\n", 2, "B: must"),
        ("RUN x\nFROM python:3.11\nRUN x", 3, "second FROM"),
    ],
)
def test_refused(body: str, line: int, said: str) -> None:
    with pytest.raises(BuildError) as caught:
        walk(SLIM + body)
    assert (caught.value.code, caught.value.where) == ("not-honoured", ("Dockerfile", line, None))
    assert said in caught.value.why


def test_all_refusals_at_once() -> None:
    body = "COPY --from=a /a /b\nRUN x\nADD https://a/b /c\nRUN --mount=type=ssh git clone x\n"
    with pytest.raises(BuildError) as caught:
        walk(SLIM + body)
    error = caught.value
    assert error.what == "the local engine cannot do this: COPY /a /b"
    assert error.why == (
        "files of another image need a container engine\n"
        "line 4: ADD https://a/b /c: ADD of an address or an archive is not done here: RUN can fetch and unpack it\n"
        "line 5: RUN git clone x: --mount=type=ssh needs a container engine"
    )
    assert error.fix == "use a container engine (--engine docker), or write it in another way"
    assert str(error.where) == "Dockerfile:2"


def test_what_is_left_out_is_told() -> None:
    made = walk(f"{SLIM}LABEL a=b\nUSER me\nEXPOSE 80\nVOLUME /a\nHEALTHCHECK NONE\nSTOPSIGNAL 9\nONBUILD RUN x\n")
    assert not made.tasks
    assert [line for line, _ in made.notes] == [3, 8]


def test_no_credentials_in_names() -> None:
    """A task's name is shown, logged and in messages."""
    assert "secret" not in task("RUN pip install -i https://me:secret@host/simple six").name


def keys(body: str, base: str = "base", arguments: Mapping[str, str] | None = None) -> list[str]:
    return [one.key for one in keyed(tasks(body, arguments), base)]


LINES = st.sampled_from(
    [
        "RUN pip install six",
        "RUN pip install numpy",
        "RUN A=1 pip install six",
        "RUN make",
        'RUN ["make"]',
        "RUN --network=none make",
        "ENV A=1",
        "ENV A=2",
        "ARG B=3",
        "WORKDIR /a",
        "COPY a /b",
        "COPY --chmod=600 a /b",
        "RUN apt-get update && apt-get install -y git",
        "RUN apt-get clean",
        'SHELL ["/bin/bash", "-c"]',
    ]
)


@given(st.lists(LINES, min_size=1, max_size=6), st.data())
def test_a_changed_line_leaves_the_keys_before_it(lines: list[str], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(lines) - 1))
    other = [*lines[:at], data.draw(LINES), *lines[at + 1 :]]
    before = len(tasks("\n".join(lines[:at]))) if at else 0
    one, two = keys("\n".join(lines)), keys("\n".join(other))
    assert one[:before] == two[:before]
    assert one == keys("\n".join(lines))
    if lines == other:
        assert one == two


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("RUN make", "RUN make all"),
        ("RUN make", 'RUN ["make"]'),
        ("RUN make", "RUN --network=none make"),
        ("RUN make", "ENV A=1\nRUN make"),
        ("ENV A=1\nRUN make", "ENV A=2\nRUN make"),
        ("ARG A=1\nRUN make", "ARG A=2\nRUN make"),
        ("WORKDIR /a\nRUN make", "WORKDIR /b\nRUN make"),
        ("RUN pip install six", "RUN pip install -U six"),
        ("RUN pip install six", "RUN A=1 pip install six"),
        ("RUN A=1 pip install six", "RUN A=2 pip install six"),
        ("COPY a /b", "COPY a /b/"),
        ("COPY a /b", "COPY --chmod=600 a /b"),
        ('SHELL ["/bin/bash", "-c"]\nRUN make', "RUN make"),
        ("RUN <<EOF\na\nEOF", "RUN <<EOF\nb\nEOF"),
    ],
)
def test_what_changes_a_key(one: str, two: str) -> None:
    assert keys(one)[-1] != keys(two)[-1]


def test_keys_grow_out_of_the_base_the_order_and_the_content() -> None:
    assert keys("RUN a", "one") != keys("RUN a", "two")
    assert set(keys("RUN a\nRUN b")) & set(keys("RUN b\nRUN a")) == set()
    assert keys("ARG A=1\nRUN a", arguments={"A": "2"}) == keys("ARG A=2\nRUN a")
    (copied,) = tasks("COPY a /b")
    assert isinstance(copied.does, Copy)
    other = replace(copied, does=replace(copied.does, content="x"))
    assert keyed([copied], "base")[0].key != keyed([other], "base")[0].key


def test_comments_blank_lines_and_places_do_not_change_keys() -> None:
    assert keys("RUN a\nRUN b") == keys("# x\n\nRUN a\nLABEL a=b\n\n# y\nRUN b")


@given(st.dictionaries(st.text(), st.text()))
def test_the_order_of_variables_means_nothing(values: dict[str, str]) -> None:
    (made,) = tasks("RUN x")
    turned: Task = replace(made, environment=dict(reversed(values.items())))
    assert keyed([replace(made, environment=values)], "b")[0].key == keyed([turned], "b")[0].key


@given(st.recursive(st.text() | st.integers(), lambda one: st.lists(one) | st.dictionaries(st.text(), one)))
def test_digests_are_short_and_fit_for_a_file(content: object) -> None:
    assert len(digest(content)) == 24
    assert digest(content).isalnum()
