import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.gan.helpers import tiny_config, tiny_dataset, weights_file
from xrgan.config import Config
from xrgan.config_resolve import resolve
from xrgan.data.packed import PackedDataset
from xrgan.errors import XrganError
from xrgan.gan import checkpoint, schedule, setup, step, training
from xrgan.gan.batches import make_batches
from xrgan.gan.losses import gradient_penalty
from xrgan.gan.state import TrainState, image_spec, start, update_ema
from xrgan.rundir import RunDir


def trained(root: Path, dataset: PackedDataset, config: Config) -> RunDir:
    run = RunDir(root)
    setup.create_run(run, config, dataset)
    training.train(run, dataset, config)
    return run


def last(run: RunDir) -> checkpoint.Content:
    found = checkpoint.load_last(run.checkpoints)
    assert found is not None
    return found[1]


def flat(content: object) -> list[tuple[str, object]]:
    """Every leaf of a checkpoint but the wall clock, with its path."""
    if isinstance(content, dict):
        items = [(str(key), value) for key, value in content.items() if key != "seconds"]
    elif isinstance(content, list | tuple):
        items = [(str(k), value) for k, value in enumerate(content)]
    else:
        return [("", content)]
    return [(f"{key}/{path}", leaf) for key, value in items for path, leaf in flat(value)]


def assert_same(one: RunDir, other: RunDir) -> None:
    """Weights, average, optimizers and progress are equal bit for bit, and so is what losses.csv says of the losses."""
    ours, theirs = flat(last(one)), flat(last(other))
    assert [path for path, _ in ours] == [path for path, _ in theirs]
    for (path, a), (_, b) in zip(ours, theirs, strict=True):
        same = torch.equal(a, b) if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor) else a == b
        assert same, path
    rows = [[{key: row[key] for key in row if key != "seconds"} for row in run.read_losses()] for run in (one, other)]
    assert rows[0] == rows[1]


def test_a_run_directory_is_whole(tmp_path: Path) -> None:
    run = trained(tmp_path / "run", tiny_dataset(tmp_path), tiny_config("train.tensorboard=true"))
    for name in ("config.yaml", "environment.yaml", "losses.csv", "losses.png", "samples/epoch_0002.png"):
        assert (run.path / name).stat().st_size > 100, name
    assert list(run.tensorboard.glob("events*"))
    assert [row["epoch"] for row in run.read_losses()] == [1, 2]
    assert run.read_config() == tiny_config("train.tensorboard=true")
    assert run.read_environment()["dataset"]["content_hash"] == "hash-48-2"
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
    training.train(parts, dataset, tiny_config("train.epochs=6", *options))
    assert_same(whole, parts)


@pytest.mark.parametrize("loss", ["bce", "non-saturating", "hinge", "relativistic"])
def test_every_loss_with_penalties_and_augmentation_resumes_bit_for_bit(tmp_path: Path, loss: str) -> None:
    dataset = tiny_dataset(tmp_path, masks=("lungs",))
    options = [f"train.loss={loss}", "train.r1=0.1", "train.r2=0.05", "train.penalty_every=3", "train.augment=0.7"]
    whole = trained(tmp_path / "whole", dataset, tiny_config("train.epochs=4", *options, masks=True))
    parts = trained(tmp_path / "parts", dataset, tiny_config("train.epochs=2", *options, masks=True))
    training.train(parts, dataset, tiny_config("train.epochs=4", *options, masks=True))
    assert_same(whole, parts)
    assert all(row["penalty"] > 0 for row in whole.read_losses())


def test_adaptive_augmentation_follows_the_discriminator_and_resumes_bit_for_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step, "STEPS_TO_ADAPT", 3)  # so that the signs are in the midst of a sum at a checkpoint
    monkeypatch.setattr("xrgan.gan.augment.IMAGES_TO_FULL", 200)
    dataset = tiny_dataset(tmp_path)
    options = ["train.augment=adaptive", "train.lr=0.005"]
    whole = trained(tmp_path / "whole", dataset, tiny_config("train.epochs=8", *options))
    parts = trained(tmp_path / "parts", dataset, tiny_config("train.epochs=2", *options))
    training.train(parts, dataset, tiny_config("train.epochs=8", *options))
    assert_same(whole, parts)
    probabilities = [row["augment"] for row in whole.read_losses()]
    assert len(set(probabilities)) > 1 and max(probabilities) > 0


