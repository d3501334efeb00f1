"""The machine that small trainings and predictions run on: one thread of the processor."""

from dlproj.training.device import choose_machine

MACHINE = choose_machine("cpu", "fp32", 1)
