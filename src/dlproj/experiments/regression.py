"""Task 2: a small network learns a curve."""

from collections.abc import Iterator

import torch
import torch.nn.functional as F

from dlproj.data.batches import ShuffledBatches
from dlproj.data.regression import Curve, Points, check_single_precision, load_curve
from dlproj.models.regression import CurveMLP
from dlproj.running.context import Context, Outcome
from dlproj.running.training import train
from dlproj.settings import RegressionConfig
from dlproj.store.weights import pack_model
from dlproj.training.device import Machine
from dlproj.training.least_squares import LevenbergMarquardt, fit_least_squares
from dlproj.training.loop import Step, Training, fit, predict
from dlproj.training.optimizers import make_optimizer, without_compiler
from dlproj.training.schedule import make_schedule


def run(config: RegressionConfig, context: Context) -> Outcome:
    """Train on the training points, then look at the test points once."""
    curve = load_curve(config.function, config.data, config.dialect)
    context.announce(curve.notes)
    device, dtype = context.machine.device, number_type(config)
    if dtype == torch.float32:
        check_single_precision(curve)
    batches = make_batches(config, curve, device)
    training = make_training(config, curve, device, len(batches))

    def errors(points: Points) -> torch.Tensor:
        points = points.to(device, dtype)
        return predict(training.model, points.x, machine=context.machine) - points.y

    # The steps begin when `train` calls for them: a resumed training is first put where it was.
    train(
        training,
        lambda: steps(config, training, batches, context.machine),
        config,
        context,
        validate=lambda: {"validation_loss": half_mse(errors(curve.validation))},
        unit="points",
    )
    error = errors(curve.test)
    context.run.write("model.safetensors", pack_model(training.model, {}))
    if context.session.plots:
        from dlproj.output.figures import regression as figures  # noqa: PLC0415 - takes a second

        # What was to be said, plus the error, is what the network says.
        figures.draw(context.run, curve, (curve.test.y + error.cpu())[:, 0].numpy())
    return Outcome(
        metrics={
            "test_loss": half_mse(error),
            "test_mse": 2 * half_mse(error),
            "max_abs_error": error.abs().max().item(),
            "validation_loss": half_mse(errors(curve.validation)),
            "parameters": sum(weights.numel() for weights in training.model.parameters()),
        },
        timing={"train_seconds": training.seconds},
        remarks=curve.notes.remarks,
    )


def number_type(config: RegressionConfig) -> torch.dtype:
    """Double precision for Levenberg-Marquardt, else single."""
    return torch.float64 if config.optimizer == "lm" else torch.float32


def make_batches(config: RegressionConfig, curve: Curve, device: torch.device) -> ShuffledBatches:
    """The training points."""
    points = curve.train.to(device, number_type(config))
    return ShuffledBatches(points.x, points.y, batch_size=config.batch_size, seed=config.seed)


def steps(
    config: RegressionConfig, training: Training, batches: ShuffledBatches, machine: Machine
) -> Iterator[Step]:
    """The steps of a training, from wherever it stands to the end."""
    if config.optimizer == "lm":
        # All points at once, and so no batches.
        return fit_least_squares(training, batches.inputs, batches.targets, epochs=config.epochs)
    return fit(training, batches, loss_fn=F.mse_loss, epochs=config.epochs, machine=machine)


def make_training(
    config: RegressionConfig, curve: Curve, device: torch.device, steps_per_epoch: int
) -> Training:
    """The network with fresh weights, the optimiser and its schedule.

    The user's own points are brought to mean 0 and deviation 1 inside the network. Of a named
    function, only Levenberg-Marquardt has the input brought there, and nothing the output: the
    report's network takes both as they are.
    """
    torch.manual_seed(config.seed)
    x, y = curve.train.x, curve.train.y
    scaling = {}
    if config.data is not None or config.optimizer == "lm":
        scaling = {"x_mean": x.mean().item(), "x_scale": x.std().item()}
    if config.data is not None:
        # A constant curve deviates by 0, by which nothing can be divided.
        scaling |= {"y_mean": y.mean().item(), "y_scale": y.std().item() or 1.0}
    model = CurveMLP(activation=config.activation, **scaling).to(device, number_type(config))
    if config.optimizer == "lm":
        # It chooses each step's length itself, so that there is no rate to schedule.
        exact = without_compiler(LevenbergMarquardt)(model.parameters(), model)
        return Training(model, exact, make_schedule("constant", exact, config.epochs))
    optimizer = make_optimizer(
        config.optimizer,
        model,
        lr=config.lr,
        momentum=config.momentum,
        weight_decay=config.weight_decay,
        beta2=config.beta2,
        fused=True,
    )
    schedule = make_schedule(config.schedule, optimizer, config.epochs * steps_per_epoch)
    return Training(model, optimizer, schedule)


def half_mse(error: torch.Tensor) -> float:
    """Half the mean squared error: how the course scores."""
    return error.double().square().mean().item() / 2
