"""What each command finds, a file each: the keys of `metrics` and `timing`, and their types.

A number that is measured once a training is a float, and after `--seeds N` a `Summary`. What is
`NotRequired` is there with some settings alone.
"""

from dlproj.results.attack import AttackMetrics, AttackTiming
from dlproj.results.base import Explanation, Scalar, Summary
from dlproj.results.batchnorm import BatchnormMetrics, BatchnormTiming
from dlproj.results.digits import DigitsMetrics, DigitsTiming
from dlproj.results.langid import LangidMetrics, LangidTiming
from dlproj.results.regression import RegressionMetrics, RegressionTiming
from dlproj.results.sweep import SweepMetrics, SweepTiming

__all__ = [
    "AttackMetrics",
    "AttackTiming",
    "BatchnormMetrics",
    "BatchnormTiming",
    "DigitsMetrics",
    "DigitsTiming",
    "Explanation",
    "LangidMetrics",
    "LangidTiming",
    "RegressionMetrics",
    "RegressionTiming",
    "Scalar",
    "Summary",
    "SweepMetrics",
    "SweepTiming",
]
