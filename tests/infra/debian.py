"""Debian packages without installing them: a folder of unpacked programs, and base file systems for images.

The mirror is the one that the machine's own apt is set up with.
"""

from __future__ import annotations

import platform
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


class Source(NamedTuple):
    """One archive that apt is told of: an address, a suite, and the components taken from it."""

    uri: str
    suite: str
    components: tuple[str, ...]


def _paragraphs(text: str) -> Iterator[dict[str, str]]:
    fields: dict[str, str] = {}
    key = ""
    for line in [*text.splitlines(), ""]:
        if line.startswith("#"):
            continue
        if not line.strip():
            if fields:
                yield fields
            fields, key = {}, ""
        elif line[0].isspace():
            fields[key] += f" {line.strip()}"
        else:
            key, _, value = line.partition(":")
            key = key.lower()
            fields[key] = value.strip()


def parse_deb822(text: str) -> list[Source]:
    found = []
    for fields in _paragraphs(text):
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() in {"no", "false"}:
            continue
        components = tuple(fields.get("components", "").split())
        found += [
            Source(uri, suite, components) for uri in fields["uris"].split() for suite in fields["suites"].split()
        ]
    return found


def parse_classic(text: str) -> list[Source]:
    found = []
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if not words or words[0] != "deb":
            continue
        if words[1].startswith("["):
            # options may hold spaces: [ arch=amd64 signed-by=... ]
            end = next(n for n, word in enumerate(words) if word.endswith("]"))
            words = [words[0], *words[end + 1 :]]
        found.append(Source(words[1], words[2], tuple(words[3:])))
    return found


def sources(etc: Path = Path("/etc/apt")) -> list[Source]:
    """Debian's own archives among apt's sources; other vendors' are left out."""
    found: list[Source] = []
    for path in [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))]:
        if path.suffix == ".sources":
            found += parse_deb822(path.read_text(encoding="utf-8"))
        elif path.suffix == ".list" and path.exists():
            found += parse_classic(path.read_text(encoding="utf-8"))
    ends = ("/debian", "/debian-security")
    return [s for s in found if s.uri.rstrip("/").endswith(ends) and "main" in s.components]


def mirror(known: Iterable[Source]) -> str:
    """The address of Debian's main archive."""
    for source in known:
        if source.uri.rstrip("/").endswith("/debian"):
            return source.uri
    raise RuntimeError("apt's sources name no Debian mirror")


def lines_for(suite: str, known: Sequence[Source]) -> list[str]:
    """Lines of a sources.list for a Debian release: its updates and security too, where apt knows their addresses."""
    wanted = [suite, f"{suite}-updates", f"{suite}-security"]
    chosen = [source for source in known if source.suite in wanted]
    if suite not in [source.suite for source in chosen]:
        chosen.insert(0, Source(mirror(known), suite, ("main",)))
    return list(dict.fromkeys(f"deb [signed-by={KEYRING}] {s.uri} {s.suite} main" for s in chosen))


def unpack(packages: Sequence[str], suite: str, into: Path) -> None:
    """Unpack packages of a release into a folder. Their dependencies are not followed, no script of theirs is run."""
    with tempfile.TemporaryDirectory(prefix="kobako-apt-") as name:
        work = Path(name)
        for part in ("lists/partial", "cache/archives/partial", "debs"):
            (work / part).mkdir(parents=True)
        line = f"deb [signed-by={KEYRING}] {mirror(sources())} {suite} main\n"
        (work / "sources.list").write_text(line, encoding="utf-8")
        (work / "apt.conf").write_text(
            f'Dir::State::Lists "{work}/lists";\nDir::Cache "{work}/cache";\n'
            f'Dir::Etc::sourcelist "{work}/sources.list";\nDir::Etc::sourceparts "-";\nAPT::Sandbox::User "root";\n'
            'Acquire::Retries "3";\n',
            encoding="utf-8",
        )
        environment = {"APT_CONFIG": str(work / "apt.conf"), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        _run(["apt-get", "-qq", "update"], work / "debs", environment)
        _run(["apt-get", "-qq", "download", *packages], work / "debs", environment)
        for deb in sorted((work / "debs").glob("*.deb")):
            _run(["dpkg-deb", "-x", str(deb), str(into)], work, environment)


# What nobody reads in a test image.
_LEFT_OUT = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/info/*")


def make_file_system(packages: Sequence[str], suite: str, tar: Path, hooks: Sequence[str]) -> None:
    """A minimal Debian with these packages, as a tar. ``hooks`` are shell commands, with ``$1`` the new root."""
    with tempfile.TemporaryDirectory(prefix="kobako-base-") as name:
        listed = Path(name, "sources.list")
        listed.write_text("\n".join(lines_for(suite, sources())) + "\n", encoding="utf-8")
        argv = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(packages)}"]
        argv += [f"--dpkgopt=path-exclude={pattern}" for pattern in _LEFT_OUT]
        argv += [f"--customize-hook={hook}" for hook in hooks]
        argv += [f"--architecture={_architecture()}", "--aptopt=Acquire::Retries 3", suite, str(tar), str(listed)]
        _run(argv, Path(name), {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TMPDIR": name})


def _architecture() -> str:
    return {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]


def _run(argv: Sequence[str], folder: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        argv,
        cwd=folder,
        env=environment,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{argv[0]} failed ({done.returncode}):\n{done.stdout[-4000:]}")
