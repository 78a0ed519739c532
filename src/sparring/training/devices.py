"""Devices: choice, properties and threads."""

import os
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from sparring.errors import SparringError
from sparring.recipe import Machine

MIN_VALUES_FOR_THREADS = 32_768
"""Values in a batch (64 images of 8 × 8 have 4,096) from which several threads are faster than one."""


def pick(wanted: str | torch.device | None = None) -> torch.device:
    """Return the device asked for, or the best there is: cuda, then mps, then cpu.

    Raises:
        SparringError: the device asked for is not here.
    """
    if wanted is None:
        wanted = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    wanted = str(wanted) if isinstance(wanted, torch.device) else wanted
    if not isinstance(wanted, str) or not re.fullmatch(r"cpu|mps|cuda(:[0-9]{1,3})?", wanted):
        raise _no_device(wanted, "")
    # Under torchrun each process has a GPU of its own.
    if wanted.startswith("cuda") and "LOCAL_RANK" in os.environ:
        wanted = f"cuda:{os.environ['LOCAL_RANK']}"
    # A device is here if a tensor can be made on it.
    try:
        device = torch.device(wanted)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise _no_device(wanted, f" ({next(iter(str(error).splitlines()), '')[:100]})") from None
    return device


def describe(device: torch.device) -> Machine:
    """Return the properties of a device that recipes adapt to."""
    memory = torch.cuda.get_device_properties(device).total_memory if device.type == "cuda" else main_memory()
    return Machine(device.type, memory, os.cpu_count() or 1, gains_from_bfloat16(device))


def gains_from_bfloat16(device: torch.device) -> bool:
    """Return whether convolutions run faster in bfloat16: on recent GPUs, and on processors with its instructions."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "cpu" and platform.machine().lower() in ("x86_64", "amd64"):
        return bool(torch.backends.cpu.get_cpu_capability().startswith("AVX512")) and _processor_has("avx512_bf16")
    return False


def threads_for(device: torch.device, values: int) -> int:
    """Return the threads to compute on: one if a batch has few values, unless OMP_NUM_THREADS is set.

    Threads wait for one another after every operation. For small operations that costs more than it gains, and a
    hundred times more when another program uses one of the cores.
    """
    small = device.type == "cpu" and values < MIN_VALUES_FOR_THREADS and "OMP_NUM_THREADS" not in os.environ
    return 1 if small else torch.get_num_threads()


@contextmanager
def computing_on(threads: int) -> Iterator[None]:
    """Compute on a number of threads while the body runs: sums over several run in another order, to other bits."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that memory ran out, on any device."""
    words = ("can't allocate memory", "out of memory", "not enough memory")
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and any(word in str(error) for word in words)
    )


def _no_device(wanted: object, reason: str) -> SparringError:
    return SparringError(
        found=f"no device {wanted!r}{reason}",
        expected="cpu, cuda, cuda:1 or mps, as `sparring doctor` lists them",
        remedy="choose another device, or none, so that the best is taken",
    )


def _processor_has(flag: str) -> bool:
    information = Path("/proc/cpuinfo")
    return information.exists() and flag in information.read_text(errors="replace")


def main_memory() -> int:
    """Return the bytes of main memory; 8 GiB where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 8 * 1024**3
