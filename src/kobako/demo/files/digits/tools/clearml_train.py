"""The entry script, the same one inside and outside.

    python digits/tools/clearml_train.py --config=configs/digits/demo.json

Options are --key=value only; --help shows them. Exit codes: 0 done, 1 failed, 2 not understood, 128+N after signal N.
"""

from __future__ import annotations

import io
import os
import signal
import sys
from pathlib import Path
from types import FrameType

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from classifier.options import USAGE, OptionError, Options, parse
from classifier.progress import Progress


def main(words: list[str]) -> int:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a folder's name may hold what the terminal cannot show
            stream.reconfigure(errors="backslashreplace")
    if "--help" in words or "-h" in words:
        print(USAGE, end="")
        return 0
    try:
        train(parse(words))
    except OptionError as error:
        print(f"error: {error}", file=sys.stderr)
        if error.fix:
            print(f"  fix: {error.fix}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    return 0


def train(options: Options) -> None:
    end_on_signals(options)
    print("loading PyTorch and the digits ...", flush=True)
    try:
        from classifier.training import Training  # noqa: PLC0415 - takes seconds, and options are judged first
    except ImportError as error:
        raise OptionError(f"{error}", "pip install -r requirements.txt (beside tools/)") from error

    training = Training(options)
    first = training.epoch + 1
    images, tests = len(training.data.labels), len(training.data.test_labels)
    print(f"{images} images to learn from, {tests} to test on, epochs {first} to {options.epochs}", flush=True)
    progress = Progress(sys.stdout, options.epochs, first)
    result = training.run(progress)
    print(f"accuracy {100 * result['accuracy']:.1f} %, loss {result['loss']:.6f} ({result['loss_hex']})")
    print(
        f"{result['epochs'] - first + 1} epochs in {result['seconds']:.1f} s; everything is in {shown(training.folder)}"
    )


def end_on_signals(options: Options) -> None:
    """Ctrl-C and SIGTERM end at once: what is on disk is always whole, so there is nothing to wait for."""
    words = {signal.SIGINT: "interrupted", signal.SIGTERM: "asked to end"}
    last = Path(options.work_dir) / "last.pt"

    def end(number: int, _frame: FrameType | None) -> None:
        kept = f"the last checkpoint is {shown(last)}" if last.exists() else "there is no checkpoint yet"
        opening = "\n" if sys.stdout.isatty() else ""
        os.write(2, os.fsencode(f"{opening}{words[signal.Signals(number)]}: {kept}\n"))
        os._exit(128 + number)

    for number in words:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup asks for a program that outlives its terminal
            signal.signal(number, end)


def shown(path: Path) -> str:
    """The path as it is shortest from here."""
    relative = os.path.relpath(str(path))
    return str(path) if relative.startswith("..") else relative


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
