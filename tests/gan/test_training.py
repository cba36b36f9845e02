"""A run is trained, stopped, resumed and killed: it is the same run, bit for bit."""

import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from tests.gan.helpers import assert_same, create, job_of, last, tiny_config, tiny_dataset, trained, weights_file
from xrgan.data.packed import open_packed
from xrgan.gan import monitor, step, training
from xrgan.gan.state import TrainState
from xrgan.rundir import RunDir

pytestmark = pytest.mark.slow


def test_a_run_directory_is_whole(tmp_path: Path) -> None:
    run = trained(tmp_path / "run", tiny_dataset(tmp_path), tiny_config("train.tensorboard=true"))
    for name in ("config.yaml", "environment.yaml", "losses.csv", "losses.png", "samples/epoch_0002.png"):
        assert (run.path / name).stat().st_size > 100, name
    assert list(run.tensorboard.glob("events*"))
    assert [row["epoch"] for row in run.read_losses()] == [1, 2]
    assert run.read_config() == tiny_config("train.tensorboard=true", "device=auto"), "no run keeps its device"
    assert run.read_environment()["dataset"]["content_hash"] == open_packed(tmp_path / "tiny").content_hash
    assert not list(run.path.rglob("*.tmp"))


def test_training_teaches_the_generator_the_brightness_of_the_images(tmp_path: Path) -> None:
    """After a few hundred steps, class 0 is brighter above and class 1 below, as in the training images."""
    from xrgan.gan.sampler import load_sampler, sample_block

    config = tiny_config("train.epochs=60", "train.lr=1e-3", "train.ema_halflife_images=100", "model.generator_width=8")
    run = trained(tmp_path / "run", tiny_dataset(tmp_path), config)
    sampler = load_sampler(run, "cpu")
    for label, sign in (("class0", 1), ("class1", -1)):
        images, _ = sample_block(sampler, 0, 0, label)
        above, below = images[:, :, :8].mean(), images[:, :, 8:].mean()
        assert sign * (above - below) > 50, label


@pytest.mark.parametrize(("channels", "classes"), [(1, 0), (3, 2)])
def test_channels_and_classes(tmp_path: Path, channels: int, classes: int) -> None:
    dataset = tiny_dataset(tmp_path, channels=channels, classes=classes)
    run = trained(tmp_path / "run", dataset, tiny_config("train.epochs=1", conditional=classes > 0))
    assert last(run)["spec"] == {"size": 16, "channels": channels, "classes": classes, "masks": ()}


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_resumed_equals_uninterrupted_bit_for_bit(tmp_path: Path, precision: str) -> None:
    dataset = tiny_dataset(tmp_path)
    options = (f"train.precision={precision}", "train.gradient_clip=1")
    whole = trained(tmp_path / "whole", dataset, tiny_config("train.epochs=6", *options))
    parts = trained(tmp_path / "parts", dataset, tiny_config("train.epochs=3", *options))
    training.train(job_of(parts, dataset, tiny_config("train.epochs=6", *options)))
    assert_same(whole, parts)


@pytest.mark.parametrize("loss", ["bce", "non-saturating", "hinge", "relativistic"])
def test_every_loss_resumes_bit_for_bit(tmp_path: Path, loss: str) -> None:
    dataset = tiny_dataset(tmp_path, masks=("lungs",))
    options = [f"train.loss={loss}", "train.r1=0.1", "train.r2=0.05", "train.penalty_every=3", "train.augment=0.7"]
    whole = trained(tmp_path / "whole", dataset, tiny_config("train.epochs=4", *options, masks=True))
    parts = trained(tmp_path / "parts", dataset, tiny_config("train.epochs=2", *options, masks=True))
    training.train(job_of(parts, dataset, tiny_config("train.epochs=4", *options, masks=True)))
    assert_same(whole, parts)
    assert all(row["penalty"] > 0 for row in whole.read_losses())


def test_adaptive_augmentation_resumes_bit_for_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step, "STEPS_TO_ADAPT", 3)  # so that the signs are in the midst of a sum at a checkpoint
    monkeypatch.setattr("xrgan.gan.augment.IMAGES_TO_FULL", 200)
    dataset = tiny_dataset(tmp_path)
    options = ["train.augment=adaptive", "train.lr=0.005"]
    whole = trained(tmp_path / "whole", dataset, tiny_config("train.epochs=8", *options))
    parts = trained(tmp_path / "parts", dataset, tiny_config("train.epochs=2", *options))
    training.train(job_of(parts, dataset, tiny_config("train.epochs=8", *options)))
    assert_same(whole, parts)
    probabilities = [row["augment"] for row in whole.read_losses()]
    assert len(set(probabilities)) > 1 and max(probabilities) > 0


