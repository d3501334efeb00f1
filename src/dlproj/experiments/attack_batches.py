"""The adversarial images of many images, in batches side by side, at one epsilon after another."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from inspect import signature

import torch
from torch import Tensor, nn

from dlproj import attacks
from dlproj.attacks.common import fooled, lengths, per_image
from dlproj.attacks.result import Attacked
from dlproj.data.batches import epoch_generator
from dlproj.running.context import Context
from dlproj.settings import AttackConfig
from dlproj.settings.attack import NEAREST
from dlproj.training.device import Machine
from dlproj.training.loop import predict
from dlproj.training.side_by_side import side_by_side


def attack_in_turn(
    model: nn.Module, images: Tensor, labels: Tensor, config: AttackConfig, context: Context
) -> Iterator[Attacked]:
    """What each epsilon gives; fgsm, and what looks for the smallest change, give all at once."""
    aims = target_classes(model, labels) if config.targeted else labels
    nearest = config.method in NEAREST
    together = nearest or config.method == "fgsm"
    for epsilons in [config.epsilon] if together else [[epsilon] for epsilon in config.epsilon]:
        made = images.new_empty(len(epsilons) + nearest, *images.shape)
        attack = partial(_attack_batch, model, config, epsilons, context.machine)
        splits = [part.split(config.batch_size) for part in (made.transpose(0, 1), images, aims)]
        batches = enumerate(zip(*splits, strict=True))
        jobs = [partial(attack, number, *batch) for number, batch in batches]
        at = f"{epsilons[0]:g}" if len(epsilons) == 1 else f"{len(epsilons)} epsilons"
        started = time.perf_counter()
        done = side_by_side(jobs, context.machine)
        tally: Counter[str] = Counter()
        for part in context.console.count(done, f"batches at {at}", len(jobs)):
            tally.update(part)
        seconds = (time.perf_counter() - started) / len(epsilons)
        distances = None
        if nearest:
            found = made[-1]
            missed = ~fooled(
                predict_all(model, found, config, context), aims, targeted=config.targeted
            )
            distances = lengths(found - images, config.norm).masked_fill(missed, torch.inf)
        for epsilon, moved in zip(epsilons, made[: len(epsilons)], strict=True):
            logits = predict_all(model, moved, config, context)
            yield Attacked(epsilon, moved, logits, seconds, tally, distances)


def _attack_batch(
    model: nn.Module,
    config: AttackConfig,
    epsilons: Sequence[float],
    machine: Machine,
    number: int,
    made: Tensor,
    images: Tensor,
    aims: Tensor,
) -> Counter[str]:
    """Put what becomes of one batch into `made` (batch, epsilons, ...); the tally of attacks.

    What looks for the smallest change puts that, whatever its size, behind the last epsilon.
    """
    tally: Counter[str] = Counter()
    with machine.autocast():
        if config.method == "fgsm":
            moved = attacks.fgsm_sweep(
                model, images, aims, epsilons=epsilons, norm=config.norm, targeted=config.targeted
            )
        elif config.method in NEAREST:
            attack = chosen_attack(config, None, generator=epoch_generator(config.seed, number))
            found = attack(model, images, aims)
            distance = lengths(found - images, config.norm)
            near = [per_image(distance <= epsilon, images) for epsilon in epsilons]
            moved = [*(torch.where(each, found, images) for each in near), found]
        else:
            (epsilon,) = epsilons
            generator = epoch_generator(config.seed, number)
            attack = chosen_attack(config, epsilon, generator=generator, tally=tally)
            moved = [attack(model, images, aims)]
        made[:] = torch.stack(moved, dim=1)
    return tally


def chosen_attack(
    config: AttackConfig,
    epsilon: float | None,
    *,
    generator: torch.Generator,
    tally: Counter[str] | None = None,
) -> Callable[[nn.Module, Tensor, Tensor], Tensor]:
    """The attack that the settings name, as a function of (model, images, labels).

    Without epsilon, one of those that need none.
    """
    method = attacks.METHODS[config.method]
    given = {
        **asdict(config),
        "steps": config.steps or attacks.STEPS.get(config.method, 10),
        "queries": config.queries or attacks.QUERIES.get(config.method, 1000),
        "generator": generator,
        "tally": tally,
    }
    given.pop("epsilon")
    if epsilon is not None:
        given["epsilon"] = epsilon
    wanted = signature(method).parameters
    options = {name: value for name, value in given.items() if name in wanted and name != "model"}
    return lambda model, images, labels: method(model, images, labels, **options)


def target_classes(model: nn.Module, labels: Tensor) -> Tensor:
    """What a targeted attack aims at: the class after the true one, round the circle."""
    with torch.no_grad():
        classes = model(torch.zeros(1, 1, 28, 28, device=labels.device)).shape[1]
    return (labels + 1) % classes


def predict_all(model: nn.Module, images: Tensor, config: AttackConfig, context: Context) -> Tensor:
    """Logits (n, classes), in batches of the attack's size."""
    return predict(model, images, machine=context.machine, batch_size=config.batch_size)
