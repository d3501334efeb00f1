"""What the training runs on: device, precision and threads, decided once."""

import ctypes
import dataclasses
import os
import platform
from typing import Any

import torch

from dlproj.errors import DlprojError
from dlproj.training.parallel import Group

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h


@dataclasses.dataclass(frozen=True)
class Machine:
    """A device and the precision of its matrix products."""

    device: torch.device
    precision: str  # "fp32", "bf16" or "fp16"
    threads: int
    group: Group = dataclasses.field(default_factory=Group)

    @property
    def room(self) -> int:
        """How many trainings may run here at once."""
        if self.group.size > 1 or self.device.type != "cpu":
            return 1
        return max(1, _cores() // self.threads)

    def autocast(self) -> torch.autocast:
        """Matrix products in 16 bits where that is the precision; elsewhere a no-op."""
        # fp16 has ten bits behind the point and a narrow range; bf16 seven, and the range of fp32.
        dtype = torch.float16 if self.precision == "fp16" else torch.bfloat16
        return torch.autocast(self.device.type, dtype, self.precision != "fp32")

    def describe(self) -> dict[str, Any]:
        """The `environment` of a result."""
        name = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else "cpu"
        return {
            "torch": torch.__version__,
            "python": platform.python_version(),
            "device": str(self.device),
            "device_name": name,
            "threads": self.threads,
            "processes": self.group.size,
            "precision": self.precision,
            "platform": platform.platform(),
        }


def choose_machine(
    device: str = "auto",
    precision: str = "auto",
    threads: int = 0,
    group: Group | None = None,
    *,
    trainings: int = 1,
) -> Machine:
    """Take the machine that the settings ask for, and set torch's thread count.

    Without a number of threads, the processes of a group that are on this machine share its cores,
    and so do the trainings of a study: as many threads for each as if all of them ran at once.
    That number depends on nothing else, because the last bits of a result depend on it.

    Raises:
        DlprojError: the device is not there.
    """
    chosen = _device(device)
    if precision == "auto":
        precision = "bf16" if _computes_bf16(chosen) else "fp32"
    if group and group.size > 1:  # whose trainings run one after the other
        trainings = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    torch.set_num_threads(threads or max(1, _cores() // trainings))
    _keep_freed_memory()
    return Machine(chosen, precision, torch.get_num_threads(), group or Group())


def _device(name: str) -> torch.device:
    present = {"cpu"}
    present |= {f"cuda:{i}" for i in range(torch.cuda.device_count())}
    present |= {"mps"} if torch.backends.mps.is_available() else set()
    if name == "auto":
        name = next(kind for kind in ("cuda:0", "mps", "cpu") if kind in present)
    if name in {"cuda", "cuda:0"}:  # of several processes on a machine, each has its own
        name = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
    if name not in present:
        raise DlprojError(
            f"--device {name}: not on this machine, which has {', '.join(sorted(present))}"
        )
    return torch.device(name)


def _cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _keep_freed_memory() -> None:
    """Let glibc reuse freed memory instead of giving it back to the system.

    Each step frees and takes the same few large buffers; the system would clear each anew.
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_THRESHOLD, 1 << 30)
        libc.mallopt(M_TRIM_THRESHOLD, 1 << 30)


def _computes_bf16(device: torch.device) -> bool:
    """Whether bf16 runs on instructions of its own; emulated, it is slower than fp32."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type == "cpu":
        features = torch.cpu.get_capabilities()
        return bool(features.get("avx512_bf16") or features.get("amx_bf16"))
    return False
