"""The adversarial images of many images, in batches side by side, at one epsilon after another."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from inspect import signature

import torch
from torch import Tensor, nn

from dlproj import attacks
from dlproj.attacks.common import fooled, lengths, per_image
from dlproj.attacks.flatness import FirstLook, untold
from dlproj.attacks.result import AsTheyAre, Attacked
from dlproj.data.batches import epoch_generator
from dlproj.running.context import Context
from dlproj.settings import AttackConfig
from dlproj.settings.attack import NEAREST
from dlproj.training.loop import predict
from dlproj.training.side_by_side import side_by_side

Attack = Callable[[nn.Module, Tensor, Tensor], Tensor]


def attack_in_turn(
    model: nn.Module, images: Tensor, labels: Tensor, config: AttackConfig, context: Context
) -> tuple[AsTheyAre, Iterator[Attacked]]:
    """What the network makes of the images as they are, and what each epsilon gives.

    A targeted attack aims at the class after the true one, round the circle.
    """
    aims = (labels + 1) % count_classes(model, images) if config.targeted else labels
    batches = _Batches(model, images, aims, config, context)
    if config.method == "fgsm":
        return _by_one_gradient(batches)
    turns = _by_smallest_change if config.method in NEAREST else _each_anew
    return AsTheyAre(batches.logits(images)), turns(batches)


@dataclass(frozen=True)
class _Batches:
    """What is attacked, a batch on each core."""

    model: nn.Module
    images: Tensor  # (n, 1, 28, 28)
    aims: Tensor  # (n,) the labels, or the classes to be seen
    config: AttackConfig
    context: Context

    def attack(
        self, attack_of: Callable[..., Attack], made: Tensor, at: str
    ) -> tuple[float, Counter[str]]:
        """Fill `made` (..., n, 1, 28, 28) with what attacks make of the images (n, 1, 28, 28).

        Args:
            attack_of: the attack on a batch, by its number and the tally that it fills.
            made: one image, or several, for each of the images.
            at: which epsilons, for those who watch.

        Returns:
            The seconds that it took, and the tally of all batches.
        """
        # Counted from the end: what is made at several epsilons has an axis more in front.
        size, across = self.config.batch_size, -self.images.ndim
        splits = made.split(size, across), self.images.split(size), self.aims.split(size)
        jobs = [
            partial(self._attack_batch, attack_of, number, *batch)
            for number, batch in enumerate(zip(*splits, strict=True))
        ]
        started = time.perf_counter()
        done = side_by_side(jobs, self.context.machine)
        tally: Counter[str] = Counter()
        for part in self.context.console.count(done, f"batches at {at}", len(jobs)):
            tally.update(part)
        return time.perf_counter() - started, tally

    def _attack_batch(
        self,
        attack_of: Callable[..., Attack],
        number: int,
        made: Tensor,
        images: Tensor,
        aims: Tensor,
    ) -> Counter[str]:
        tally = Counter[str]()
        with self.context.machine.autocast(), untold():
            made[:] = attack_of(number, tally)(self.model, images, aims)
        return tally

    def logits(self, images: Tensor) -> Tensor:
        """(n, classes) of images (n, 1, 28, 28)."""
        machine, size = self.context.machine, self.config.batch_size
        return predict(self.model, images, machine=machine, batch_size=size)


def _each_anew(batches: _Batches) -> Iterator[Attacked]:
    """An attack of its own at each epsilon."""
    for epsilon in batches.config.epsilon:
        moved = torch.empty_like(batches.images)
        attack_of = partial(chosen_attack, batches.config, epsilon)
        seconds, tally = batches.attack(attack_of, moved, f"{epsilon:g}")
        yield Attacked(epsilon, moved, batches.logits(moved), seconds, tally)


def _by_one_gradient(batches: _Batches) -> tuple[AsTheyAre, Iterator[Attacked]]:
    """FGSM, whose gradient is that of the images themselves, and so the same at each epsilon.

    On the way to the gradient the network reads the images: they take no second look.
    """
    config, images = batches.config, batches.images
    heard: dict[int, _Listener] = {}  # by the number of the batch

    def attack_of(number: int, _: Counter[str]) -> Attack:
        def attack(model: nn.Module, batch: Tensor, aims: Tensor) -> Tensor:
            heard[number] = _Listener(model)
            return attacks.fgsm_sweep(
                heard[number],
                batch,
                aims,
                epsilons=config.epsilon,
                norm=config.norm,
                targeted=config.targeted,
            )

        return attack

    made = images.new_empty(len(config.epsilon), *images.shape)
    seconds, tally = batches.attack(attack_of, made, "all epsilons")
    turns = (
        Attacked(epsilon, moved, batches.logits(moved), seconds / len(made), tally)
        for epsilon, moved in zip(config.epsilon, made, strict=True)
    )
    looks = [heard[number].look for number in range(len(heard))]
    logits = torch.cat([look.logits for look in looks]).float()
    # The gradient is that of the mean over a batch.
    steepest = torch.cat([len(look.steepest) * look.steepest for look in looks])
    return AsTheyAre(logits, steepest), turns


class _Listener(nn.Module):
    """A network that keeps what it said, and the gradient that was then asked for."""

    look: FirstLook

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        """What the network says."""
        logits: Tensor = self.model(images)
        self.look = FirstLook(images, logits)
        return logits


def _by_smallest_change(batches: _Batches) -> Iterator[Attacked]:
    """An attack that looks for the smallest change of each image: one, whatever epsilon.

    At an epsilon there is that change where it is no larger, and else none.
    """
    config, images = batches.config, batches.images
    found = torch.empty_like(images)
    attack_of = partial(chosen_attack, config, None)
    seconds, tally = batches.attack(attack_of, found, "all epsilons")
    distance = lengths(found - images, config.norm)
    fools = fooled(batches.logits(found), batches.aims, targeted=config.targeted)
    smallest = distance.masked_fill(~fools, torch.inf)
    for epsilon in config.epsilon:
        moved = torch.where(per_image(distance <= epsilon, images), found, images)
        logits = batches.logits(moved)
        yield Attacked(epsilon, moved, logits, seconds / len(config.epsilon), tally, smallest)


def chosen_attack(
    config: AttackConfig,
    epsilon: float | None,
    number: int | None = None,
    tally: Counter[str] | None = None,
) -> Attack:
    """The attack that the settings name, as a function of (model, images, labels).

    Args:
        config: the settings.
        epsilon: none for an attack that needs none.
        number: of the batch. What is drawn for it does not depend on which batch is done first.
        tally: counts which part of several attacks was the first to fool an image.
    """
    method = attacks.METHODS[config.method]
    given = {
        **asdict(config),
        "steps": config.steps or attacks.STEPS.get(config.method, 10),
        "queries": config.queries or attacks.QUERIES.get(config.method, 1000),
        "generator": epoch_generator(config.seed, *([] if number is None else [number])),
        "tally": tally,
    }
    given.pop("epsilon")
    if epsilon is not None:
        given["epsilon"] = epsilon
    wanted = signature(method).parameters
    options = {name: value for name, value in given.items() if name in wanted and name != "model"}
    return lambda model, images, labels: method(model, images, labels, **options)


@torch.no_grad()
def count_classes(model: nn.Module, images: Tensor) -> int:
    """How many classes a network tells apart."""
    classes: int = model(images[:1]).shape[1]
    return classes
