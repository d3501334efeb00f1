"""Other networks, of other kinds, to show adversarial images to."""

from functools import partial

import torch
import torch.nn.functional as F
from torch import nn

from dlproj.configuration.resolve import resolve
from dlproj.data.batches import ShuffledBatches
from dlproj.data.digits import Images
from dlproj.data.distortions import distorted_pixels
from dlproj.experiments.digits import make_training
from dlproj.models.digits import DigitMLP
from dlproj.models.files import DIGITS, load_model
from dlproj.settings import AttackConfig, DigitsConfig
from dlproj.training.device import Machine
from dlproj.training.loop import Training, fit
from dlproj.training.optimizers import without_compiler
from dlproj.training.schedule import make_schedule


def other_networks(
    attacked: nn.Module, train: Images, config: AttackConfig, machine: Machine, *, shipped: bool
) -> dict[str, nn.Module]:
    """The network under attack, and others: two trained here and now, and maybe the shipped one."""
    classes = int(train.labels.max()) + 1
    # Another seed, so that no network starts with the weights of the attacked one.
    settings = resolve(DigitsConfig, {"recipe": "fast", "epochs": 1, "seed": config.seed + 1})
    batches = ShuffledBatches(
        train.pictures.to(machine.device),
        train.labels.to(machine.device),
        batch_size=settings.batch_size,
        seed=settings.seed,
        prepare=partial(distorted_pixels, strength=0),
    )
    cnn = make_training(settings, classes, len(batches), machine.device)
    mlp = DigitMLP(classes=classes).to(machine.device)
    adam = without_compiler(torch.optim.Adam)(mlp.parameters(), lr=0.002)
    trainings = {
        "small CNN": cnn,
        "MLP": Training(mlp, adam, make_schedule("linear", adam, len(batches))),
    }
    networks = {"attacked": attacked}
    if shipped:
        networks["shipped"] = load_model(DIGITS)[0].to(machine.device)
    for name, training in trainings.items():
        for _ in fit(training, batches, loss_fn=F.cross_entropy, epochs=1, machine=machine):
            pass
        networks[name] = training.model.eval()
    return networks
