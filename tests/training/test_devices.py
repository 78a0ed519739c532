"""Choice of the device and of the number of threads, and recognition of out-of-memory errors."""

import os
import platform

import pytest
import torch

from sparring.errors import SparringError
from sparring.training import devices

CPU = torch.device("cpu")


def test_an_unavailable_device_is_refused_in_one_sentence() -> None:
    for wanted in ("cuda:99", "cuda:9999999999", "toaster", "meta", "xpu", "cpu:1", ""):
        with pytest.raises(SparringError, match=f"no device '{wanted}'.*another device"):
            devices.pick(wanted)
    with pytest.raises(SparringError, match="no device 3, but"):
        devices.pick(3)  # type: ignore[arg-type]


def test_a_rank_without_a_gpu_of_its_own_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_RANK", "99")
    with pytest.raises(SparringError, match="no device 'cuda:99'"):
        devices.pick("cuda:0")


def test_pick_falls_back_to_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    assert devices.pick("cpu") == devices.pick(CPU) == CPU
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert devices.pick() == CPU


def test_describe_reports_this_machine() -> None:
    machine = devices.describe(CPU)
    assert machine.device == "cpu" and machine.cores == os.cpu_count() and machine.memory > 2**28


@pytest.mark.parametrize(
    ("processor", "capability", "flag", "gains"),
    [
        ("x86_64", "AVX512", True, True),
        ("x86_64", "AVX512", False, False),
        ("x86_64", "AVX2", True, False),
        ("arm64", "DEFAULT", True, False),
    ],
)
def test_bfloat16_needs_a_processor_with_its_instructions(
    processor: str, capability: str, flag: bool, gains: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: processor)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    monkeypatch.setattr(devices, "_processor_has", lambda name: flag and name == "avx512_bf16")
    assert devices.gains_from_bfloat16(CPU) is gains


@pytest.mark.parametrize(
    ("values", "variable", "threads"),
    [(devices.MIN_VALUES_FOR_THREADS - 1, None, 1), (devices.MIN_VALUES_FOR_THREADS, None, 2), (1, "2", 2)],
)
def test_small_batches_run_on_one_thread_unless_omp_num_threads_is_set(
    values: int, variable: str | None, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if variable:
        monkeypatch.setenv("OMP_NUM_THREADS", variable)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert devices.threads_for(CPU, values) == threads
    finally:
        torch.set_num_threads(before)


def test_the_number_of_threads_is_restored_after_an_error() -> None:
    before = torch.get_num_threads()
    with pytest.raises(KeyError), devices.computing_on(before + 1):
        assert torch.get_num_threads() == before + 1
        raise KeyError
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    ("error", "is_memory"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory."), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 80 bytes"), True),
        (RuntimeError("MPS backend out of memory"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_out_of_memory_errors_are_recognised(error: Exception, is_memory: bool) -> None:
    assert devices.out_of_memory(error) is is_memory
