"""Jobs on several threads: their results, their errors, and the threads that they get."""

import threading
import time
from dataclasses import replace
from functools import partial

import pytest
import torch

from dlproj.training.side_by_side import side_by_side
from tests.support.machine import MACHINE

CPU = torch.device("cpu")


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_results_come_in_the_order_of_the_jobs(threads: int) -> None:
    def job(number: int) -> int:
        time.sleep(0.02 * (number % 3 == 0))
        return number

    jobs = [partial(job, number) for number in range(10)]
    assert list(side_by_side(jobs, replace(MACHINE, threads=threads))) == list(range(10))
    assert list(side_by_side([], replace(MACHINE, threads=threads))) == []


@pytest.mark.parametrize(("jobs", "threads", "share"), [(1, 4, 4), (2, 4, 2), (9, 4, 1), (2, 1, 1)])
def test_the_jobs_share_the_threads_of_the_machine(jobs: int, threads: int, share: int) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        machine = replace(MACHINE, threads=threads)
        assert set(side_by_side([torch.get_num_threads] * jobs, machine)) == {share}
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


def test_on_a_gpu_one_comes_after_the_other() -> None:
    gpu = replace(MACHINE, threads=4, device=torch.device("cuda"))
    names = side_by_side([lambda: threading.current_thread().name] * 3, gpu)
    assert set(names) == {threading.main_thread().name}
    on_cores = side_by_side([lambda: threading.current_thread().name] * 3, replace(gpu, device=CPU))
    assert all(name.startswith("job") for name in on_cores)


def test_as_many_run_at_once_as_there_are_threads() -> None:
    """None of the two jobs ends before both have begun."""
    meeting = threading.Barrier(2, timeout=10)
    assert sorted(side_by_side([meeting.wait] * 2, replace(MACHINE, threads=2))) == [0, 1]


def test_an_error_ends_all() -> None:
    begun = []

    def job(number: int) -> None:
        begun.append(number)
        time.sleep(0.01)
        if number == 2:
            raise ValueError(number)

    torch.set_num_threads(2)
    with pytest.raises(ValueError, match="2"):
        list(
            side_by_side(
                [partial(job, number) for number in range(50)], replace(MACHINE, threads=2)
            )
        )
    assert len(begun) < 10
    assert torch.get_num_threads() == 2
