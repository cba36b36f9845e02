"""A run that begins with another run's networks: of another dataset, other classes, or half the resolution."""

from torch import Tensor

from xrgan import console
from xrgan.config import Config
from xrgan.errors import XrganError
from xrgan.gan import checkpoint
from xrgan.gan.state import TrainState
from xrgan.rundir import RunDir


def load_matching_weights(state: TrainState, source: RunDir, config: Config) -> int:
    """Copy into a fresh state what fits of another run's networks and average; the optimizers begin anew.

    Layers go by their names, which eigen's say the resolution of; of a layer with other classes or channels, the part
    that both have.

    Returns:
        The step of the other run's checkpoint.

    Raises:
        XrganError: it has no checkpoint, is another model, or too little of it fits.
    """
    theirs = source.read_config().model
    if theirs.name != config.model.name:
        raise XrganError(
            f"{source.path} is a {theirs.name}, this run a {config.model.name}: their networks don't fit.",
            f"Train with `--model {theirs.name}`.",
        )
    last = checkpoint.load_last(source.checkpoints)
    if last is None:
        raise XrganError(f"{source.path} has no checkpoint to start from.", f"`xrgan resume --run {source.path}`.")
    weights = whole = parts = 0
    for name in ("generator", "discriminator", "ema"):
        network = getattr(state, name)
        own = network.state_dict()
        for key, value in own.items():
            given = last[1][name].get(key)
            if key.split(".")[0] in state.generator.fitted_modules or not value.ndim:  # of the new dataset
                continue
            taken = _copy(given, value) if given is not None else 0
            if value.ndim > 1:  # the kernels: what goes with them is no more than their trim
                weights, whole, parts = weights + 1, whole + (taken == 2), parts + (taken == 1)
    if whole < weights / 4:
        raise XrganError(
            f"Hardly anything of {source.path} fits this run: {whole} of {weights} layers.",
            "Take the widths and the latent size of its config.yaml: --set model.generator_width=… and so on.",
        )
    console.notice(
        f"Starting from {source.path} ({last[1]['images_seen']:,} images seen): of {weights} layers {whole} are taken "
        f"over, {parts} in part, {weights - whole - parts} are new."
    )
    return int(last[1]["step"])


def _copy(given: Tensor, own: Tensor) -> int:
    """Copy what both have, where they differ in one dimension at most: 2 = all, 1 = a part, 0 = nothing."""
    if given.ndim != own.ndim:
        return 0
    different = [k for k in range(own.ndim) if given.shape[k] != own.shape[k]]
    if len(different) > 1:
        return 0
    common = tuple(slice(min(a, b)) for a, b in zip(given.shape, own.shape, strict=True))
    own[common].copy_(given[common])
    return 1 if different else 2
