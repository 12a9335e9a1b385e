"""Options, what is skipped, and the guard around unit tests. The fixtures stand in ``infra.fixtures``."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator
from pathlib import Path

import pytest

from infra import guard
from infra.need import strict

pytest_plugins = ["infra.fixtures"]

# A shell starts what it runs in the background with SIGINT ignored, and children inherit that: not the ones tested here.
for _signal in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(_signal) is signal.SIG_IGN:
        signal.signal(_signal, signal.default_int_handler if _signal == signal.SIGINT else signal.SIG_DFL)

UNIT = Path(__file__).parent / "unit"
# The first test of a cold machine waits for packages, a base file system and PyTorch.
DOCKER_TIMEOUT = 1200

REPOS = Path(__file__).parent / "repos"
# From nothing, PyTorch is fetched and mmcv-full is compiled, with two processors and others at work beside.
REPOS_TIMEOUT = 3000


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--docker", action="store_true", help="run the tests that need a Docker Engine (needs root)")
    parser.addoption("--repos", action="store_true", help="run the tests that train other people's repositories")
    parser.addoption("--update-golden", action="store_true", help="write the golden files instead of comparing")


def _wanted(config: pytest.Config, name: str) -> bool:
    return bool(config.getoption(f"--{name}")) or os.environ.get(f"KOBAKO_TEST_{name.upper()}") == "1" or strict()


def _named(config: pytest.Config) -> bool:
    """Whether a file of ``repos`` was asked for by its name."""
    paths = ((config.invocation_params.dir / one.partition("::")[0]).resolve() for one in config.args)
    return any(REPOS in path.parents for path in paths)


def _gate(items: list[pytest.Item], marker: str, seconds: int, skipped: str) -> None:
    """Give the tests of a kind their time limit, or the reason why they are skipped."""
    for item in items:
        if item.get_closest_marker(marker) is None:
            continue
        if skipped:
            item.add_marker(pytest.mark.skip(reason=skipped))
        elif item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(seconds))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    repos = _wanted(config, "repos") or _named(config)
    reason = "takes minutes: --repos, KOBAKO_TEST_REPOS=1 or the file's name runs it"
    _gate(items, "repos", REPOS_TIMEOUT, "" if repos else reason)
    reason = "needs a Docker Engine: --docker or KOBAKO_TEST_DOCKER=1 starts a private one"
    _gate(items, "docker", DOCKER_TIMEOUT, "" if _wanted(config, "docker") else reason)


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be written instead of compared (``--update-golden``)."""
    return bool(request.config.getoption("--update-golden"))


def _run_guarded(item: pytest.Item) -> Generator[None, None, None]:
    if UNIT in item.path.parents:
        with guard.closed():
            return (yield)
    return (yield)


# Not around tear-down: the last test of a session, whichever it is, also ends the Engines.
@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    return (yield from _run_guarded(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    return (yield from _run_guarded(item))
