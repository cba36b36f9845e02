"""The network that features come from."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from xrgan.config import Config
from xrgan.workspace import Workspace

if TYPE_CHECKING:
    from xrgan.evaluation.extractors import Extractor


def extractor_of(workspace: Workspace, config: Config) -> "Callable[[], Extractor]":
    """The network that features come from, loaded when it is needed."""
    from xrgan.evaluation import extractors, inception
    from xrgan.hardware import choose_device

    chosen, device = config.evaluate, choose_device(config.device)
    kind, _, name = chosen.extractor.partition(":")

    def make() -> "Extractor":
        if kind == "inception":
            weights = inception.check_weights(Path(chosen.weights)) if chosen.weights else inception.fetch_weights()
            return extractors.inception(weights, device)
        from xrgan.downstream.arms import REAL
        from xrgan.downstream.classification.saved import load_classifier

        run = workspace.find_run(name)
        saved = load_classifier(run.classify, REAL)
        network = saved.network.to(device)
        return extractors.custom(
            f"classifier:{run.name}", saved.sha256, saved.features, network.features, device, saved.about.channels
        )

    return make
