"""The variables of a service: what is read is what ``docker compose config`` (2.40) made of the same files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kobako.compose import files, project
from kobako.compose.environment import environment_of
from kobako.errors import UsageError, Where
from kobako.model.service import EnvFile, Service


def load(root: Path, content: Mapping[str, str], env: Mapping[str, str] | None = None) -> Mapping[str, Service]:
    for name, text in content.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8", newline="")
    return project.load(files.find(root, {} if env is None else env))[0].services


def one(root: Path, body: str, over: str = "{}", env: Mapping[str, str] | None = None) -> Service:
    content = {"compose.yaml": f"services:\n  a: {body}\n", "compose.override.yaml": f"services:\n  a: {over}\n"}
    return load(root, content, env)["a"]


def refused(root: Path, body: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        one(root, body)
    return caught.value


def of_file(root: Path, text: str, env: Mapping[str, str] | None = None, form: str | None = None) -> dict[str, str]:
    (root / "x.env").write_text(text, encoding="utf-8", newline="")
    service = Service("a", env_files=(EnvFile(str(root / "x.env"), format=form),))
    return environment_of(service, {} if env is None else env)


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("1.0", "1"),
        ("3.10", "3.1"),
        ("'3.10'", "3.10"),
        ("!!str 1.0", "1.0"),
        ("1e3", "1000"),
        ("1e16", "1e+16"),
        ("123456.5", "123456.5"),
        ("123456789.125", "1.23456789125e+08"),
        ("1152921504606846976.0", "1.152921504606847e+18"),
        ("12345678901234567890123", "1.2345678901234568e+22"),
        ("12345678901234567890", "12345678901234567890"),
        ("0.0001", "0.0001"),
        ("0.00001", "1e-05"),
        ("1.5e-7", "1.5e-07"),
        ("-0.0", "-0"),
        (".inf", "+Inf"),
        ("-.inf", "-Inf"),
        (".nan", "NaN"),
        ("0x10", "16"),
        ("0b11", "3"),
        ("0o17", "15"),
        ("017", "15"),
        ("1_000", "1000"),
        ("+1", "1"),
        ("true", "true"),
        ("TRUE", "true"),
        ("yes", "yes"),
        ("", None),
        ("~", None),
        ("''", ""),
        ("${U:-1.0}", "1.0"),
        ("a=b", "a=b"),
        ("a$$b", "a$b"),
    ],
)
def test_values(tmp_path: Path, word: str, value: str | None) -> None:
    (tmp_path / "compose.yaml").write_text(f"services:\n  a:\n    environment:\n      A: {word}\n", encoding="utf-8")
    assert load(tmp_path, {})["a"].environment == {"A": value}


@settings(deadline=None)
@given(st.one_of(st.integers(-(2**63), 2**63), st.floats(allow_nan=False, allow_infinity=False)))
def test_a_number_stays_the_number_that_it_is(tmp_path_factory: pytest.TempPathFactory, number: float) -> None:
    text = one(tmp_path_factory.mktemp("number"), f"{{environment: {{A: {number!r}}}}}").environment["A"]
    assert text is not None
    assert float(text) == float(number)


def test_a_list(tmp_path: Path) -> None:
    service = one(tmp_path, "{environment: [A=1.0, B, C=a=b, D=, A=2, '${E:-E}=${F:-f}', TRUE]}")
    assert service.environment == {"A": "2", "B": None, "C": "a=b", "D": "", "E": "f", "TRUE": None}


@pytest.mark.parametrize(
    ("base", "over", "merged"),
    [
        ("{A: 1.0, B: b, C: c, F: 1e3}", "[A=2, C, D=d]", {"A": "2", "B": "b", "C": None, "F": "1000", "D": "d"}),
        ("[A=1, B=b, C]", "{A: , C: 3.10, D: true, B: }", {"A": None, "B": None, "C": "3.1", "D": "true"}),
        ("[A=1, B]", "[A, B=1.0]", {"A": None, "B": "1.0"}),
        ("{A: 1}", "", {"A": "1"}),
        ("", "{A: 1}", {"A": "1"}),
        ("{A: 1, B: 2}", "{A: !reset null, B: }", {"B": None}),
        ("{A: 1}", "!override {B: 1}", {"B": "1"}),
        ("{A: 1}", "!reset {}", {}),
    ],
)
def test_merging(tmp_path: Path, base: str, over: str, merged: dict[str, str | None]) -> None:
    assert one(tmp_path, f"{{environment: {base}}}", f"{{environment: {over}}}").environment == merged


def test_extends_and_merge_keys(tmp_path: Path) -> None:
    text = """\
x-env: &env {A: anchor, B: anchor}
services:
  base: {environment: [A=base, C=base], env_file: base.env}
  a: {extends: base, environment: {<<: *env, A: own}, env_file: [{path: own.env}]}
  b: {extends: {file: sub/c.yaml, service: s}, env_file: sub/one.env}
