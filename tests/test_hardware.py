"""Which device and which precision networks run in, and what is said where a GPU can't be used."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch

from xrgan import hardware
from xrgan.errors import XrganError
from xrgan.hardware import (
    autocast,
    choose_device,
    choose_precision,
    describe,
    is_fast,
    is_supported,
    release_memory,
    repeatable,
    tuned,
    upload,
    versions_of,
)

BUILT_FOR = ["sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120"]  # as PyTorch 2.14 for CUDA 13 is
TOO_OLD = "The NVIDIA driver on your system is too old (found version 11040). Please update your GPU driver …"
Machine = Callable[..., None]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """Make a machine of so many GPUs of one kind; of none, `reason` is what PyTorch says of that."""

    def make(
        gpus: int = 0, capability: tuple[int, int] = (9, 0), mps: bool = False, reason: str = "Found no NVIDIA driver"
    ) -> None:
        def refuse() -> None:
            raise RuntimeError(reason)

        monkeypatch.setattr(torch.version, "cuda", "13.0")
        monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
        monkeypatch.setattr(torch.cuda, "init", refuse)
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "Tesla V100")
        monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: BUILT_FOR)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)

    settings = [(torch.backends.cudnn, name) for name in ("allow_tf32", "deterministic", "benchmark")]
    before = [getattr(*setting) for setting in settings]
    hardware._warn_once.cache_clear()
    yield make
    for (module, name), value in zip(settings, before, strict=True):
        setattr(module, name, value)


def test_auto_is_the_fastest_that_is_available(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    for gpus, mps, device in ((1, True, "cuda"), (0, True, "mps"), (0, False, "cpu")):
        machine(gpus, mps=mps)
        assert choose_device("auto").type == device
    assert capsys.readouterr() == ("", "")


def test_a_device_that_is_missing_is_one_sentence(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine()
    for device in ("cuda", "mps"):
        with pytest.raises(XrganError, match=rf"no {device} device.*--device auto"):
            choose_device(device)
    monkeypatch.setattr(torch.version, "cuda", None)
    with pytest.raises(XrganError, match="no cuda device"):
        choose_device("cuda")
    assert choose_device("cpu").type == "cpu"


def test_a_driver_that_is_too_old_is_said_and_auto_does_not_fall_back_in_silence(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine(reason=TOO_OLD)
    with pytest.raises(XrganError, match="driver of this machine's GPU is too old.*Update the driver.*cu126"):
        choose_device("cuda")
    assert choose_device("auto").type == "cpu"
    said = " ".join(capsys.readouterr().err.split())
    assert "Computing on the CPU: the driver of this machine's GPU is too old" in said and "Update the driver" in said
    choose_device("auto")
    assert capsys.readouterr().err == "", "once is enough"


def test_a_card_that_is_too_old_is_named(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine(1, capability=(7, 0))
    with pytest.raises(XrganError, match="built for other GPUs than this Tesla V100.*cu126"):
        choose_device("cuda")
    assert choose_device("auto").type == "cpu"
    assert "Tesla V100" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("capability", "built_for", "runs"),
    [
        *(((7, 0), BUILT_FOR, False), ((6, 1), BUILT_FOR, False), ((7, 5), BUILT_FOR, True)),
        *(((8, 9), BUILT_FOR, True), ((8, 7), ["sm_90"], False), ((9, 0), ["sm_80"], False)),
        *(((13, 0), BUILT_FOR, False), ((13, 0), [*BUILT_FOR, "compute_120"], True)),
        *(((7, 0), ["compute_80"], False), ((9, 0), ["sm_90a"], False), ((9, 0), ["gfx90a", "gfx942"], True)),
        ((7, 0), [], True),
    ],
)
def test_a_card_runs_what_was_built_for_its_generation(
    capability: tuple[int, int], built_for: list[str], runs: bool
) -> None:
    assert is_supported(capability, built_for) == runs


def test_one_of_several_gpus_can_be_chosen(machine: Machine) -> None:
    machine(2)
    assert choose_device("cuda:1") == torch.device("cuda", 1)
    with pytest.raises(XrganError, match="no cuda:2: PyTorch finds 2 GPUs, counted from cuda:0"):
        choose_device("cuda:2")


def test_fp32_is_no_tf32_and_pictures_are_drawn_the_same_twice(machine: Machine) -> None:
    machine(1)
    torch.backends.cudnn.allow_tf32, torch.backends.cudnn.benchmark = True, True
    choose_device("cuda")
    cudnn = torch.backends.cudnn
    assert (cudnn.allow_tf32, cudnn.benchmark, cudnn.deterministic) == (False, False, True)


@pytest.mark.parametrize(("capability", "precision"), [((7, 5), "fp32"), ((8, 0), "bf16"), ((9, 0), "bf16")])
def test_auto_precision_is_bf16_where_the_gpu_multiplies_it(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], precision: str
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    cuda = torch.device("cuda")
    assert choose_precision("auto", cuda) == precision
    assert choose_precision("fp32", cuda) == "fp32"
    assert is_fast("bf16", cuda) == (precision == "bf16") and is_fast("fp32", cuda)
    assert choose_precision("auto", torch.device("mps")) == "fp32"


def test_bf16_is_a_matter_of_the_computation_and_not_of_the_weights() -> None:
    layer, ones = torch.nn.Linear(2, 2), torch.ones(1, 2)
    with autocast(torch.device("cpu"), "bf16"):
        assert layer(ones).dtype == torch.bfloat16
    with autocast(torch.device("cpu"), "fp32"):
        assert layer(ones).dtype == torch.float32
    assert layer.weight.dtype == torch.float32


def test_precision_is_what_was_asked_for_or_what_the_processor_multiplies() -> None:
    cpu = torch.device("cpu")
    assert choose_precision("fp32", cpu) == "fp32"
    assert choose_precision("bf16", cpu) == "bf16"
    assert choose_precision("auto", cpu) in {"fp32", "bf16"}


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_arrays_keep_their_shapes_and_kinds_on_their_way(device: str) -> None:
    arrays = [np.arange(3), np.ones((3, 5), np.float32), np.empty((3, 0), np.float32), np.ones((3, 1, 7, 7), np.uint8)]
    there = upload(arrays, torch.device(device))
    assert [(tuple(a.shape), a.dtype) for a in there] == [(a.shape, torch.from_numpy(a).dtype) for a in arrays]
    assert all(tensor.device.type == device for tensor in there)


def test_a_device_says_its_name_and_what_its_results_depend_on(machine: Machine, monkeypatch, tmp_path) -> None:  # type: ignore[no-untyped-def]
    machine(1)
    (tmp_path / "version").write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5\n")
    monkeypatch.setattr(hardware, "DRIVER", tmp_path / "version")
    monkeypatch.setattr(torch.backends.cudnn, "version", lambda: 91900)
    cuda, cpu = torch.device("cuda"), torch.device("cpu")
    assert (describe(cuda), describe(cpu)) == ("Tesla V100", f"cpu ({torch.get_num_threads()} threads)")
    assert versions_of(cuda) == {"cuda": "13.0", "cudnn": "91900", "driver": "550.54.15"}
    assert versions_of(cpu) == {}


def test_memory_is_given_back_to_whom_it_is_of(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[str] = []
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: given.append("cuda"))
    monkeypatch.setattr(torch.mps, "empty_cache", lambda: given.append("mps"))
    for name in ("cpu", "cuda", "mps"):
        release_memory(torch.device(name))
    assert given == ["cuda", "mps"]


@pytest.mark.parametrize("wanted", [True, False])
def test_a_gpu_repeats_every_bit_where_that_is_asked_and_is_as_it_was_afterwards(wanted: bool) -> None:
    def settings() -> tuple[bool, ...]:
        cudnn, fill = torch.backends.cudnn, torch.utils.deterministic.fill_uninitialized_memory
        return torch.are_deterministic_algorithms_enabled(), cudnn.deterministic, cudnn.benchmark, fill

    cuda, cpu, before = torch.device("cuda"), torch.device("cpu"), settings()
    with repeatable(cuda, wanted):
        assert settings() == (wanted, wanted, False, False)
        with tuned(cuda):  # a step
            assert settings() == (wanted, wanted, not wanted, False)
        assert settings() == (wanted, wanted, False, False), "a grid of samples is not worth the trials"
    assert settings() == before
    with repeatable(cpu, wanted), tuned(cpu):
        assert settings() == before
