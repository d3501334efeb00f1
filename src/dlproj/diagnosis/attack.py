"""Why do adversarial examples exist? Measurements beside what the report says of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from dlproj.attacks.common import margin, per_image, project
from dlproj.attacks.flatness import untold
from dlproj.attacks.frozen import frozen
from dlproj.diagnosis.attack_claims import claims
from dlproj.diagnosis.likeness import nearest_vote, similarity
from dlproj.training.device import Machine
from dlproj.training.loop import accuracy, predict

IMAGES = 1000  # that are measured
RADII = 14  # of spatial frequency, in cycles per image, up to what 28 pixels can hold

Attack = Callable[[nn.Module, Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Subject:
    """A network with images (n, 1, 28, 28), labels (n,) and adversarial images for it."""

    model: nn.Module
    images: Tensor
    labels: Tensor
    adversarial: Tensor
    epsilon: float
    norm: str
    machine: Machine

    def accuracy(self, images: Tensor) -> float:
        """Of the network on these images, whose labels are the same."""
        return accuracy(predict(self.model, images, machine=self.machine), self.labels)


def diagnose(
    subject: Subject,
    attack: Attack,
    networks: dict[str, nn.Module],
    known: tuple[Tensor, Tensor],
    *,
    seed: int,
) -> dict[str, Any]:
    """All measurements at one epsilon, and what they say of the report's explanations.

    Args:
        subject: the network, the images, and what the attack made of them.
        attack: that attack, to make images for other networks.
        networks: those others, by name; the first is the subject's own.
        known: training images (m, 1, 28, 28) and their labels (m,), for a reader by neighbours.
        seed: of the noise that is compared with the attack.
    """
    noise = sign_noise(subject, seed)
    measured = {
        "epsilon": subject.epsilon,
        "images": len(subject.labels),
        "accuracy": {
            "clean": subject.accuracy(subject.images),
            "noise": subject.accuracy(noise),
            "adversarial": subject.accuracy(subject.adversarial),
        },
        "spectrum": spectra(subject, noise),
        "filters": filter_accuracies(subject),
        "halves": equal_halves(subject),
        "transfer": transfer(subject, attack, networks),
        "margins": margins(subject, noise),
        "likeness": likeness(subject, networks, known),
    }
    return measured | {"claims": claims([measured])}


def sign_noise(subject: Subject, seed: int) -> Tensor:
    """Images with random signs added, as large as the attack's: in linf, epsilon at each pixel."""
    generator = torch.Generator().manual_seed(seed)
    signs = 2 * torch.randint(2, subject.images.shape, generator=generator).float() - 1
    signs = signs.to(subject.images.device)
    if subject.norm == "l2":
        signs /= signs[0].numel() ** 0.5
    return project(
        subject.images + subject.epsilon * signs, subject.images, subject.epsilon, subject.norm
    )


def spectra(subject: Subject, noise: Tensor) -> dict[str, Any]:
    """Share of energy at each radial frequency 1..14, without the mean, and its mean frequency."""
    kinds = {
        "digits": subject.images,
        "perturbations": subject.adversarial - subject.images,
        "noise": noise - subject.images,
    }
    shares = {name: radial_energy(pictures) for name, pictures in kinds.items()}
    frequencies = torch.arange(1, RADII + 1, dtype=torch.float64)
    return {
        "energy": {name: share.tolist() for name, share in shares.items()},
        "mean_frequency": {name: float(share @ frequencies) for name, share in shares.items()},
    }


def radial_energy(pictures: Tensor) -> Tensor:
    """Share of the energy (14,) of (n, 1, 28, 28) at frequencies rounded to 1..14.

    The corners of the square of frequencies, beyond 14, count as 14.
    """
    energy = torch.fft.fft2(pictures[:, 0].double().cpu()).abs().square().sum(0)
    radius = radii().round().clamp(max=RADII).long()
    total = torch.zeros(RADII + 1, dtype=torch.float64)
    total.index_add_(0, radius.flatten(), energy.flatten())
    return total[1:] / total[1:].sum().clamp(min=1e-30)


def radii(side: int = 28) -> Tensor:
    """Frequency of each entry of a Fourier transform, in cycles per image: (28, 28)."""
    cycles = torch.fft.fftfreq(side, dtype=torch.float64) * side
    return (cycles[:, None] ** 2 + cycles[None, :] ** 2).sqrt()


def low_pass(pictures: Tensor, radius: float) -> Tensor:
    """Pictures (n, 1, 28, 28) of what they hold at frequencies up to `radius`, mean included."""
    mask = (radii() <= radius).to(pictures.device)
    return torch.fft.ifft2(torch.fft.fft2(pictures) * mask).real.to(pictures.dtype)