"""
    sub = "services: {s: {env_file: [one.env, two.env]}}\n"
    found = load(tmp_path, {"compose.yaml": text, "sub/c.yaml": sub})
    assert found["a"].environment == {"A": "own", "C": "base", "B": "anchor"}
    assert [file.path for file in found["a"].env_files] == [f"{tmp_path}/base.env", f"{tmp_path}/own.env"]
    assert [file.path for file in found["b"].env_files] == [f"{tmp_path}/sub/one.env", f"{tmp_path}/sub/two.env"]


def test_env_files_are_named_and_not_read(tmp_path: Path) -> None:
    body = "{env_file: [a.env, ../b.env, ~/c.env, {path: d.env, required: false, format: raw}, {path: '${E:-e}.env'}]}"
    file = str(tmp_path / "compose.yaml")
    found = one(tmp_path, body, env={"HOME": "/home/me"}).env_files
    assert found == (
        EnvFile(f"{tmp_path}/a.env", where=Where(file, 2, 18)),
        EnvFile(f"{tmp_path.parent}/b.env", where=Where(file, 2, 25)),
        EnvFile("/home/me/c.env", where=Where(file, 2, 35)),
        EnvFile(f"{tmp_path}/d.env", required=False, where=Where(file, 2, 44), format="raw"),
        EnvFile(f"{tmp_path}/e.env", where=Where(file, 2, 89)),
    )


@pytest.mark.parametrize(
    ("base", "over", "names"),
    [
        ("a", "b", ["a", "b"]),
        ("[a]", "b", ["a", "b"]),
        ("a", "[{path: b}]", ["a", "b"]),
        ("[a, b]", "a", ["a", "b"]),
        ("[a, b, a]", "", ["a", "b"]),
        ("[a, b, ./a]", "", ["a", "b", "a"]),
        ("", "a", ["a"]),
        ("[a]", "!override [b]", ["b"]),
        ("[a]", "!reset []", []),
    ],
)
def test_env_files_are_appended(tmp_path: Path, base: str, over: str, names: list[str]) -> None:
    service = one(tmp_path, f"{{env_file: {base}}}", f"{{env_file: {over}}}")
    assert [Path(file.path).name for file in service.env_files] == names


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("{environment: A=b}", "names and their values are wanted here"),
        ("{environment: {A: [b]}}", "a single value is wanted here"),
        ("{environment: [{A: b}]}", "a single value is wanted here"),
        ("{environment: [=b]}", "a variable of the environment has no name"),
        ("{env_file: {path: a}}", "a list is wanted here"),
        ("{env_file: [{required: false}]}", "env_file wants a path"),
        ("{env_file: ['']}", "env_file wants a path"),
        ("{env_file: [[a]]}", "a single value is wanted here"),
    ],
)
def test_what_is_wrong_and_where(tmp_path: Path, body: str, what: str) -> None:
    error = refused(tmp_path, body)
    assert (error.code, error.what) == ("invalid-compose", what)
    assert error.where is not None
    assert (error.where.file, error.where.line) == (f"{tmp_path}/compose.yaml", 2)


ONE = r"""A=one
B='s${X}$X'
C="d${X}$X\$X \n\t\\n $$Z"
D=u$X${Y:-def}${A} # c
E=a#b
F="a" # c
X
NOPE
G=${H}
H=h
I=${SVC}
export J=j
K = k
L: l
M:m
N='a\'b\\c\n'
O="q\"q"
P="multi
line"
Q=a\nb
R=$$A
S=${B}
T="\x \' \$\$ \\$X \e"
U=
V= # c
V2=#c
é=1
"""
TWO = "A=two\nZ=${A} ${C} ${E}\n"
SAME = {
    "A": "two",
    "B": "s${X}$X",
    "F": "a",
    "G": "fromenv",
    "H": "fromenv",
    "I": "svc",
    "J": "j",
    "K": "k",
    "L": "l",
    "M": "m",
    "N": "a'b\\\\c\\n",
    "O": 'q"q',
    "P": "multi\nline",
    "Q": "a\\nb",
    "R": "$A",
    "S": "s${X}$X",
    "SVC": "svc",
    "U": "",
    "V": "# c",
    "V2": "#c",
    "é": "1",
}


@pytest.mark.parametrize(
    ("env", "rest"),
    [
        (
            {"X": "xcaller", "A": "acaller"},
            {
                "C": "dxcallerxcaller$X \n\t\\n $Z",
                "D": "uxcallerdefacaller",
                "T": "\\x \\' $$ \\xcaller \\e",
                "X": "xcaller",
                "Z": "acaller dxcallerxcaller$X \n\t\\n $Z a#b",
            },
        ),
        ({}, {"C": "d$X \n\t\\n $Z", "D": "udefone", "T": "\\x \\' $$ \\ \\e", "Z": "two d$X \n\t\\n $Z a#b"}),
    ],
)
def test_env_files_as_compose_reads_them(tmp_path: Path, env: dict[str, str], rest: dict[str, str]) -> None:
    body = "{env_file: [one.env, two.env], environment: {SVC: svc, E: , H: fromenv}}"
    found = load(tmp_path, {"compose.yaml": f"services: {{a: {body}}}\n", "one.env": ONE, "two.env": TWO}, env)
    assert environment_of(found["a"], env) == {**SAME, **rest}


def test_line_ends_and_a_byte_order_mark(tmp_path: Path) -> None:
    text = "\ufeffA=1\r\nB=\"x\r\ny\"\r\n\r\nX\r\n# c\r\nC=''\r\nexport X\r\nA.b-c=2"
    found = of_file(tmp_path, text, {"X": "x"})
    assert found == {"A": "1", "B": "x\r\ny", "X": "x", "C": "", "A.b-c": "2"}


def test_raw_lines(tmp_path: Path) -> None:
    text = "\ufeffA=$X \"q\" # c\r\n # c\n\n  B='b' \nX\nY\nC=a=b"
    found = of_file(tmp_path, text, {"X": "x"}, "raw")
    assert found == {"A": '$X "q" # c', "B": "'b' ", "X": "x", "C": "a=b"}


@pytest.mark.parametrize("value", ["a", None, ""])
def test_the_caller_s_value_or_none(value: str | None) -> None:
    env = {} if value is None else {"A": value}
    assert environment_of(Service("a", environment={"A": None, "B": "b"}), env) == {**env, "B": "b"}


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("A=1\nA b=secret\n", 2, "A b=..."),
        ("\n\nA='secret\n", 3, "A=..."),
        ('A="secret\nB=2\n', 1, "A=..."),
        ('A="secret" y\n', 1, "A=..."),
        ("P='1\n2'\n=secret\n", 3, "=..."),
        ("A b", 1, "A b"),
        ('"A"=secret', 1, '"A"=...'),
    ],
)
def test_a_line_that_is_not_understood_is_named_without_its_value(
    tmp_path: Path, text: str, line: int, why: str
) -> None:
    with pytest.raises(UsageError) as caught:
        of_file(tmp_path, text)
    error = caught.value
    assert (error.code, error.what) == ("invalid-setting", "a line of the environment file is not understood")
    assert (error.why, error.where) == (why, Where(str(tmp_path / "x.env"), line))


@pytest.mark.parametrize("text", ["=secret", "A b=secret"])
def test_a_raw_line_that_is_not_understood(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        of_file(tmp_path, f"A=1\n{text}\n", form="raw")
    assert caught.value.where == Where(str(tmp_path / "x.env"), 2)
    assert "secret" not in caught.value.why


@pytest.mark.parametrize(("value", "why"), [("secret${X:-", "a closing brace is missing"), ("${X:?no}", "no")])
def test_a_value_that_cannot_be_put_together(tmp_path: Path, value: str, why: str) -> None:
    with pytest.raises(UsageError) as caught:
        of_file(tmp_path, f"\nA={value}\n")
    error = caught.value
    assert (error.code, error.what) == ("invalid-interpolation", "the value of A cannot be put together")
    assert (error.why, error.where) == (why, Where(str(tmp_path / "x.env"), 2))
    assert error.__cause__ is None


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    service = one(tmp_path, "{env_file: [{path: none, required: false}], environment: [A=1]}")
    assert environment_of(service, {}) == {"A": "1"}
    with pytest.raises(UsageError) as caught:
        environment_of(one(tmp_path, "{env_file: none}"), {})
    error = caught.value
    assert (error.code, error.what) == ("unreadable", f"the environment file {tmp_path}/none does not exist")
    assert (error.why, error.fix) == ("env_file names it", "create it, or write it as {path: ..., required: false}")
    assert error.where == Where(f"{tmp_path}/compose.yaml", 2, 17)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        environment_of(one(tmp_path, "{env_file: [{path: ., required: false}]}"), {})
    assert caught.value.code == "unreadable"
    assert caught.value.where == Where(f"{tmp_path}/compose.yaml", 2, 18)


def test_a_format_that_nobody_knows(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        environment_of(one(tmp_path, "{env_file: [{path: x, format: toml}]}"), {})
    assert (caught.value.code, caught.value.what) == ("invalid-compose", "env_file knows no format toml")


NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,4}", fullmatch=True).filter(lambda name: name != "export")


@settings(deadline=None)
@given(st.dictionaries(NAMES, st.text(st.characters(codec="utf-8"), max_size=12), max_size=4))
def test_what_is_quoted_comes_back(tmp_path_factory: pytest.TempPathFactory, variables: dict[str, str]) -> None:
    table = str.maketrans({"\\": "\\\\", '"': '\\"', "$": "\\$"})
    text = "".join(f'{name}="{value.translate(table)}"\n' for name, value in variables.items())
    assert of_file(tmp_path_factory.mktemp("quoted"), text) == variables


@settings(deadline=None)
@given(st.text(st.sampled_from("AB=:'\"\\$#{} \n\t-x"), max_size=20))
def test_any_text_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    try:
        found = of_file(tmp_path_factory.mktemp("any"), text)
    except UsageError as error:
        assert error.where is not None
        assert error.where.line is not None
        assert 1 <= error.where.line <= text.count("\n") + 1
    else:
        assert all(name and "=" not in name for name in found)