FADING = ["model.progressive=8,16", "model.growth=fade"]
GROWING = ["model.progressive=8,16", "model.growth=residual", "model.discriminator=projected"]


@pytest.mark.parametrize(
    "options",
    [
        [*FADING, "train.augment=adaptive", "train.lr=0.005", "train.r1=0.1"],
        [*GROWING, "train.augment=0.5", "train.variance=1"],
        ["train.lr_end=0.1"],
        ["train.feature_matching=0.5", "train.rotation=10", "train.scaling=0.1", "train.augment=0.8"],
        ["train.batch_size=2", "model.name=dcgan", "train.feature_matching=0.5"],
        ["train.perceptual=0.1"],
    ],
)
def test_stopped_anywhere_and_resumed_equals_uninterrupted_bit_for_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    """In the midst of a fade, of the cosine, of ADA's sum of signs; with the average in play."""
    monkeypatch.setattr(step, "STEPS_TO_ADAPT", 3)
    dataset = tiny_dataset(tmp_path)
    if "train.perceptual=0.1" in options:
        options = [*options, f"train.perceptual_weights={weights_file(tmp_path)}", "train.epochs=1"]
    else:
        options = ["train.epochs=3", *options]
    config = tiny_config(*options)
    whole = trained(tmp_path / "whole", dataset, config)
    parts = RunDir(tmp_path / "parts")
    create(parts, dataset, config)
    real_step = training.train_step

    def interrupted(state: TrainState, *arguments: object) -> None:
        real_step(state, *arguments)  # type: ignore[arg-type]
        if state.step in {5, 13, 14}:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(training, "train_step", interrupted)
    stops = 0
    while training.train(job_of(parts, dataset, config)).stopped_by:
        stops += 1
    assert stops >= 1
    assert_same(whole, parts)


@pytest.mark.filterwarnings("ignore:The .grad attribute")  # dynamo looks at it
def test_a_compiled_run_has_the_same_names_in_its_checkpoint(tmp_path: Path) -> None:
    """Compiled by a backend that needs no C++ compiler: dynamo traces the networks, and they run as they are."""
    dataset = tiny_dataset(tmp_path)
    plain = trained(tmp_path / "plain", dataset, tiny_config("train.epochs=1", "train.r1=0.1"))
    original = torch.nn.Module.compile

    def eager(module: torch.nn.Module, *_: object) -> None:
        original(module, backend="eager")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.nn.Module, "compile", eager)
        options = tiny_config("train.epochs=1", "train.r1=0.1", "train.compile=true")
        compiled = trained(tmp_path / "compiled", dataset, options)
    assert last(plain)["generator"].keys() == last(compiled)["generator"].keys()
    assert last(plain)["discriminator"].keys() == last(compiled)["discriminator"].keys()
    for key, weight in last(plain)["generator"].items():
        assert torch.allclose(weight, last(compiled)["generator"][key], atol=1e-4), key


def test_a_forecast_does_not_count_on_the_rate_of_small_images(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor, "SECONDS_BEFORE_FORECAST", 0.2)
    monkeypatch.setattr(monitor, "SECONDS_BETWEEN_LOOKS", 0.1)
    dataset = tiny_dataset(tmp_path, n=12_000)
    trained(tmp_path / "run", dataset, tiny_config(*GROWING[:2], "train.epochs=1", "train.minutes=0.02"))
    said = capsys.readouterr().err
    assert re.search(r"0\.02 minutes see fewer than [\d,]+ images, as those of 16 pixels take longer than", said)


