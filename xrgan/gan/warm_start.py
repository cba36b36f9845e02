"""A run that begins with another run's networks: of another dataset, other classes, or half the resolution."""

from collections import Counter
from enum import Enum

from torch import Tensor

from xrgan import console
from xrgan.errors import XrganError
from xrgan.exported import Export
from xrgan.gan import checkpoint
from xrgan.gan.job import Job
from xrgan.gan.prune import is_pruned
from xrgan.gan.sampler import exported_content
from xrgan.gan.state import TrainState, grow
from xrgan.rundir import RunDir
from xrgan.tensor_files import Content

NETWORKS = ("generator", "discriminator", "ema")
LEAST_SHARE = 1 / 4  # of the layers must fit as a whole: with fewer, it is no start from that run


class Fit(Enum):
    """How much of a layer was taken over."""

    WHOLE = "whole"
    PART = "part"
    NOTHING = "nothing"


def load_matching_weights(state: TrainState, source: RunDir | Export, job: Job) -> int:
    """Copy into a fresh state what fits of another run's networks and average; the optimizers begin anew.

    Of an export, its averaged generator becomes generator and average; the discriminator begins anew.

    Layers go by their names, which eigen's say the resolution of; of a layer with other classes or channels, the part
    that both have.

    Returns:
        The step of the other run's checkpoint.

    Raises:
        XrganError: it has no checkpoint, is another model, or too little of it fits.
    """
    theirs, ours = source.read_config().model.name, job.plan.model.name
    if theirs != ours:
        raise XrganError(
            f"{source.path} is a {theirs}, this run a {ours}: their networks don't fit.",
            f"Train with `--model {theirs}`.",
        )
    content = _content_of(source)
    size = int(content["spec"]["size"])
    if "discriminator" in content:
        content |= {"discriminator": _as_views(content["discriminator"], size)}
    if size >= job.spec.size:  # it has learned what a smaller size teaches
        grow(state, len(job.plan.model.progressive) - 1)
    layers: Counter[Fit] = Counter()
    for network in content.keys() & set(NETWORKS):
        layers += _copy_layers(content[network], getattr(state, network).state_dict(), state.generator.fitted_modules)
    if layers[Fit.WHOLE] < LEAST_SHARE * layers.total():
        raise XrganError(
            f"Hardly anything of {source.path} fits this run: {layers[Fit.WHOLE]} of {layers.total()} layers.",
            "Take the widths and the latent size of its config.yaml: --set model.generator_width=… and so on.",
        )
    console.notice(
        f"Starting from {source.path} ({content['images_seen']:,} images seen): of {layers.total()} layers "
        f"{layers[Fit.WHOLE]} are taken over, {layers[Fit.PART]} in part, {layers[Fit.NOTHING]} are new."
    )
    return int(content["step"])


def _as_views(discriminator: dict[str, Tensor], size: int) -> dict[str, Tensor]:
    """What a discriminator of images of one size knows, also by the names that it has in one of several sizes."""
    return discriminator | {f"views.{size}.{name}": value for name, value in discriminator.items()}


def _content_of(source: RunDir | Export) -> Content:
    if isinstance(source, Export):
        content = exported_content(source)
        return content | {"generator": content["ema"]}
    if is_pruned(source):
        pruned = checkpoint.load_last_as(source.checkpoints, lambda content: content, source.run_id())
        assert pruned is not None, "it was pruned with a checkpoint in it"
        return pruned[1] | {"generator": pruned[1]["ema"]}
    last = checkpoint.load_last_as(source.checkpoints, _whole, source.run_id())
    if last is None:
        raise XrganError(f"{source.path} has no checkpoint to start from.", f"`xrgan resume --run {source.path}`.")
    return last[1]


def _whole(content: Content) -> Content:
    """The content; KeyError, TypeError or ValueError where it lacks what is taken over."""
    tensors = [value for name in NETWORKS for value in content[name].values()]
    if not all(isinstance(value, Tensor) for value in tensors):
        raise TypeError("it holds no networks")
    return content | {"step": int(content["step"]), "images_seen": int(content["images_seen"])}


def _copy_layers(given: dict[str, Tensor], own: dict[str, Tensor], fitted_modules: tuple[str, ...]) -> Counter[Fit]:
    """Copy what fits of one network, and count the layers by how much did.

    Args:
        fitted_modules: are the new dataset's own.
    """
    layers: Counter[Fit] = Counter()
    for key, value in own.items():
        if key.split(".")[0] in fitted_modules or not value.ndim:
            continue
        fit = _copy(given[key], value) if key in given else Fit.NOTHING
        if value.ndim > 1:  # the kernels: what goes with them is no more than their trim
            layers[fit] += 1
    return layers


def _copy(given: Tensor, own: Tensor) -> Fit:
    """Copy what both have, where they differ in one dimension at most."""
    if given.ndim != own.ndim:
        return Fit.NOTHING
    different = [k for k in range(own.ndim) if given.shape[k] != own.shape[k]]
    if len(different) > 1:
        return Fit.NOTHING
    common = tuple(slice(min(a, b)) for a, b in zip(given.shape, own.shape, strict=True))
    own[common].copy_(given[common])
    return Fit.PART if different else Fit.WHOLE
