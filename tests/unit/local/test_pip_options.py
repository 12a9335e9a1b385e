"""Every option of ``pip install`` (26.3) and ``uv pip install`` (0.13.9) has a verdict: none is passed over unseen.

"" stands for an option that is dropped on purpose, None for one that only pip or uv itself, inside, can honour.
"""

from __future__ import annotations

import pytest

from kobako.dockerfile.recipe import read_recipe
from kobako.engines.local import pip

PIP: dict[str, str | None] = {
    "-r F": "--requirements F",
    "--requirement F": "--requirements F",
    "-c F": "--constraints F",
    "--constraint F": "--constraints F",
    "--build-constraint F": None,
    "--requirements-from-script F": None,
    "--no-deps": "--no-deps",
    "--only-deps": None,
    "-e F": "--editable F",
    "--editable F": "--editable F",
    "--dry-run": None,
    "-t F": None,
    "--target F": None,
    "--platform F": None,
    "--python-version F": None,
    "--implementation F": None,
    "--abi F": None,
    "--user": "",
    "--root F": None,
    "--prefix F": None,
    "--src F": None,
    "--upgrade-strategy F": "",
    "--force-reinstall": "--reinstall",
    "-I": "--reinstall",
    "--ignore-installed": "--reinstall",
    "--ignore-requires-python": None,
    "--no-build-isolation": "--no-build-isolation",
    "--check-build-dependencies": None,
    "--break-system-packages": "",
    "-C F": "--config-setting F",
    "--config-settings F": "--config-setting F",
    "--compile": "",
    "--no-compile": "",
    "--no-warn-script-location": "",
    "--no-warn-conflicts": "",
    "--require-hashes": "--require-hashes",
    "--no-require-hashes": None,
    "--progress-bar F": "",
    "--root-user-action F": "",
    "--report F": None,
    "--no-clean": "",
    "--pre": "--prerelease=allow",
    "--all-releases F": None,
    "--only-final F": None,
    "--no-binary F": "--no-binary F",
    "--only-binary F": "--only-binary F",
    "--prefer-binary": "",
    "-i F": "--index-url F",
    "--index-url F": "--index-url F",
    "--extra-index-url F": "--extra-index-url F",
    "--no-index": "--no-index",
    "--refresh-package F": None,
    "-f F": "--find-links F",
    "--find-links F": "--find-links F",
    "--uploaded-prior-to F": None,
    "-h": None,
    "--help": None,
    "--debug": "",
    "--isolated": "",
    "--require-virtualenv": None,
    "--python F": None,
    "-v": "",
    "--verbose": "",
    "-q": "",
    "--quiet": "",
    "--log F": "",
    "--no-input": "",
    "--keyring-provider F": None,
    "--proxy F": None,
    "--no-proxy-env": None,
    "--retries F": "",
    "--timeout F": "",
    "--exists-action F": "",
    "--trusted-host F": "--allow-insecure-host F",
    "--cert F": None,
    "--client-cert F": None,
    "--cache-dir F": "",
    "--no-cache-dir": "",
    "--disable-pip-version-check": "",
    "--no-color": "",
    "--use-feature F": "",
    "--use-deprecated F": "",
    "--resume-retries F": "",
    # of earlier releases
    "--use-pep517": "",
    "--no-use-pep517": None,
    "--global-option F": None,
    "--install-option F": None,
    "--process-dependency-links": None,
    "--egg": None,
    "-b F": None,
    "--build F": None,
    "--default-timeout F": "",
    "--no-python-version-warning": "",
    "--pypi-url F": "--index-url F",
}

UV: dict[str, str | None] = {
    "-r F": "-r F",
    "--requirements F": "--requirements F",
    "-e F": "-e F",
    "-c F": "-c F",
    "--overrides F": "--overrides F",
    "--override F": "--override F",
    "-b F": "-b F",
    "--extra F": "--extra F",
    "--all-extras": "--all-extras",
    "--no-deps": "--no-deps",
    "--require-hashes": "--require-hashes",
    "--no-verify-hashes": "--no-verify-hashes",
    "--system": "",
    "--break-system-packages": "",
    "-t F": None,
    "--target F": None,
    "--prefix F": None,
    "--no-binary F": "--no-binary F",
    "--only-binary F": "--only-binary F",
    "--python-version F": None,
    "--python-platform F": None,
    "--torch-backend F": "--torch-backend F",
    "--index F": "--index F",
    "--default-index F": "--default-index F",
    "--index-url F": "--index-url F",
    "--extra-index-url F": "--extra-index-url F",
    "-f F": "-f F",
    "--no-index": "--no-index",
    "--index-strategy F": "--index-strategy F",
    "-U": "-U",
    "--upgrade": "--upgrade",
    "-P F": "-P F",
    "--resolution F": "--resolution F",
    "--prerelease F": "--prerelease F",
    "--exclude-newer F": "--exclude-newer F",
    "--reinstall": "--reinstall",
    "--link-mode F": "",
    "--compile-bytecode": "",
    "-C F": "-C F",
    "--no-build-isolation": "--no-build-isolation",
    "--no-build-isolation-package F": "--no-build-isolation-package F",
    "-n": "",
    "--no-cache": "",
    "--cache-dir F": "",
    "--no-python-downloads": "",
    "-q": "",
    "-v": "",
    "--color F": "",
    "--system-certs": "",
    "--native-tls": "",
    "--no-progress": "",
    "--allow-insecure-host F": "--allow-insecure-host F",
    "--directory F": None,
    "--project F": None,
    # files and programs of this machine are nothing that a recipe may choose
    "--config-file F": None,
    "--cert F": None,
    "--keyring-provider F": None,
    "--no-such-option": None,
    "--help": None,
}


def verdict(manager: str, options: str) -> str | None:
    command = read_recipe(f"FROM x\nRUN {manager} install {options} six\n").steps[1].commands[0]
    made = pip.install(command)
    if made is None:
        return None
    *rest, last = made.arguments
    assert last == "six"
    return " ".join(rest)


@pytest.mark.parametrize(("option", "wanted"), PIP.items())
def test_pip(option: str, wanted: str | None) -> None:
    assert verdict("pip", option) == wanted
    name, _, value = option.partition(" ")
    if value:
        assert verdict("pip", f"{name}={value}" if name.startswith("--") else f"{name}{value}") == wanted


@pytest.mark.parametrize(("option", "wanted"), UV.items())
def test_uv(option: str, wanted: str | None) -> None:
    assert verdict("uv pip", option) == wanted
    name, _, value = option.partition(" ")
    if value and name.startswith("--"):
        assert verdict("uv pip", f"{name}={value}") == wanted


@pytest.mark.parametrize("option", ["-U", "--upgrade"])
def test_an_upgrade_is_one_of_what_is_named(option: str) -> None:
    """pip upgrades what is named, and of the rest only what it must (only-if-needed); uv's ``--upgrade`` is for all."""
    assert verdict("pip", option) in {"--upgrade-package six", "--upgrade-package=six", "-P six", None}


@pytest.mark.parametrize("option", ["--group dev", "--group other.toml:dev"])
def test_a_group_is_read_from_a_file_inside(option: str) -> None:
    """From outside, uv would look for pyproject.toml in a folder of this machine."""
    command = read_recipe(f"FROM x\nRUN pip install {option}\n").steps[1].commands[0]
    made = pip.install(command)
    assert made is None or made.needs_code or made.files
