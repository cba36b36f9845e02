"""An error is a sentence, the next step and an exit code."""

import pytest

from xrgan.errors import XrganError, is_out_of_memory


def test_it_reads_as_the_sentence_and_the_next_step() -> None:
    error = XrganError("There is no run runs/a.", "`xrgan runs` lists the runs.")
    assert str(error) == "There is no run runs/a. `xrgan runs` lists the runs."
    assert (error.message, error.hint) == ("There is no run runs/a.", "`xrgan runs` lists the runs.")


def test_without_a_next_step_it_is_the_sentence_alone() -> None:
    assert str(XrganError("The disk is full.")) == "The disk is full."


def test_it_ends_with_1_unless_the_command_line_itself_is_wrong() -> None:
    assert XrganError("a").exit_code == 1
    assert XrganError("a", exit_code=2).exit_code == 2


@pytest.mark.parametrize(
    "said",
    [
        "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 4.00 GiB …",
        "HIP out of memory. Tried to allocate 2.00 GiB …",
        "MPS backend out of memory (MPS allocated: 9.05 GB, max allowed: 9.07 GB). Tried to allocate 25 MB …",
        "CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported …",
        "GET was unable to find an engine to execute this computation",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
        "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
        "[enforce fail at alloc_cpu.cpp:117] . DefaultCPUAllocator: can't allocate memory: you tried …",
    ],
)
def test_memory_that_is_used_up_is_known_by_what_the_libraries_say(said: str) -> None:
    assert is_out_of_memory(RuntimeError(said))
    assert not is_out_of_memory(ValueError(said))


def test_only_memory_is_taken_for_memory() -> None:
    assert is_out_of_memory(MemoryError())
    for said in ("shapes differ", "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED", "CUDA error: no kernel image"):
        assert not is_out_of_memory(RuntimeError(said))