def filter_accuracies(subject: Subject) -> dict[str, Any]:
    """Accuracy after filters at each radius; a high-pass keeps the mean, so brightness stays."""
    accuracies: dict[str, list[float]] = {
        f"{kind}_{band}": [] for kind in ("clean", "adversarial") for band in ("low", "high")
    }
    for radius in range(1, RADII + 1):
        for kind, pictures in (("clean", subject.images), ("adversarial", subject.adversarial)):
            low = low_pass(pictures, radius)
            high = pictures - low + pictures.mean((1, 2, 3), keepdim=True)
            accuracies[f"{kind}_low"].append(subject.accuracy(low.clamp(0, 1)))
            accuracies[f"{kind}_high"].append(subject.accuracy(high.clamp(0, 1)))
    return {"radius": list(range(1, RADII + 1)), **accuracies}


def equal_halves(subject: Subject) -> dict[str, Any]:
    """Accuracy when one half alone of each perturbation is added: its low frequencies or its high.

    The border is the radius that comes nearest to parting the energy in two, and both halves are
    stretched to the length of the whole perturbation, so that they differ in frequency alone.
    """
    change = subject.adversarial - subject.images
    length = change.flatten(1).norm(dim=1)
    total = length.square().sum().clamp(min=1e-30)
    shares = {
        radius: float(low_pass(change, radius).square().sum() / total)
        for radius in range(1, RADII + 1)
    }
    radius = min(shares, key=lambda radius: abs(shares[radius] - 0.5))
    low = low_pass(change, radius)
    scores = {}
    for name, part in (("low", low), ("high", change - low)):
        stretch = length / part.flatten(1).norm(dim=1).clamp(min=1e-12)
        moved = subject.images + per_image(stretch, part) * part
        scores[f"{name}_accuracy"] = subject.accuracy(moved.clamp(0, 1))
    return {"radius": radius, "low_share": shares[radius], **scores}


def transfer(subject: Subject, attack: Attack, networks: dict[str, nn.Module]) -> dict[str, Any]:
    """Share of the images that a network reads rightly and then misreads: (made for, shown to)."""
    names, images, labels = list(networks), subject.images, subject.labels
    right = {}
    made = {"attacked": subject.adversarial}
    for name, model in networks.items():
        with frozen(model), torch.no_grad():
            right[name] = model(images).argmax(1) == labels
        if name not in made:
            with untold():
                parts = [
                    attack(model, batch, aims)
                    for batch, aims in zip(images.split(250), labels.split(250), strict=True)
                ]
            made[name] = torch.cat(parts)
    success = []
    for source in names:
        row = []
        for target in names:
            with frozen(networks[target]), torch.no_grad():
                wrong = networks[target](made[source]).argmax(1) != labels
            hit = (wrong & right[target]).sum() / right[target].sum().clamp(min=1)
            row.append(hit.item())
        success.append(row)
    return {
        "networks": names,
        "clean_accuracy": [right[name].double().mean().item() for name in names],
        "success": success,
    }


def margins(subject: Subject, noise: Tensor) -> dict[str, Any]:
    """By how much the true class leads the next, before and after."""
    kinds = {"clean": subject.images, "noise": noise, "adversarial": subject.adversarial}
    leads = {
        name: margin(predict(subject.model, images, machine=subject.machine), subject.labels)
        .double()
        .cpu()
        for name, images in kinds.items()
    }
    quantiles = torch.tensor([0.05, 0.25, 0.5, 0.75, 0.95], dtype=torch.float64)
    return {
        "quantiles": quantiles.tolist(),
        **{name: lead.quantile(quantiles).tolist() for name, lead in leads.items()},
        "mean": {name: lead.mean().item() for name, lead in leads.items()},
    }


def likeness(
    subject: Subject, networks: dict[str, nn.Module], known: tuple[Tensor, Tensor]
) -> dict[str, float]:
    """How alike images and adversarial images are, and how often others read the true digit.

    `similarity` is their mean SSIM; `neighbours_clean` and `neighbours` are the accuracies of a
    vote of the three nearest training images, before and after; `others_clean` and `others` are
    the mean accuracies of the networks that were not attacked.
    """
    pairs = {"_clean": subject.images, "": subject.adversarial}
    found = {"similarity": similarity(subject.images, subject.adversarial).mean().item()}
    for suffix, images in pairs.items():
        votes = nearest_vote(images, *known)
        found[f"neighbours{suffix}"] = (votes == subject.labels).double().mean().item()
        others = [
            accuracy(predict(model, images, machine=subject.machine), subject.labels)
            for model in [*networks.values()][1:]
        ]
        found[f"others{suffix}"] = sum(others) / max(1, len(others))
    return found
