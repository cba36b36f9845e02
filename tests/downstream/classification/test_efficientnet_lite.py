"""EfficientNet-Lite as a classifier: the published network, and one that learns."""

import pytest
import torch

from xrgan.downstream.classification.efficientnet_lite import ARCHS, EfficientNetLite
from xrgan.downstream.classification.networks import ENLARGED_TO, build
from xrgan.errors import XrganError
from xrgan.evaluation.lite import LiteFeatures
from xrgan.lite_weights import fetch_lite

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("arch", ARCHS)
def test_it_is_the_frozen_network_of_the_scores(arch: str) -> None:
    """Written twice, once fused and once to be trained, they answer alike at the size of the published weights."""
    lite = ARCHS[arch]
    try:
        weights = fetch_lite(lite, f"--arch {arch}")
    except XrganError as error:
        pytest.skip(str(error))
    network = build(arch, 3, 2, "imagenet", unfreeze=False).eval()
    images = torch.randint(0, 256, (2, 3, lite.pixels, lite.pixels), generator=torch.manual_seed(0)).byte()
    with torch.no_grad():
        torch.testing.assert_close(network.features(images), LiteFeatures(weights, lite)(images), atol=1e-4, rtol=1e-3)


def test_smaller_images_are_enlarged_where_it_has_seen_imagenet() -> None:
    seen: list[int] = []
    for weights, size in (("imagenet", ENLARGED_TO), ("none", 32)):
        network = build("efficientnet-lite0", 1, 2, weights, unfreeze=False).eval()
        assert isinstance(network.body, EfficientNetLite)
        network.body._conv_stem.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].shape[-1]))
        network(torch.zeros(1, 1, 32, 32, dtype=torch.uint8))
        assert seen.pop() == size


def test_all_of_it_learns_where_it_may_and_the_head_alone_where_not() -> None:
    for unfreeze in (False, True):
        network = build("efficientnet-lite0", 1, 3, "imagenet", unfreeze).train()
        before = {key: value.clone() for key, value in network.state_dict().items()}
        optimizer = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], lr=0.1)
        logits = network(torch.randint(0, 256, (4, 1, 16, 16), generator=torch.manual_seed(0)).byte())
        torch.nn.functional.cross_entropy(logits, torch.tensor([0, 1, 2, 0])).backward()
        optimizer.step()
        changed = {key for key, value in network.state_dict().items() if not torch.equal(value, before[key])}
        assert {"head.1.weight", "head.1.bias"} <= changed
        assert ("body._conv_stem.weight" in changed) == ("body._bn0.running_mean" in changed) == unfreeze


def test_folded_it_answers_alike_through_the_same_head_and_the_original_keeps_its_weights() -> None:
    network = build("efficientnet-lite0", 1, 2, "imagenet", unfreeze=False).eval()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    folded = network.folded().eval()
    images = torch.randint(0, 256, (4, 1, 48, 48), generator=torch.manual_seed(0)).byte()
    with torch.no_grad():
        torch.testing.assert_close(folded.features(images), network.features(images), atol=1e-4, rtol=1e-3)
    assert folded.head is network.head
    assert [name for name, weight in folded.named_parameters() if weight.requires_grad] == [
        "head.1.weight",
        "head.1.bias",
    ]
    assert not any(isinstance(module, torch.nn.BatchNorm2d) and module.affine for module in folded.modules())
    torch.testing.assert_close(network.state_dict(), before, atol=0, rtol=0)
