"""Refreshes the tables of images from image configurations: their environment says what is in them.

    python tools/refresh_images.py nvcr.io/nvidia/pytorch:25.04-py3 ...        shows what would change
    python tools/refresh_images.py --write IMAGE ...                           writes it
    python tools/refresh_images.py --local IMAGE ...                           asks Docker here, not the registry
    python tools/refresh_images.py --from FILE ... -- IMAGE ...                configurations that were saved as JSON

An image of nvcr.io/nvidia/pytorch goes to ngc_pytorch.csv, one of pytorch/pytorch to pytorch_images.csv. For a
configuration `docker buildx imagetools inspect` is asked, which fetches no layer. What the tables know already is
confirmed or filled in; a value that contradicts one is shown, and taken with --accept only. No row is taken away.
"""

from __future__ import annotations

import argparse
import csv
import difflib
import io
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

from kobako import process
from kobako.catalogue import NGC
from kobako.data import tables
from kobako.errors import KobakoError
from kobako.workspace import read_text, write_text

FOLDER = Path(__file__).resolve().parents[1] / "src" / "kobako" / "data"
FLOORS = {"ngc_pytorch": 92, "pytorch_images": 48}
"""Rows that each table has at least: fewer means that something went wrong."""
KEYS = {"ngc_pytorch": ("release",), "pytorch_images": ("torch", "cuda")}

Row = dict[str, str]


class Configuration(NamedTuple):
    """What matters of an image's configuration. ``created`` is a date (YYYY-MM-DD) or ""."""

    environment: Mapping[str, str]
    labels: Mapping[str, str]
    created: str


class Change(NamedTuple):
    """A cell that an image contradicts."""

    key: str
    column: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.key}: {self.column} is {self.old} in the table and {self.new} in the image"


class Merged(NamedTuple):
    """A table after merging. ``contradictions`` are in ``rows`` already; whether that may be is for a person to say."""

    rows: list[Row]
    contradictions: tuple[Change, ...]


def configuration(text: str) -> Configuration:
    """From the JSON of ``imagetools inspect --format '{{json .Image}}'`` or of ``docker image inspect``.

    Raises ``ValueError`` where it is neither. Of several platforms linux/amd64 is taken, else the first.
    """
    found: Any = json.loads(text)
    if isinstance(found, list) and found:
        found = found[0]
    if isinstance(found, dict) and "config" not in found and "Config" not in found:
        platforms = {name: one for name, one in found.items() if isinstance(one, dict) and "config" in one}
        found = platforms.get("linux/amd64") or next(iter(platforms.values()), None)
    if not isinstance(found, dict):
        raise ValueError("this is no image configuration")  # noqa: TRY004 - the file's content is wrong
    config = found.get("config") or found.get("Config") or {}
    pairs = [str(one).partition("=") for one in config.get("Env") or ()]
    created = str(found.get("created") or found.get("Created") or "")[:10]
    labels = {str(key): str(value) for key, value in (config.get("Labels") or {}).items()}
    day = created if re.fullmatch(r"20[12]\d-\d\d-\d\d", created) else ""  # reproducible builds say 1970
    return Configuration({name: value for name, _, value in pairs}, labels, day)


def facts(image: str, found: Configuration) -> tuple[str, Row]:
    """The table, and the cells that the configuration fills. Raises ``ValueError`` for what is in no table."""
    repository, _, tag = image.partition("@")[0].rpartition(":")
    repository = repository.removeprefix("docker.io/")
    if repository == NGC:
        return "ngc_pytorch", _ngc(image, tag, found)
    if repository == "pytorch/pytorch":
        return "pytorch_images", _pytorch(tag, found)
    raise ValueError(f"{image}: neither {NGC} nor pytorch/pytorch")


def _ngc(image: str, tag: str, found: Configuration) -> Row:
    environment = found.environment
    release = environment.get("NVIDIA_PYTORCH_VERSION") or tag[:5]
    if not re.fullmatch(r"\d\d\.\d\d", release):
        raise ValueError(f"{image}: which release it is, is not said")
    if not tag.startswith(release):
        raise ValueError(f"{image}: its configuration says that it is {release}")
    cuda = _short(environment.get("CUDA_VERSION", ""))
    toolkit = tables.cuda_toolkit(cuda) if cuda else None
    cells = {
        "release": release,
        "image": image.partition("@")[0],
        "ubuntu": _ubuntu(found.labels),
        "python": _python(environment),
        "cuda": cuda,
        "cudnn": environment.get("CUDNN_VERSION", "").partition("+")[0],
        "nccl": environment.get("NCCL_VERSION", "").partition("+")[0].partition("-")[0],
        "tensorrt": environment.get("TRT_VERSION", "").partition("+")[0],
        "pytorch": environment.get("PYTORCH_BUILD_VERSION") or environment.get("PYTORCH_VERSION", ""),
        "torch_cuda_arch_list": environment.get("TORCH_CUDA_ARCH_LIST", ""),
        "cuda_compat_driver": environment.get("CUDA_DRIVER_VERSION", ""),
        "released": found.created,
        "driver_exact_derived": toolkit.driver if toolkit else "",
        "driver_minor_compat_derived": toolkit.driver_minor if toolkit else "",
        "cc_max_inferred": toolkit.capability_max if toolkit else "",
    }
    return {column: value for column, value in cells.items() if value}


