"""Test infrastructure: a private, real Docker Engine, stand-in base images, and ways to run the command line.

Nothing is installed system-wide and no registry of images is reached. The Engine comes from Debian packages unpacked
into a cache folder (``KOBAKO_TEST_CACHE``, default ``${XDG_CACHE_HOME:-~/.cache}/kobako-tests``), listens on a Unix
socket only and has no bridge network, so test workspaces use the host's network (``infra.workspaces.write_override``).
It needs root and Debian's ``runc``, ``iptables``, ``mmdebstrap``, ``docker-compose`` (v1) and ``tmux``.

Tests that use it carry ``@pytest.mark.docker``. They are skipped unless ``--docker`` or ``KOBAKO_TEST_DOCKER=1`` is
given; with ``CI=true`` or ``KOBAKO_TEST_ALL=1`` they run, and what is missing fails instead of being skipped.

Fixtures (``infra.fixtures``; all of them are visible in every test)

==================  ===================================================================================================
``docker_engine``   ``infra.engine.Engine``, for the session. ``.environment("both"|"v1"|"v2"|"none", user=)`` is the
                    whole environment of a child process, with this choice of Compose; ``.docker(*args)`` runs the
                    client; ``.api`` speaks HTTP; ``.kill()`` and ``.restart()`` act out a crash.
``nvidia_engine``   a second Engine whose daemon honours NVIDIA reservations (its hook does nothing).
``stand_in``        ``stand_in(name, kind="base"|"torch"|"ngc", engine=...)``: gives a stand-in image that name.
``docker_workspace``  ``docker_workspace(files, name=..., owner=...)`` makes a folder; when the test ends, the Compose
                    projects that ran in it are removed from every engine.
``kobako``          ``kobako(*args, cwd=, env=, stdin=, user=, timeout=)`` -> ``infra.run.Outcome``.
``terminal``        ``terminal(argv, cwd=, env=, user=)`` -> ``infra.terminal.Terminal``: a pseudo terminal.
``tmux``            ``tmux(argv, cwd=, env=)`` -> ``infra.terminal.Tmux``: keys in, the screen out.
``someone``         ``infra.user.Someone``: a user who is not root, with a home folder; give it as ``user=``, or run
                    ``someone.argv(argv)``. ``.outsider()`` may not talk to the daemon.
``update_golden``   whether ``--update-golden`` was given.
==================  ===================================================================================================

After each module the engines must be as they were: containers, volumes, networks or image tags left behind fail the
module and are removed. Tags in ``kobako-test/`` are kept between runs; ``Engine.expected`` names further ones.

The modules: ``need`` (skip or fail), ``cache`` (folders and locks), ``debian`` (packages, base file systems),
``processes`` (ending what a killed run left), ``engine``, ``client`` (environments), ``api``, ``leaks``, ``wheels``
(hand-made wheels), ``images``, ``workspaces``, ``run``, ``terminal``, ``user``, and ``guard``: a unit test that starts
a program or reaches the network fails.
"""
