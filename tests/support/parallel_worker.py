"""One of several processes that train a small network in double precision; see test_parallel."""

import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from dlproj.data.batches import ShuffledBatches
from dlproj.models.digits import DeepCNN
from dlproj.store.weights import pack
from dlproj.training.device import Machine
from dlproj.training.loop import Training, accuracy, fit
from dlproj.training.parallel import member
from dlproj.training.schedule import make_schedule


def make_network(name: str) -> nn.Module:
    """A network with BatchNorm and dropout; "columns" has two, which learn from half a batch."""
    if name == "columns":
        return DeepCNN(classes=3)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dropout(0.4),
        nn.Linear(4 * 26 * 26, 3),
    )


def main() -> None:
    """Train, and let the first process write weights and losses."""
    out, name = sys.argv[1:]
    torch.manual_seed(0)
    model = make_network(name).double()
    images = torch.randn(47, 1, 28, 28).double()
    # Batches of 9 of 47 examples: the last has two, fewer than there may be processes.
    batches = ShuffledBatches(images, torch.arange(47) % 3, batch_size=9, seed=1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    training = Training(model, optimizer, make_schedule("linear", optimizer, 3 * len(batches)))
    with member() as group:
        machine = Machine(torch.device("cpu"), "fp32", 1, group)
        steps = fit(
            training, batches, loss_fn=F.cross_entropy, epochs=3, machine=machine, score=accuracy
        )
        losses = [[step.loss, step.score or 0.0] for step in steps]
    if group.rank == 0:
        tensors = {**model.state_dict(), "losses": torch.tensor(losses, dtype=torch.float64)}
        Path(out).write_bytes(pack(tensors, {}))


if __name__ == "__main__":
    main()
