"""``kobako completion``."""

from __future__ import annotations

import argparse

from kobako.actions.context import Context
from kobako.model.result import Result

DESCRIPTION = """\
Print what makes the Tab key complete verbs, options and services. For every new shell:
  bash  eval "$(kobako completion bash)"    in ~/.bashrc
  zsh   eval "$(kobako completion zsh)"     in ~/.zshrc, after compinit
  fish  kobako completion fish | source     in ~/.config/fish/config.fish"""
EXAMPLE = 'eval "$(kobako completion bash)"'
JSON = False
TAIL = ""

SHELLS = ("bash", "zsh", "fish")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=SHELLS, help="the shell that you use")


def act(_context: Context, args: argparse.Namespace) -> Result:
    from argcomplete.shell_integration import shellcode  # noqa: PLC0415 - no other verb pays for it

    return Result("completion", text=shellcode(["kobako"], shell=args.shell).strip())
