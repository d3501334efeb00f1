"""One of several processes that train a small network in double precision; see test_parallel."""

import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from dlproj.data.batches import ShuffledBatches
from dlproj.store.weights import pack
from dlproj.training.device import Machine
from dlproj.training.loop import Training, accuracy, fit
from dlproj.training.parallel import member
from dlproj.training.schedule import make_schedule


def main() -> None:
    """Train, and let the first process write weights and losses."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dropout(0.4),
        nn.Linear(4 * 36, 3),
    ).double()
    images = torch.randn(47, 1, 8, 8).double()
    # Batches of 9 of 47 examples: the last has two, fewer than there may be processes.
    batches = ShuffledBatches(images, torch.arange(47) % 3, batch_size=9, seed=1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    training = Training(model, optimizer, make_schedule("linear", optimizer, 3 * len(batches)))
    with member() as group:
        machine = Machine(torch.device("cpu"), "fp32", 1, group)
        steps = fit(
            training, batches, loss_fn=F.cross_entropy, epochs=3, machine=machine, score=accuracy
        )
        losses = [[step.loss, step.score or 0.0] for step in steps]
    if group.rank == 0:
        tensors = {**model.state_dict(), "losses": torch.tensor(losses, dtype=torch.float64)}
        Path(sys.argv[1]).write_bytes(pack(tensors, {}))


if __name__ == "__main__":
    main()
