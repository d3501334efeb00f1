"""Work in pieces that need nothing of each other, shared out among the cores."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

from dlproj.training.device import Machine

T = TypeVar("T")


def side_by_side(jobs: Sequence[Callable[[], T]], machine: Machine) -> Iterator[T]:
    """The results of the jobs, in their order; on CPUs as many jobs at once as there are threads.

    Two batches on a core each are done sooner than one after the other on both: no core waits for
    the other after every layer. What a job computes does not depend on what runs beside it.
    """
    workers = min(len(jobs), machine.threads) if machine.device.type == "cpu" else 1
    if workers <= 1:
        yield from (job() for job in jobs)
        return
    # Each worker would start as many threads of torch as there are cores.
    share = machine.threads // workers
    try:
        with ThreadPoolExecutor(workers, "job", torch.set_num_threads, (share,)) as pool:
            yield from pool.map(lambda job: job(), jobs)
    finally:
        torch.set_num_threads(machine.threads)  # which torch keeps in part for all threads
