import os
import pickle
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.gan.helpers import job_of, last, load_last, tiny_config, tiny_dataset, trained
from xrgan.errors import XrganError
from xrgan.gan import checkpoint
from xrgan.gan.sampler import load_sampler
from xrgan.gan.state import restore
from xrgan.tensor_files import Content, read_tensors, write_tensors

pytestmark = pytest.mark.slow


def save_three(folder: Path) -> list[Path]:
    return [
        checkpoint.save(folder, step, {"w": torch.full((1000,), float(step)), "step": step}, 3) for step in (1, 2, 3)
    ]


def test_round_trip_and_only_the_last_stay(tmp_path: Path) -> None:
    save_three(tmp_path)
    checkpoint.save(tmp_path, 4, {"w": torch.ones(1), "step": 4}, 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step_00000003.pt", "step_00000004.pt"]
    path, content = load_last(tmp_path) or (None, {})
    assert path is not None and content["step"] == 4
    assert torch.equal(checkpoint.load(tmp_path / "step_00000003.pt")["w"], torch.full((1000,), 3.0))


@pytest.mark.parametrize("damage", ["truncated", "empty", "flipped"])
def test_a_damaged_checkpoint_is_recognised_and_the_one_before_is_used(
    tmp_path: Path, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    *_, last = save_three(tmp_path)
    raw = bytearray(last.read_bytes())
    if damage == "truncated":
        raw = raw[: len(raw) // 2]
    elif damage == "empty":
        raw = bytearray()
    else:
        raw[raw.index(torch.full((4,), 3.0).numpy().tobytes()) + 5] ^= 0xFF  # one byte of the weights
    last.write_bytes(raw)
    found = load_last(tmp_path)
    assert found is not None and found[1]["step"] == 2
    with pytest.raises(XrganError, match="damaged"):
        checkpoint.load(last)


def test_nothing_saved_is_none_and_all_damaged_is_a_sentence(tmp_path: Path) -> None:
    assert load_last(tmp_path) is None
    (tmp_path / "step_00000001.pt").write_bytes(b"no archive")
    with pytest.raises(XrganError, match="All checkpoints"):
        load_last(tmp_path)


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (eval, ("__import__('pathlib').Path('hacked').touch()",))


def test_a_checkpoint_with_code_in_it_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"step": 1, "evil": Evil()}, tmp_path / "step_00000001.pt")
    with pytest.raises(XrganError):
        checkpoint.load(tmp_path / "step_00000001.pt")
    (tmp_path / "step_00000002.pt").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(XrganError):
        checkpoint.load(tmp_path / "step_00000002.pt")
    assert not (tmp_path / "hacked").exists()


def test_find_by_number_name_and_path(tmp_path: Path) -> None:
    first, *_ = save_three(tmp_path)
    for name in ("1", "step_00000001", "step_00000001.pt", str(first)):
        assert checkpoint.find(tmp_path, name) == first
    with pytest.raises(XrganError, match="step_00000002"):
        checkpoint.find(tmp_path, "77")


@pytest.mark.parametrize("name", ["²", "١", "abc", "step_abc"])
def test_what_is_no_number_is_no_checkpoint(tmp_path: Path, name: str) -> None:
    checkpoint.save(tmp_path, 4, {"step": 4}, keep=3)
    (tmp_path / "step_abc.pt").write_bytes(b"?")
    assert list(checkpoint.on_disk(tmp_path)) == [4]
    if name != "step_abc":
        with pytest.raises(XrganError, match=r"There are: step_00000004\."):
            checkpoint.find(tmp_path, name)


def saved(folder: Path, *steps: int, keep: int = 9) -> list[Path]:
    return [checkpoint.save(folder, step, {"step": step, "weights": torch.zeros(9) + step}, keep) for step in steps]


@pytest.mark.parametrize("links", [True, False])
def test_the_best_checkpoint_outlives_the_last_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    def refused(*_: object) -> None:
        raise OSError("no hard links here")

    if not links:
        monkeypatch.setattr(os, "link", refused)
    first, *_ = saved(tmp_path, 1, 2)
    checkpoint.mark_best(first)
    assert checkpoint.on_disk(tmp_path)[1].name == checkpoint.BEST
    saved(tmp_path, 3, 4, keep=2)
    assert not first.exists()
    assert {step: path.name for step, path in checkpoint.on_disk(tmp_path).items()} == {
        1: "best.pt",
        3: "step_00000003.pt",
        4: "step_00000004.pt",
    }
    assert checkpoint.load(checkpoint.find(tmp_path, "best"))["step"] == 1
    found = load_last(tmp_path)
    assert found is not None and found[1]["step"] == 4
    checkpoint.mark_best(checkpoint.on_disk(tmp_path)[1])
    checkpoint.mark_best(tmp_path / "step_00000004.pt")
    checkpoint.mark_best(tmp_path / "step_00000004.pt")
    assert checkpoint.load(tmp_path / "best.pt")["step"] == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best.pt", "step_00000003.pt", "step_00000004.pt"]


def test_without_a_best_one_the_way_to_it_is_said(tmp_path: Path) -> None:
    saved(tmp_path, 1)
    with pytest.raises(XrganError, match=r"marked best.*evaluate --every-checkpoint"):
        checkpoint.find(tmp_path, "best")
    checkpoint.mark_best(tmp_path / "step_00000001.pt")
    with pytest.raises(XrganError, match=r"There are: step_00000001, best\."):
        checkpoint.find(tmp_path, "7")


def test_a_damaged_best_one_is_warned_of_and_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved(tmp_path, 1)
    (tmp_path / "best.pt").write_bytes(b"torn")
    assert list(checkpoint.on_disk(tmp_path)) == [1]
    assert "best.pt is torn" in " ".join(capsys.readouterr().err.split())


FOREIGN = ["model.generator_width=8", "model.latent_size=4", "model.name=dcgan", "train.seed=7"]


@pytest.mark.parametrize("setting", FOREIGN)
def test_a_checkpoint_of_another_run_is_recognised_and_the_one_before_is_used(
    setting: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset = tiny_dataset(tmp_path)
    run = trained(tmp_path / "run", dataset, tiny_config("train.epochs=1"))
    other = trained(tmp_path / "other", dataset, tiny_config("train.epochs=2", setting))
    foreign = max(other.checkpoints.iterdir())
    shutil.copy(foreign, run.checkpoints)
    own = load_sampler(run, "cpu")
    assert f"{foreign.name} is another run's. Going back to the one before." in capsys.readouterr().err
    assert own.step == last(run)["step"] // 2
    with pytest.raises(XrganError, match="is another run's"):
        load_sampler(run, "cpu", checkpoint_name=foreign.stem)
    restored = restore(job_of(run, dataset, tiny_config("train.epochs=1")))
    assert restored is not None and restored.step == own.step


@pytest.mark.parametrize("setting", FOREIGN[:3])
def test_what_does_not_fit_an_old_run_is_recognised_without_an_id(
    setting: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset, config = tiny_dataset(tmp_path), tiny_config("train.epochs=1")
    run = trained(tmp_path / "run", dataset, config)
    other = trained(tmp_path / "other", dataset, tiny_config("train.epochs=2", setting))
    for one in (run, other):
        one.write_environment({key: value for key, value in one.read_environment().items() if key != "run_id"})
        for file in one.checkpoints.iterdir():
            write_tensors(file, {key: value for key, value in read_tensors(file).items() if key != "run"})
    foreign = Path(shutil.copy(max(other.checkpoints.iterdir()), run.checkpoints))
    assert load_sampler(run, "cpu").step == 8
    restored = restore(job_of(run, dataset, config))
    assert restored is not None and restored.step == 8
    assert capsys.readouterr().err.count(f"{foreign.name} doesn't fit this run: ") == 2


def crafted(content: Content) -> Iterator[Content]:
    """What is whole, and no checkpoint."""
    yield {}
    for key in sorted(content.keys() - {"run"}):
        yield {name: value for name, value in content.items() if name != key}
        yield content | {key: "text"}
        yield content | {key: None}
    yield content | {"sums": torch.zeros(3)}
    yield content | {"generator_optimizer": {"state": {}, "param_groups": []}}
    state = content["generator_optimizer"]["state"]
    shrunk = {k: {name: value.flatten()[:1] for name, value in of.items()} for k, of in state.items()}
    yield content | {"generator_optimizer": content["generator_optimizer"] | {"state": shrunk}}


def test_whatever_a_checkpoint_lacks_or_holds_amiss_the_one_before_is_used(tmp_path: Path) -> None:
    dataset, config = tiny_dataset(tmp_path), tiny_config("train.epochs=2")
    run = trained(tmp_path / "run", dataset, config)
    *_, before, file = sorted(run.checkpoints.iterdir())
    good = read_tensors(before)
    job = job_of(run, dataset, config)
    for content in crafted(read_tensors(file)):
        write_tensors(file, content)
        restored = restore(job)
        assert restored is not None and restored.step in (good["step"], 16)
        if restored.step == good["step"]:
            assert torch.equal(restored.ema.state_dict()["stem.0.weight"], good["ema"]["stem.0.weight"])
        assert load_sampler(run, "cpu").step in (good["step"], 16)
    write_tensors(before, {})
    with pytest.raises(XrganError, match="damaged, or another run's"):
        restore(job)