def test_a_forecast_does_not_count_the_first_steps(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A GPU takes seconds for them."""
    real_step = training.train_step

    def slow_at_first(state: TrainState, *rest: object) -> None:
        time.sleep(1.5 if state.step == 0 else 0)
        real_step(state, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(training, "train_step", slow_at_first)
    monkeypatch.setattr(monitor, "SECONDS_BEFORE_FORECAST", 0.2)
    monkeypatch.setattr(monitor, "SECONDS_BETWEEN_LOOKS", 0.1)
    dataset = tiny_dataset(tmp_path, n=12_000, classes=0)
    run = trained(tmp_path / "run", dataset, tiny_config("train.epochs=1", "train.minutes=0.035", conditional=False))
    (row,) = run.read_losses()
    found = re.search(r"At ([\d,]+) images/s", capsys.readouterr().err)
    assert found and int(found[1].replace(",", "")) > 1.5 * row["images_seen"] / row["seconds"]


def test_minutes_end_a_run_in_the_midst_of_an_epoch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor, "SECONDS_BEFORE_FORECAST", 0.5)
    dataset = tiny_dataset(tmp_path, n=12_000, classes=0)
    wish = ["train.epochs=1", "train.loss=bce"]
    run = trained(tmp_path / "run", dataset, tiny_config(*wish, "train.minutes=0.04", conditional=False))
    rows = run.read_losses()
    assert len(rows) == 1 and 0 < rows[0]["epoch"] < 1
    assert 2.4 <= rows[0]["seconds"] < 4
    assert "0.04 minutes see about" in capsys.readouterr().err
    assert (run.samples / "epoch_0001.png").is_file()
    assert last(run)["step"] == rows[0]["step"]
    training.train(job_of(run, dataset, tiny_config(*wish, "train.minutes=0.06", conditional=False)))
    again = run.read_losses()
    assert len(again) == 1 and again[0]["step"] > rows[0]["step"]
    assert again[0]["seconds"] >= 3.6
    step = last(run)["step"]
    training.train(job_of(run, dataset, tiny_config(*wish, "train.minutes=0.06", conditional=False)))
    assert last(run)["step"] == step


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_amid_an_epoch_finishes_the_step_and_can_be_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    dataset, config = tiny_dataset(tmp_path), tiny_config("train.epochs=3")
    whole = trained(tmp_path / "whole", dataset, config)
    plain_step = training.train_step

    def step_and_signal(state: TrainState, *rest: object) -> None:
        plain_step(state, *rest)  # type: ignore[arg-type]
        if state.step == 11:
            os.kill(os.getpid(), number)

    before = signal.getsignal(number)
    run = RunDir(tmp_path / "parts")
    create(run, dataset, config)
    with monkeypatch.context() as patched:
        patched.setattr(training, "train_step", step_and_signal)
        stopped = training.train(job_of(run, dataset, config))
    assert stopped.stopped_by == number
    assert last(run)["step"] == 11
    assert signal.getsignal(number) == before
    assert training.train(job_of(run, dataset, config)).stopped_by is None
    assert_same(whole, run)


def test_a_torn_last_checkpoint_goes_back_to_the_one_before(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dataset = tiny_dataset(tmp_path)
    whole = trained(tmp_path / "whole", dataset, tiny_config("train.epochs=4"))
    torn = trained(tmp_path / "torn", dataset, tiny_config("train.epochs=3"))
    newest = sorted(torn.checkpoints.iterdir())[-1]
    newest.write_bytes(newest.read_bytes()[:-1000])
    training.train(job_of(torn, dataset, tiny_config("train.epochs=4")))
    assert_same(whole, torn)


def start_cli(run: RunDir, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "xrgan", *arguments]
    return subprocess.Popen(command, cwd=run.path.parent, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def test_sigkill_at_random_moments_then_resume_equals_uninterrupted(tmp_path: Path) -> None:
    """Four times SIGKILL, at a moment drawn anew in every run of this test; the seed is in the failure's message."""
    dataset = tiny_dataset(tmp_path / "data" / "prepared", n=240)
    config = tiny_config("train.epochs=24", "train.tensorboard=true", "train.sample_every=5")
    whole = trained(tmp_path / "whole", dataset, config)
    killed = RunDir(tmp_path / "killed")
    create(killed, dataset, config)
    seed = random.SystemRandom().randrange(10**6)
    moments = random.Random(seed)
    kills = 0
    for _ in range(4):
        epochs_before = len(killed.read_losses())
        process = start_cli(killed, "resume", "--run", "./killed", "--quiet")
        deadline = time.monotonic() + 120
        while len(killed.read_losses()) <= epochs_before and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)  # until it trains: importing torch takes longer than these epochs
        time.sleep(moments.uniform(0, 0.3))
        process.kill()
        kills += process.wait() == -signal.SIGKILL
        assert process.stderr is not None
        process.stderr.close()
    finish = start_cli(killed, "resume", "--run", "./killed")
    _, stderr = finish.communicate(timeout=300)
    assert finish.returncode == 0, stderr.decode()
    assert kills >= 2, f"the run was over before it could be killed; seed {seed}"
    assert_same(whole, killed)
