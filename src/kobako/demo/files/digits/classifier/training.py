"""The training: the same bits at every run on the same machine, and nothing half-written at any moment."""

from __future__ import annotations

import json
import math
import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter

from classifier.network import Network
from classifier.options import OptionError, Options
from classifier.progress import Progress


class Data(NamedTuple):
    """Images and labels, to learn from and to test on."""

    images: Tensor
    labels: Tensor
    test_images: Tensor
    test_labels: Tensor


def load() -> Data:
    """A fifth of the digits is kept for testing, the same fifth for every seed."""
    digits = load_digits()
    parts = train_test_split(digits.images, digits.target, test_size=0.2, random_state=0, stratify=digits.target)
    images, test_images = (torch.tensor(one, dtype=torch.float32).unsqueeze(1) / 16 for one in parts[:2])
    labels, test_labels = (torch.tensor(one) for one in parts[2:])
    return Data(images, labels, test_images, test_labels)


class Training:
    """One training: its network, its optimizer, and how far it came."""

    def __init__(self, options: Options) -> None:
        torch.set_num_threads(options.threads)
        torch.use_deterministic_algorithms(mode=True)
        _seed(options.seed)
        self.options = options
        self.data = load()
        self.network = Network()
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=options.lr)
        self.epoch = 0
        self.loss = math.nan
        self.accuracy = 0.0
        self.best = 0.0
        self.folder = Path(options.work_dir)
        if options.resume:
            self._resume()
        self._prepare()

    def run(self, progress: Progress) -> dict[str, Any]:
        """Train to the end; what ``result.json`` says."""
        begin = time.monotonic()
        with SummaryWriter(str(self.folder)) as writer:
            while self.epoch < self.options.epochs:
                self._epoch(progress)
                writer.add_scalar("train/loss", self.loss, self.epoch)
                writer.add_scalar("train/lr", self._rate(), self.epoch)
                writer.add_scalar("test/accuracy", self.accuracy, self.epoch)
                writer.flush()
        progress.close()
        result = self._result(time.monotonic() - begin)
        replace(self.folder / "result.json", lambda path: _write_json(path, result))
        return result

    def _epoch(self, progress: Progress) -> None:
        self.epoch += 1
        # A seed for each epoch: a training that was resumed goes on exactly as one that was never interrupted.
        _seed(self.options.seed + 1000 * self.epoch)
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate()
        self.network.train()
        batches = torch.randperm(len(self.data.labels)).split(self.options.batch_size)
        total, seen = 0.0, 0
        for number, batch in enumerate(batches, 1):
            total += self._step(batch) * len(batch)
            seen += len(batch)
            progress.step(self.epoch, number / len(batches), total / seen)
        self.loss = total / seen
        self.accuracy = self._test()
        self._save()
        progress.epoch(self.epoch, self.loss, self.accuracy)

    def _step(self, batch: Tensor) -> float:
        scores = self.network(self.data.images[batch])
        loss = nn.functional.cross_entropy(scores, self.data.labels[batch])
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return float(loss.item())

    def _rate(self) -> float:
        """The learning rate falls along half a cosine."""
        return self.options.lr * (1 + math.cos(math.pi * (self.epoch - 1) / self.options.epochs)) / 2

    def _test(self) -> float:
        self.network.eval()
        with torch.no_grad():
            found = self.network(self.data.test_images).argmax(1)
        right = int((found == self.data.test_labels).sum())
        return right / len(self.data.test_labels)

    def _save(self) -> None:
        better = self.accuracy > self.best
        self.best = max(self.best, self.accuracy)
        content = {
            "epoch": self.epoch,
            "loss": self.loss,
            "accuracy": self.accuracy,
            "best_accuracy": self.best,
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "config": self.options._asdict(),
        }
        for name in ("last.pt", "best.pt") if better else ("last.pt",):
            replace(self.folder / name, lambda path: torch.save(content, str(path)))

    def _resume(self) -> None:
        name = self.options.resume
        try:
            found = torch.load(name, map_location="cpu", weights_only=True)
            self.network.load_state_dict(found["network"])
            self.optimizer.load_state_dict(found["optimizer"])
            self.epoch, self.loss = found["epoch"], found["loss"]
            self.accuracy, self.best = found["accuracy"], found["best_accuracy"]
        except Exception as error:
            raise OptionError(f"--resume={name} is not a checkpoint of this training") from error
        if self.epoch >= self.options.epochs:
            raise OptionError(
                f"--resume={name} has {self.epoch} epochs already, and --epochs={self.options.epochs}",
                f"--epochs={2 * self.epoch}",
            )

    def _prepare(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if not self.options.resume:  # curves of an earlier run would be drawn over those of this one
                for old in self.folder.glob("events.out.tfevents.*"):
                    old.unlink()
        except OSError as error:
            raise OptionError(f"--work_dir={self.folder}: {error.strerror}", "name a folder of your own") from error

    def _result(self, seconds: float) -> dict[str, Any]:
        return {
            "loss": self.loss,
            "loss_hex": float(self.loss).hex(),
            "accuracy": self.accuracy,
            "best_accuracy": self.best,
            "epochs": self.epoch,
            "seconds": round(seconds, 2),
            "seed": self.options.seed,
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
        }


def _seed(number: int) -> None:
    random.seed(number)
    torch.manual_seed(number)


def replace(path: Path, write: Callable[[Path], None]) -> None:
    """Write to a temporary name, then rename: whoever looks sees the old file or the new one, whole."""
    partial = path.with_name(f".{path.name}.partial")
    write(partial)
    os.replace(str(partial), str(path))


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
