"""One epoch of the report's network in Keras and in Flax, as their users would write it.

benchmarks/digits.py runs this in a process of its own, where nothing of dlproj is imported:

    python benchmarks/digits_peers.py keras|keras-bf16|flax SEED IMAGES.npz

It prints accuracy and seconds of training as JSON. Compiling is in these seconds.
"""

import json
import os
import sys
import time
from typing import Any

import numpy as np

RATE, MOMENTUM, BATCH = 0.02, 0.92, 64
Images = dict[str, Any]  # "train" and "test" (n, 28, 28, 1), normalised; their "labels"


def read(path: str) -> Images:
    """MNIST as the network takes it."""
    stored = np.load(path)
    found: Images = {}
    for name in ("train", "test"):
        pixels = stored[f"{name}_pictures"][..., None].astype(np.float32) / 255
        found[name] = (pixels - 0.1307) / 0.3081
        found[f"{name}_labels"] = stored[f"{name}_labels"].astype(np.int32)
    return found


def train_keras(images: Images, seed: int, *, bf16: bool) -> tuple[float, float]:
    """Keras 3 on TensorFlow."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import keras  # noqa: PLC0415 - a peer
    from keras import layers  # noqa: PLC0415

    keras.utils.set_random_seed(seed)
    if bf16:
        keras.mixed_precision.set_global_policy("mixed_bfloat16")
    model = keras.Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.Conv2D(16, 3),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Conv2D(32, 3),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(500, activation="relu"),
            layers.Dense(10, dtype="float32"),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(RATE, MOMENTUM), loss, metrics=["accuracy"])
    started = time.perf_counter()
    model.fit(images["train"], images["train_labels"], batch_size=BATCH, epochs=1, verbose=0)
    seconds = time.perf_counter() - started
    _, accuracy = model.evaluate(images["test"], images["test_labels"], batch_size=250, verbose=0)
    return accuracy, seconds


def train_flax(images: Images, seed: int) -> tuple[float, float]:
    """Flax NNX on JAX, with optax."""
    import jax  # noqa: PLC0415 - peers
    import optax  # noqa: PLC0415
    from flax import nnx  # noqa: PLC0415

    class Network(nnx.Module):
        """The report's."""

        def __init__(self, rngs: nnx.Rngs) -> None:
            sizes = ((1, 16), (16, 32), (32, 64))
            self.convs = nnx.List(
                [nnx.Conv(*size, (3, 3), padding="VALID", rngs=rngs) for size in sizes]
            )
            self.norms = nnx.List([nnx.BatchNorm(out, momentum=0.9, rngs=rngs) for _, out in sizes])
            self.hidden = nnx.Linear(1600, 500, rngs=rngs)
            self.output = nnx.Linear(500, 10, rngs=rngs)

        def __call__(self, x: Any) -> Any:
            for number, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
                x = nnx.relu(norm(conv(x)))
                if number:
                    x = nnx.max_pool(x, (2, 2), strides=(2, 2))
            return self.output(nnx.relu(self.hidden(x.reshape(len(x), -1))))

    model = Network(nnx.Rngs(seed))
    optimizer = nnx.Optimizer(model, optax.sgd(RATE, MOMENTUM), wrt=nnx.Param)

    @nnx.jit
    def step(model: Any, optimizer: Any, x: Any, y: Any) -> Any:
        def loss_of(model: Any) -> Any:
            return optax.softmax_cross_entropy_with_integer_labels(model(x), y).mean()

        loss, gradient = nnx.value_and_grad(loss_of)(model)
        optimizer.update(model, gradient)
        return loss

    @nnx.jit
    def read_digits(model: Any, x: Any) -> Any:
        return model(x).argmax(1)

    order = np.random.default_rng(seed).permutation(len(images["train"]))
    model.train()
    started = time.perf_counter()
    for start in range(0, len(order), BATCH):
        rows = order[start : start + BATCH]
        loss = step(model, optimizer, images["train"][rows], images["train_labels"][rows])
    jax.block_until_ready(loss)
    seconds = time.perf_counter() - started
    model.eval()
    read = [
        np.asarray(read_digits(model, images["test"][start : start + 250]))
        for start in range(0, len(images["test"]), 250)
    ]
    return float((np.concatenate(read) == images["test_labels"]).mean()), seconds


def main() -> None:
    """Train the peer that the command line names."""
    name, seed, path = sys.argv[1:]
    images = read(path)
    if name == "flax":
        accuracy, seconds = train_flax(images, int(seed))
    else:
        accuracy, seconds = train_keras(images, int(seed), bf16=name == "keras-bf16")
    print(json.dumps({"accuracy": accuracy, "train": seconds}))


if __name__ == "__main__":
    main()
