"""A small real training: a CNN on scikit-learn's digits. Options are --key=value, as a remote queue gives them."""

import argparse
import json
import os

import torch
from sklearn.datasets import load_digits
from torch.utils.tensorboard import SummaryWriter


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", required=True)
    args = parser.parse_args()
    settings: dict[str, object] = {}
    with open(args.config) as file:
        exec(file.read(), settings)
    work = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "work_dirs", "digits")
    os.makedirs(work, exist_ok=True)
    print("uid", os.getuid(), "in", os.getcwd(), flush=True)
    torch.manual_seed(0)
    torch.set_num_threads(1)
    digits = load_digits()
    images = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 16
    labels = torch.tensor(digits.target)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
    images, labels = images[order], labels[order]
    model = torch.nn.Sequential(
        torch.nn.Conv2d(1, 16, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.Flatten(),
        torch.nn.Linear(16 * 64, 64),
        torch.nn.ReLU(),
        torch.nn.Linear(64, 10),
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
    losses = []
    with SummaryWriter(work) as writer:
        for epoch in range(int(str(settings["epochs"]))):
            for start in range(0, 1500, 50):
                batch = slice(start, start + 50)
                loss = torch.nn.functional.cross_entropy(model(images[batch]), labels[batch])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
                writer.add_scalar("loss", loss.item(), len(losses))
            print("epoch", epoch + 1, "loss", losses[-1], flush=True)
    with torch.no_grad():
        accuracy = (model(images[1500:]).argmax(1) == labels[1500:]).float().mean().item()
    torch.save(model.state_dict(), os.path.join(work, "checkpoint.pth"))
    with open(os.path.join(work, "figures.json"), "w") as file:
        json.dump({"losses": losses, "accuracy": accuracy}, file)
    print("accuracy", accuracy)


if __name__ == "__main__":
    main()
