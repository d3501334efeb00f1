"""The settings of each command, a file each: the one home of every default, range and recipe."""

from dlproj.settings.attack import AttackConfig
from dlproj.settings.base import DEVICES, Config, Seeds, TrainingConfig, check_device
from dlproj.settings.batchnorm import BatchnormConfig
from dlproj.settings.digits import DigitsConfig
from dlproj.settings.langid import LangidConfig
from dlproj.settings.regression import RegressionConfig

__all__ = [
    "DEVICES",
    "AttackConfig",
    "BatchnormConfig",
    "Config",
    "DigitsConfig",
    "LangidConfig",
    "RegressionConfig",
    "Seeds",
    "TrainingConfig",
    "check_device",
]