def _pytorch(tag: str, found: Configuration) -> Row:
    named = re.fullmatch(r"(\d+\.\d+(?:\.\d+)?)-cuda(\d+\.\d+)-cudnn([\d.]+)-(?:runtime|devel)", tag)
    if named is None:
        raise ValueError(f"{tag}: a tag such as 2.1.0-cuda12.1-cudnn8-devel is understood")
    torch = named[1] if named[1].count(".") > 1 else f"{named[1]}.0"
    said = found.environment.get("PYTORCH_VERSION", "").removeprefix("v").partition("+")[0]
    if said and said != torch:
        raise ValueError(f"{tag}: its configuration says that it has torch {said}")
    cells = {
        "torch": torch,
        "cuda": named[2],
        "cudnn": named[3],
        "tag": tag.rpartition("-")[0],
        "python": _python(found.environment),
    }
    return {column: value for column, value in cells.items() if value}


def _short(version: str) -> str:
    """CUDA's own numbers have a fourth part in NGC's images: 11.6.0.021 is 11.6.0."""
    return ".".join(version.split(".")[:3])


def _ubuntu(labels: Mapping[str, str]) -> str:
    named = labels.get("org.opencontainers.image.ref.name", "ubuntu")
    version = labels.get("org.opencontainers.image.version", "")
    return version if named == "ubuntu" and re.fullmatch(r"\d\d\.\d\d", version) else ""


def _python(environment: Mapping[str, str]) -> str:
    """As a variable says it, else as paths in others do; "" where those do not agree."""
    said = re.match(r"\d+\.\d+", environment.get("PYTHON_VERSION", ""))
    if said:
        return said[0]
    found = {one for value in environment.values() for one in re.findall(r"/python(3\.\d+)(?=/|:|$)", value)}
    return found.pop() if len(found) == 1 else ""


def merge(table: str, rows: Iterable[Row], found: Sequence[Row], day: str) -> Merged:
    """The rows with what was found in them. New ones take their place by their key."""
    merged = [dict(row) for row in rows]
    columns = list(merged[0])
    changes: list[Change] = []
    for cells in found:
        key = tuple(cells[part] for part in KEYS[table])
        row = next((one for one in merged if tuple(one[part] for part in KEYS[table]) == key), None)
        if row is None:
            row = dict.fromkeys(columns, "")
            merged.append(row)
        changes += _fill(row, cells, " ".join(key))
        row["confidence"] = "image-config"
        source = f"image configuration, {day}"
        if not row["source"].startswith("image configuration"):
            row["source"] = f"{source}; {row['source']}" if row["source"] else source
    merged.sort(key=lambda row: tuple(tables.numbers(row[part]) for part in KEYS[table]))
    return Merged(merged, tuple(changes))


def _fill(row: Row, cells: Row, key: str) -> Iterable[Change]:
    for column, value in cells.items():
        old = row[column]
        if old == value or _is_less_precise(value, old) or (column == "image" and old):
            continue
        if old and not _is_less_precise(old, value):
            yield Change(key, column, old, value)
        row[column] = value


def _is_less_precise(one: str, other: str) -> bool:
    """Whether a version says the same as the other with fewer numbers: 8.1.0 and 8.1.0.77."""
    return bool(one) and (other.startswith((f"{one}.", f"{one}+")))


def render(rows: Sequence[Row]) -> str:
    """The table as a file."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def refused(table: str, old: Sequence[Row], merged: Merged, *, accept: bool) -> str:
    """Why the table must not be written, or ""."""
    floor = max(FLOORS[table], len(old))
    if len(merged.rows) < floor:
        return f"{table}: {len(merged.rows)} rows, and there have to be {floor}"
    if merged.contradictions and not accept:
        return "\n".join(map(str, merged.contradictions)) + "\n--accept takes what the images say"
    return ""


def asked(image: str, *, local: bool) -> str:
    """The configuration's JSON. Raises ``WorkError`` where Docker cannot give it."""
    registry = ("docker", "buildx", "imagetools", "inspect", image, "--format", "{{json .Image}}")
    argv = ("docker", "image", "inspect", image) if local else registry
    return process.run(argv).check(f"the configuration of {image} cannot be had").stdout


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("image", nargs="+", help="with --from: the image that the file of the same place is of")
    parser.add_argument("--from", dest="files", nargs="+", type=Path, default=[], help="saved configurations")
    parser.add_argument("--local", action="store_true", help="images that Docker has here")
    parser.add_argument("--accept", action="store_true", help="take what contradicts the tables")
    parser.add_argument("--write", action="store_true", help="write the tables")
    args = parser.parse_args(argv)
    if args.files and len(args.files) != len(args.image):
        parser.error("as many files as images")
    found: dict[str, list[Row]] = {}
    try:
        for at, image in enumerate(args.image):
            text = read_text(args.files[at]) if args.files else asked(image, local=args.local)
            table, cells = facts(image, configuration(text))
            found.setdefault(table, []).append(cells)
    except (ValueError, KobakoError) as error:
        print(getattr(error, "why", "") or error, file=sys.stderr)
        return 1
    return max(_refresh(table, cells, accept=args.accept, write=args.write) for table, cells in found.items())


def _refresh(table: str, found: Sequence[Row], *, accept: bool, write: bool) -> int:
    file = FOLDER / f"{table}.csv"
    before = read_text(file)
    old = list(csv.DictReader(before.splitlines()))
    merged = merge(table, old, found, f"{datetime.now(timezone.utc):%Y-%m-%d}")
    after = render(merged.rows)
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), file.name, file.name, lineterm="", n=0)
    print("\n".join(lines))
    why = refused(table, old, merged, accept=accept)
    if why:
        print(why, file=sys.stderr)
        return 1
    if write:
        write_text(file, after)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
