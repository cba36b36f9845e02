"""Which network `--arch auto` means: chosen once for a study, and the same when it is resumed, online or not."""

from typing import Literal

from pydantic import BaseModel

from xrgan import console
from xrgan.config import AUTO, Config
from xrgan.errors import XrganError
from xrgan.files import read_yaml, write_yaml
from xrgan.rundir import RunDir

FILE = "auto.yaml"  # in a run's classify/
PRETRAINED = "imagenet"

Chosen = Literal["resnet50", "efficientnet-lite0"]


class _Auto(BaseModel):
    """What the file holds."""

    arch: Chosen


def with_arch(config: Config, run: RunDir) -> Config:
    """Write the network that `auto` means into the options of `classify`.

    What it became is kept in the run's classify/: whether weights can be downloaded changes from day to day, and
    networks of two kinds are not compared with one another. (A run that isn't there yet is made with this config.)

    Raises:
        XrganError: the file of an earlier choice is damaged.
    """
    if config.classify.arch != AUTO:
        return config
    chosen: Chosen = "resnet50"
    if config.classify.weights == PRETRAINED:
        earlier = _earlier(run)
        chosen = earlier or _arch_here()
        if run.exists() and earlier is None:
            write_yaml(run.classify / FILE, {"arch": chosen})
    return config.model_copy(update={"classify": config.classify.model_copy(update={"arch": chosen})})


def _earlier(run: RunDir) -> Chosen | None:
    """What `auto` became when the run's study began."""
    file = run.classify / FILE
    if not file.is_file():
        return None
    arch = _Auto.model_validate(read_yaml(file, _Auto, "Delete it: then it is chosen anew.")).arch
    other = "efficientnet-lite0" if arch == "resnet50" else "resnet50"
    console.notice(f"The classifier is {arch}, as when this study began (`--arch {other}` begins another).")
    return arch


def _arch_here() -> Chosen:
    """ResNet-50, unless its ImageNet weights can't be had: then what has some on every machine."""
    from xrgan.downstream.classification.imagenet_weights import locate

    try:
        locate("resnet50", PRETRAINED)
    except XrganError as error:
        console.notice(f"{error.message} So it is efficientnet-lite0, whose ImageNet weights are here.")
        return "efficientnet-lite0"
    console.notice("The classifier is resnet50 with ImageNet weights (`--arch efficientnet-lite0` is faster).")
    return "resnet50"
