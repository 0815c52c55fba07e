"""What is free on a GPU, and arithmetic as the reference has it; torch's answers are made up."""

from __future__ import annotations

import pytest

from harness.base.accelerator import free_bytes, named

torch = pytest.importorskip("torch")
GPU = torch.device("cuda", 0)


def test_memory_that_torch_keeps_for_new_tensors_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {
        "mem_get_info": (1_000, 9_000),
        "memory_reserved": 50_000,
        "memory_allocated": 2_000,
    }
    for name, answer in answers.items():
        monkeypatch.setattr(torch.cuda, name, lambda _, answer=answer: answer)
    assert free_bytes(GPU) == 49_000
    assert free_bytes(torch.device("cpu")) is None


def test_a_second_run_of_a_process_keeps_its_pixels_on_the_gpu(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from harness.training import pixels

    # After the first run the driver has little left, and torch has the first run's memory.
    answers = {"mem_get_info": (500, 80_000), "memory_reserved": 70_000, "memory_allocated": 0}
    for name, answer in answers.items():
        monkeypatch.setattr(torch.cuda, name, lambda _, answer=answer: answer)
    assert pixels._place(30_000, GPU) == "resident"
    assert pixels._place(40_000, GPU) == "streamed"


def test_the_cpu_has_no_name_as_an_accelerator() -> None:
    assert named(torch.device("cpu")) is None
    assert named(GPU) == "cuda:0" and named(torch.device("cuda")) == "cuda"
