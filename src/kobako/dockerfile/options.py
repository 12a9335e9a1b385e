"""Which options of the package managers take a value: without that, a list's end and its packages cannot be told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from kobako.model.recipe import Word


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


class Table(NamedTuple):
    """``valued`` are options with a value. ``bundles``: short options can be run together, the last with its value."""

    valued: frozenset[str]
    bundles: bool = True
    abbreviates: bool = False


class Part(NamedTuple):
    """A part of a command line: an option ("" when it is none), and the word with its value."""

    option: str
    word: Word
    value: Word | None = None


PIP = Table(
    _words(
        "-r --requirement -c --constraint --build-constraint -e --editable -t --target --platform --python-version "
        "--implementation --abi --root --prefix -b --build --build-dir --src --source --source-dir "
        "--source-directory -d --upgrade-strategy --install-option --global-option --config-settings "
        "--config-setting -C --no-binary --only-binary --progress-bar --root-user-action --report --group -i "
        "--index-url --pypi-url --extra-index-url -f --find-links --uploaded-prior-to --python --log --log-file "
        "--local-log --keyring-provider --proxy --retries --resume-retries --timeout --default-timeout "
        "--exists-action --trusted-host --cert --client-cert --cache-dir --use-feature --use-deprecated "
        "--only-final --all-releases"
    ),
    abbreviates=True,
)
UV = Table(
    _words(
        "-r --requirement --requirements -c --constraint --constraints --override --overrides --exclude --excludes "
        "-b --build-constraint --build-constraints -e --editable --extra --group --index --default-index -i "
        "--index-url --extra-index-url -f --find-links --index-strategy --keyring-provider --allow-insecure-host "
        "--trusted-host -P --upgrade-package --upgrade-group --resolution --prerelease --fork-strategy "
        "--exclude-newer --exclude-newer-package --reinstall-package --link-mode -C --config-setting "
        "--config-settings --config-settings-package --no-build-isolation-package --no-build-package "
        "--no-binary-package --no-binary --only-binary --no-sources-package --refresh-package -p --python "
        "--python-version --python-platform --torch-backend -t --target --prefix --cache-dir --config-file "
        "--directory --project --color --python-preference --python-fetch"
    )
)
APT = Table(
    _words(
        "-o --option -c --config-file -t --target-release --default-release -a --host-architecture "
        "-P --build-profiles --solver"
    )
)
CONDA = Table(
    _words(
        "-n --name -p --prefix -c --channel --file --repodata-fn --solver --experimental-solver --experimental "
        "--subdir --platform --revision --rc-file -r --root-prefix --category --pyc --rc-path --cacert"
    )
)
MICROMAMBA = Table(CONDA.valued | {"-f"})


def parts_of(words: tuple[Word, ...], table: Table) -> Iterator[Part]:
    """Options with their values, and everything else as it stands. After ``--`` there are no options."""
    rest = iter(words)
    for word in rest:
        shown = word.text.lstrip("\"'") if word.value is None else word.value
        if shown == "--":
            yield Part("--", word)
            yield from (Part("", one) for one in rest)
        elif not shown.startswith("-") or shown == "-":
            yield Part("", word)
        else:
            option, inline = _option(shown, table)
            valued = not inline and _takes_value(option, table)
            yield Part(option, word, next(rest, None) if valued else word if inline else None)


def _option(shown: str, table: Table) -> tuple[str, bool]:
    """The option, and whether the word holds its value as well."""
    name, equals, _ = shown.partition("=")
    if shown.startswith("--"):
        return name, bool(equals)
    for at, letter in enumerate(shown[1:] if table.bundles else shown[1:2], start=1):
        if f"-{letter}" in table.valued:
            return f"-{letter}", at + 1 < len(shown)
    return name, bool(equals)


def _takes_value(option: str, table: Table) -> bool:
    if option in table.valued:
        return True
    if not table.abbreviates or not option.startswith("--"):
        return False
    return sum(one.startswith(option) for one in table.valued) == 1 and option not in _PIP_FLAGS


_PIP_FLAGS = _words(
    "--pre --no --no-deps --user --upgrade --isolated --verbose --version --quiet --no-index --no-input --debug "
    "--require --require-hashes --force --force-reinstall --ignore --ignore-installed --compile --no-clean "
    "--prefer-binary --dry-run --egg --use-pep517 --check-build-dependencies --break-system-packages"
)