GROWING = ["model.progressive=8,16"]


@pytest.mark.parametrize(
    "options",
    [
        [*GROWING, "train.augment=adaptive", "train.lr=0.005", "train.r1=0.1"],
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
    setup.create_run(parts, config, dataset)
    real_step = training.train_step

    def interrupted(state: TrainState, *arguments: object) -> None:
        real_step(state, *arguments)  # type: ignore[arg-type]
        if state.step in {5, 13, 14}:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(training, "train_step", interrupted)
    stops = 0
    while training.train(parts, dataset, config).stopped_by:
        stops += 1
    assert stops >= 1
    assert_same(whole, parts)


def test_every_part_of_the_loss_is_logged_by_itself(tmp_path: Path) -> None:
    weights = f"train.perceptual_weights={weights_file(tmp_path)}"
    options = ["train.feature_matching=0.5", "train.perceptual=0.1", weights, "train.epochs=1"]
    rows = trained(tmp_path / "run", tiny_dataset(tmp_path), tiny_config(*options)).read_losses()
    assert rows[0]["feature_matching"] > 0 and rows[0]["perceptual"] > 0
    assert rows[0]["generator_loss"] > rows[0]["feature_matching"] + rows[0]["perceptual"]
    plain = trained(tmp_path / "plain", tiny_dataset(tmp_path / "again"), tiny_config()).read_losses()
    assert plain[0]["feature_matching"] == plain[0]["perceptual"] == 0
    assert all(row["discriminator_gradient"] > 0 and row["generator_gradient"] > 0 for row in (*rows, *plain))


def test_clipped_gradients_are_no_longer_than_that(tmp_path: Path) -> None:
    run = trained(tmp_path / "run", tiny_dataset(tmp_path), tiny_config("train.gradient_clip=0.001"))
    assert all(row["generator_gradient"] <= 0.00101 for row in run.read_losses())


def test_the_learning_rate_falls_along_a_cosine(tmp_path: Path) -> None:
    dataset, config = tiny_dataset(tmp_path), tiny_config("train.lr_end=0.2", "train.lr=0.01", "train.epochs=4")
    state = start(config, image_spec(dataset, config), torch.device("cpu"))
    goal, clock, rates = schedule.Schedule(config, make_batches(dataset, config)), schedule.TrainingClock(state), []
    for state.step in (0, 16, 32):
        goal.apply(state, clock)
        rates.append(state.generator_optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([0.01, 0.006, 0.002])


def test_each_resolution_of_a_growing_model_has_its_share_and_a_finished_one_stays_grown(tmp_path: Path) -> None:
    dataset, config = tiny_dataset(tmp_path), tiny_config("model.progressive=8,16", "train.epochs=4")
    state = start(config, image_spec(dataset, config), torch.device("cpu"))
    goal, clock, grown = schedule.Schedule(config, make_batches(dataset, config)), schedule.TrainingClock(state), []
    for state.step in (0, 15, 16, 20, 24, 32, 8):
        goal.apply(state, clock)
        grown.append(state.grown)
    assert grown == [0, 0, 0, 0.5, 1, 1, 1]
    run = trained(tmp_path / "run", dataset, config)
    from xrgan.gan.sampler import load_sampler

    assert load_sampler(run, "cpu").generator.grown == 1


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


def test_a_compiler_that_is_not_there_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torch._inductor.exc import InvalidCxxCompiler

    def failing(*_: object) -> None:
        raise InvalidCxxCompiler

    monkeypatch.setattr(training, "train_step", failing)
    config = tiny_config("train.compile=true")
    with pytest.raises(XrganError, match=r"torch.compile failed.*without `--compile`"):
        trained(tmp_path / "run", tiny_dataset(tmp_path), config)


@pytest.mark.parametrize(
    "option",
    [
        *("train.r1=1", "train.r2=1", "train.augment=1", "train.loss=hinge", "train.feature_matching=5"),
        *("train.lr_end=0.5", "model.progressive=8,16", "train.rotation=20", "train.scaling=0.3"),
    ],
)
def test_every_option_changes_what_is_learned(tmp_path: Path, option: str) -> None:
    dataset = tiny_dataset(tmp_path)
    base = ["train.epochs=1"] + ["train.augment=1"] * ("rotation" in option or "scaling" in option)
    plain = trained(tmp_path / "plain", dataset, tiny_config(*base))
    other = trained(tmp_path / "other", dataset, tiny_config(*base, option))
    ours, theirs = (last(run)["generator"] for run in (plain, other))
    assert any(not torch.equal(ours[key], theirs[key]) for key in ours.keys() & theirs.keys())


def test_a_penalty_keeps_the_discriminator_flat(tmp_path: Path) -> None:
    dataset = tiny_dataset(tmp_path)
    gradients = []
    for name, r1 in (("plain", 0), ("flat", 5)):
        run = trained(
            tmp_path / name,
            dataset,
            tiny_config("train.epochs=8", f"train.r1={r1}", "train.penalty_every=1", "train.lr=0.005"),
        )
        state = start(tiny_config(), image_spec(dataset, tiny_config()), torch.device("cpu"))
        state.discriminator.load_state_dict(last(run)["discriminator"])
        real, labels = make_batches(dataset, tiny_config()).batch(0, torch.device("cpu"))
        gradients.append(gradient_penalty(state.discriminator.eval(), real, labels).item())
    assert gradients[1] < 0.5 * gradients[0]


def test_minutes_end_a_run_in_the_midst_of_an_epoch_and_more_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "SECONDS_BEFORE_FORECAST", 0.5)
    dataset = tiny_dataset(tmp_path, n=12_000, classes=0)
    wish = ["train.epochs=1", "train.loss=bce"]
    run = trained(tmp_path / "run", dataset, tiny_config(*wish, "train.minutes=0.04", conditional=False))
    rows = run.read_losses()
    assert len(rows) == 1 and 0 < rows[0]["epoch"] < 1
    assert 2.4 <= rows[0]["seconds"] < 4
    assert "0.04 minutes see about" in capsys.readouterr().err
    assert (run.samples / "epoch_0001.png").is_file()
    assert last(run)["step"] == rows[0]["step"]
    training.train(run, dataset, tiny_config(*wish, "train.minutes=0.06", conditional=False))
    again = run.read_losses()
    assert len(again) == 1 and again[0]["step"] > rows[0]["step"]
    assert again[0]["seconds"] >= 3.6
    step = last(run)["step"]
    training.train(run, dataset, tiny_config(*wish, "train.minutes=0.06", conditional=False))
    assert last(run)["step"] == step


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_amid_an_epoch_finishes_the_step_and_the_run_goes_on(
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
    setup.create_run(run, config, dataset)
    with monkeypatch.context() as patched:
        patched.setattr(training, "train_step", step_and_signal)
        stopped = training.train(run, dataset, config)
    assert stopped.stopped_by == number
    assert last(run)["step"] == 11
    assert signal.getsignal(number) == before
    assert training.train(run, dataset, config).stopped_by is None
    assert_same(whole, run)


def test_a_torn_last_checkpoint_goes_back_to_the_one_before(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dataset = tiny_dataset(tmp_path)
    whole = trained(tmp_path / "whole", dataset, tiny_config("train.epochs=4"))
    torn = trained(tmp_path / "torn", dataset, tiny_config("train.epochs=3"))
    newest = sorted(torn.checkpoints.iterdir())[-1]
    newest.write_bytes(newest.read_bytes()[:-1000])
    training.train(torn, dataset, tiny_config("train.epochs=4"))
    assert_same(whole, torn)


def test_the_order_visits_every_image_once_an_epoch(tmp_path: Path) -> None:
    dataset = tiny_dataset(tmp_path)
    batches = make_batches(dataset, tiny_config())
    seen = np.concatenate(
        [
            batches.batch(step, torch.device("cpu"))[0].mean(dim=(1, 2, 3)).numpy()
            for step in range(batches.steps_per_epoch)
        ]
    )
    expected = dataset.images[dataset.of_split("train")].astype(np.float32).mean(axis=(1, 2, 3)) / 127.5 - 1
    assert np.allclose(np.sort(seen), np.sort(expected), atol=1e-5)


def test_only_training_images_are_seen_and_flips_are_off(tmp_path: Path) -> None:
    dataset = tiny_dataset(tmp_path)
    batches = make_batches(dataset, tiny_config())
    assert set(batches.indices) == set(dataset.of_split("train"))
    real = dataset.images[dataset.of_split("train")].astype(np.float32) / 127.5 - 1
    images, _ = batches.batch(0, torch.device("cpu"))
    for image in images.numpy():
        assert np.isclose(real, image, atol=1e-5).all(axis=(1, 2, 3)).any()


def test_the_average_follows_the_generator(tmp_path: Path) -> None:
    dataset, config = tiny_dataset(tmp_path), tiny_config()
    state = start(config, image_spec(dataset, config), torch.device("cpu"))
    weight = next(state.generator.parameters())
    average = next(state.ema.parameters())
    with torch.no_grad():
        average.zero_()
        weight.fill_(1.0)
    state.images_seen = 10_000_000
    update_ema(state, 100, halflife_images=100)
    assert torch.allclose(average, torch.tensor(0.5)), "one half-life of images halves the distance"
    state.images_seen = 1900
    with torch.no_grad():
        average.zero_()
    update_ema(state, 100, halflife_images=10_000)
    assert torch.allclose(average, torch.tensor(0.5)), "early on, the half-life is 5 % of the images seen"
    update_ema(state, 100, halflife_images=0)
    assert torch.equal(average, weight)


def test_nan_stops_the_run_keeps_the_last_good_checkpoint_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset, config = tiny_dataset(tmp_path), tiny_config("train.epochs=4")
    plain_step = training.train_step

    def poisoned(state: TrainState, *rest: object) -> None:
        plain_step(state, *rest)  # type: ignore[arg-type]
        if state.step == 20:
            with torch.no_grad():
                next(state.generator.parameters()).fill_(float("nan"))

    monkeypatch.setattr(training, "train_step", poisoned)
    run = RunDir(tmp_path / "run")
    setup.create_run(run, config, dataset)
    with pytest.raises(XrganError, match=r"NaN.*gradient_clip=1"):
        training.train(run, dataset, config)
    content = last(run)
    assert content["step"] == 16
    assert all(torch.isfinite(weight).all() for weight in content["generator"].values())
    assert [row["epoch"] for row in run.read_losses()] == [1, 2]


def test_out_of_memory_names_a_smaller_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(training, "train_step", full)
    dataset, config = tiny_dataset(tmp_path), tiny_config("train.batch_size=8")
    run = RunDir(tmp_path / "run")
    setup.create_run(run, config, dataset)
    with pytest.raises(XrganError, match="8 images a step.*--batch-size 4"):
        training.train(run, dataset, config)


def test_too_few_images_and_a_changed_setting_are_refused(tmp_path: Path) -> None:
    dataset = tiny_dataset(tmp_path)
    with pytest.raises(XrganError, match="32 training images.*batch of 64.*--batch-size 8"):
        setup.create_run(RunDir(tmp_path / "run"), tiny_config("train.batch_size=64"), dataset)
    assert not (tmp_path / "run").exists()
    run = trained(tmp_path / "run", dataset, tiny_config())
    with pytest.raises(XrganError, match=r"train.lr = 0.0002.*0.1"):
        setup.update_config(run, tiny_config(), tiny_config("train.lr=0.1"))
    with pytest.raises(XrganError, match="2 epochs already"):
        setup.update_config(run, tiny_config(), tiny_config("train.epochs=1"))
    setup.update_config(run, tiny_config(), tiny_config("train.epochs=5", "train.sample_every=1"))
    assert run.read_config().train.epochs == 5
    with pytest.raises(XrganError, match="content hash"):
        setup.check_dataset(run, tiny_dataset(tmp_path / "other", n=60))


def test_conditional_is_chosen_by_the_classes(tmp_path: Path) -> None:
    wish = Config(device="cpu")
    assert setup.resolve_auto(wish, tiny_dataset(tmp_path / "a", classes=2)).model.conditional is True
    assert setup.resolve_auto(wish, tiny_dataset(tmp_path / "b", classes=1)).model.conditional is False
    unlabelled = tiny_dataset(tmp_path / "c", classes=0)
    assert setup.resolve_auto(wish, unlabelled).model.conditional is False
    forced = wish.model_copy(update={"model": wish.model.model_copy(update={"conditional": True})})
    with pytest.raises(XrganError, match="--unconditional"):
        setup.resolve_auto(forced, unlabelled)


def test_what_is_left_open_is_decided_by_the_model_and_the_data(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with_masks = tiny_dataset(tmp_path / "masks", masks=("lungs",))
    decided = setup.resolve_auto(resolve(settings=["model.name=dcgan", "device=cpu"]), with_masks)
    assert (decided.train.loss, decided.train.r1, decided.train.augment) == ("bce", 0, 0)
    assert decided.model.masks is False
    said = capsys.readouterr().err
    assert "bce loss" in said and "not augmented" in said
    wish = ["train.loss=hinge", "train.r1=0.5", "train.augment=0.3", "model.masks=true", "device=cpu"]
    asked = setup.resolve_auto(resolve(settings=wish), with_masks)
    assert (asked.train.loss, asked.train.r1, asked.train.augment, asked.model.masks) == ("hinge", 0.5, 0.3, True)
    assert "with masks of lungs" in capsys.readouterr().err
    with pytest.raises(XrganError, match="no masks to draw"):
        setup.resolve_auto(resolve(settings=["model.masks=true", "device=cpu"]), tiny_dataset(tmp_path / "plain"))


def test_each_discriminator_is_trained_in_its_own_way(tmp_path: Path) -> None:
    """Without the weights, `--set model.discriminator=plain` leads to a discriminator that is kept smooth."""
    dataset = tiny_dataset(tmp_path)
    ways = {}
    for model in ("eigen", "dcgan"):
        for discriminator in ("projected", "plain"):
            wish = [f"model.name={model}", f"model.discriminator={discriminator}", "device=cpu"]
            train = setup.resolve_auto(resolve(settings=wish), dataset).train
            ways[model, discriminator] = (train.loss, train.lr, train.r1 > 0)  # type: ignore[operator]
    assert ways["eigen", "projected"] == ways["dcgan", "projected"] == ("hinge", 8e-4, False)
    assert ways["eigen", "plain"] == ("non-saturating", 2e-4, True)
    assert ways["dcgan", "plain"] == ("bce", 2e-4, False)


def start_cli(run: RunDir, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "xrgan", *arguments]
    return subprocess.Popen(command, cwd=run.path.parent, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def test_sigkill_at_random_moments_then_resume_equals_uninterrupted(tmp_path: Path) -> None:
    """Four times SIGKILL, at a moment drawn anew in every run of this test; the seed is in the failure's message."""
    dataset = tiny_dataset(tmp_path / "data" / "prepared", n=240)
    config = tiny_config("train.epochs=24", "train.tensorboard=true", "train.sample_every=5")
    whole = trained(tmp_path / "whole", dataset, config)
    killed = RunDir(tmp_path / "killed")
    setup.create_run(killed, config, dataset)
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
