"""Vision transformers from files of weights: random ones, of the published shapes and key names, but for their size."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.functional import gelu, interpolate, layer_norm, linear, scaled_dot_product_attention

from xrgan.config import EvaluateConfig
from xrgan.errors import XrganError
from xrgan.evaluation import dino
from xrgan.evaluation.dino import PUBLISHED, RAD_DINO, DinoFeatures, Published, read_dino
from xrgan.evaluation.evaluate import evaluate
from xrgan.evaluation.extractors import vision_transformer
from xrgan.evaluation.features import extract
from xrgan.evaluation.image_sets import ImageSet, sample_comparison
from xrgan.evaluation.scores_table import extractors, rows
from xrgan.files import sha256

pytestmark = pytest.mark.slow

State = dict[str, Tensor]
Draw = Callable[..., np.ndarray]
FEATURES, DEPTH, HEADS = 128, 2, 2
TRANSFORMERS_NAMES = {
    "attn.proj": "attention.output.dense",
    "attn.query": "attention.attention.query",
    "attn.key": "attention.attention.key",
    "attn.value": "attention.attention.value",
    "ls1.gamma": "layer_scale1.lambda1",
    "ls2.gamma": "layer_scale2.lambda1",
}


def as_hub(patch: int = 14, places: int = 37 * 37, scaled: bool = True) -> State:
    """Weights by the names that the published DINOv2 has; without `scaled`, by those of RadioDINO in timm."""
    random = torch.Generator().manual_seed(0)

    def weight(*shape: int) -> Tensor:
        return torch.randn(shape, generator=random) * 0.1

    state = {
        "cls_token": weight(1, 1, FEATURES),
        "pos_embed": weight(1, 1 + places, FEATURES),
        "patch_embed.proj.weight": weight(FEATURES, 3, patch, patch),
        "patch_embed.proj.bias": weight(FEATURES),
        "norm.weight": 1 + weight(FEATURES),
        "norm.bias": weight(FEATURES),
    }
    layers = {"attn.qkv": (3, 1), "attn.proj": (1, 1), "mlp.fc1": (4, 1), "mlp.fc2": (1, 4)}
    for block in (f"blocks.{k}" for k in range(DEPTH)):
        for norm in ("norm1", "norm2"):
            state |= {f"{block}.{norm}.weight": 1 + weight(FEATURES), f"{block}.{norm}.bias": weight(FEATURES)}
        for layer, (out, into) in layers.items():
            state[f"{block}.{layer}.weight"] = weight(out * FEATURES, into * FEATURES)
            state[f"{block}.{layer}.bias"] = weight(out * FEATURES)
        if scaled:
            state |= {f"{block}.{name}.gamma": weight(FEATURES) for name in ("ls1", "ls2")}
    return state | ({"mask_token": weight(1, FEATURES)} if scaled else {})


def as_transformers(hub: State) -> State:
    """The same weights by the names that RAD-DINO's file has."""
    renamed: State = {}
    for name, tensor in hub.items():
        if ".attn.qkv." in name:
            parts = zip(("query", "key", "value"), tensor.chunk(3), strict=True)
            renamed |= {name.replace("qkv", part): one.clone() for part, one in parts}
        else:
            renamed[name] = tensor
    outside = {
        "cls_token": "embeddings.cls_token",
        "pos_embed": "embeddings.position_embeddings",
        "mask_token": "embeddings.mask_token",
        "patch_embed.proj.weight": "embeddings.patch_embeddings.projection.weight",
        "patch_embed.proj.bias": "embeddings.patch_embeddings.projection.bias",
        "norm.weight": "layernorm.weight",
        "norm.bias": "layernorm.bias",
    }

    def theirs(name: str) -> str:
        for ours, other in TRANSFORMERS_NAMES.items():
            name = name.replace(ours, other)
        return outside.get(name, re.sub(r"^blocks\.", "encoder.layer.", name))

    return {theirs(name): tensor for name, tensor in renamed.items()}


def write(path: Path, state: State) -> Path:
    if path.suffix == ".safetensors":
        save_file(state, path)
    else:
        torch.save(state, path)
    return path


def by_hand(state: State, images: Tensor) -> Tensor:
    """The class token of a ViT (Dosovitskiy et al. 2021, equations 1 to 4), LayerScale where it has one."""
    patch = state["patch_embed.proj.weight"].shape[-1]
    maps = nn.functional.conv2d(images, state["patch_embed.proj.weight"], state["patch_embed.proj.bias"], stride=patch)
    places, side = state["pos_embed"][:, 1:], round((state["pos_embed"].shape[1] - 1) ** 0.5)
    grid = places.reshape(1, side, side, -1).permute(0, 3, 1, 2)
    if side != maps.shape[-1]:
        grid = interpolate(grid, maps.shape[-2:], mode="bicubic", antialias=True, align_corners=False)
    tokens = (maps + grid).flatten(2).transpose(1, 2)
    first = (state["cls_token"] + state["pos_embed"][:, :1]).expand(len(images), -1, -1)
    x = torch.cat([first, tokens], dim=1)

    def norm(x: Tensor, name: str) -> Tensor:
        return layer_norm(x, (FEATURES,), state[f"{name}.weight"], state[f"{name}.bias"], eps=1e-6)

    for block in (f"blocks.{k}" for k in range(DEPTH)):
        gammas = [state.get(f"{block}.ls{k}.gamma", torch.ones(1)) for k in (1, 2)]
        qkv = linear(norm(x, f"{block}.norm1"), state[f"{block}.attn.qkv.weight"], state[f"{block}.attn.qkv.bias"])
        query, key, value = qkv.unflatten(2, (3, HEADS, -1)).permute(2, 0, 3, 1, 4)
        seen = scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
        x = x + gammas[0] * linear(seen, state[f"{block}.attn.proj.weight"], state[f"{block}.attn.proj.bias"])
        wide = gelu(linear(norm(x, f"{block}.norm2"), state[f"{block}.mlp.fc1.weight"], state[f"{block}.mlp.fc1.bias"]))
        x = x + gammas[1] * linear(wide, state[f"{block}.mlp.fc2.weight"], state[f"{block}.mlp.fc2.bias"])
    return norm(x[:, 0], "norm")


@pytest.mark.parametrize("pixels", [518, 224])
def test_the_features_are_the_class_token_of_the_published_formulas(tmp_path: Path, pixels: int) -> None:
    state = as_hub()
    network = read_dino(write(tmp_path / "dinov2_vits14_pretrain.pth", state)).network.network
    images = torch.randn(2, 3, pixels, pixels, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        torch.testing.assert_close(network(images), by_hand(state, images), rtol=1e-4, atol=1e-4)


def test_three_ways_to_name_the_same_weights_give_the_same_features(tmp_path: Path, draw: Draw) -> None:
    state = as_hub()
    without_mask_token = {name: tensor for name, tensor in state.items() if name != "mask_token"}
    files = {
        "hub.pth": state,
        "transformers.safetensors": as_transformers(state),
        "timm.safetensors": without_mask_token,
    }
    images = torch.from_numpy(draw(3, seed=0))
    found = [read_dino(write(tmp_path / name, of_file)).network(images) for name, of_file in files.items()]
    assert found[0].shape == (3, FEATURES) and torch.equal(found[0], found[1]) and torch.equal(found[0], found[2])
    assert (found[0][0] - found[0][1]).abs().max() > 0.01


def test_a_radiodino_has_patches_of_16_and_no_layer_scale(tmp_path: Path, draw: Draw) -> None:
    state = as_hub(patch=16, places=14 * 14, scaled=False)
    half = {name: tensor.half() for name, tensor in state.items()}
    read = read_dino(write(tmp_path / "model.safetensors", half))
    assert read.name == f"vit-{FEATURES}/16-{read.sha256[:8]}" and read.network.look.pixels == 224
    as_float = {name: tensor.float() for name, tensor in half.items()}
    images = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(read.network.network(images), by_hand(as_float, images), rtol=1e-4, atol=1e-4)


class Seen(nn.Module):
    """Gives back the channel means of what it is shown."""

    def forward(self, images: Tensor) -> Tensor:
        self.shape = images.shape
        return images.mean(dim=(2, 3))


@pytest.mark.parametrize(
    ("published", "pixels", "of_black", "of_white"),
    [
        (RAD_DINO, 518, [-0.5307 / 0.2583] * 3, [0.4693 / 0.2583] * 3),
        (
            Published("dinov2-vits14"),
            224,
            [-0.485 / 0.229, -0.456 / 0.224, -0.406 / 0.225],
            [0.515 / 0.229, 0.544 / 0.224, 0.594 / 0.225],
        ),
    ],
)
def test_images_are_resized_and_normalised_as_the_network_learned(
    published: Published, pixels: int, of_black: list[float], of_white: list[float]
) -> None:
    network = Seen()
    images = torch.stack([torch.zeros(3, 32, 32), torch.full((3, 32, 32), 255)]).to(torch.uint8)
    means = DinoFeatures(network, published.look)(images)
    assert network.shape == (2, 3, pixels, pixels)
    torch.testing.assert_close(means, torch.tensor([of_black, of_white]), rtol=1e-4, atol=1e-4)


def test_a_published_file_is_known_by_its_hash_under_any_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "from the other machine.safetensors", as_transformers(as_hub()))
    unknown = read_dino(file)
    told = " ".join(capsys.readouterr().err.split())
    assert unknown.sha256 == sha256(file) and sha256(file) in told and "as RadioDINO does" in told
    monkeypatch.setitem(PUBLISHED, sha256(file), RAD_DINO)
    known = read_dino(file)
    assert known.name == "rad-dino" and known.network.look == RAD_DINO.look
    assert not capsys.readouterr().err
    assert vision_transformer(known, "cpu").identity != vision_transformer(unknown, "cpu").identity


def test_every_score_stands_beside_its_floor_in_a_table_of_its_own(tmp_path: Path, draw: Draw) -> None:
    read = read_dino(write(tmp_path / "a.pth", as_hub(patch=16, places=9)))
    comparison = sample_comparison(*(ImageSet(draw(24, seed=seed)) for seed in range(3)), 24, 0)
    scores = evaluate(
        comparison,
        ("fid", "kid", "clipped", "prdc"),
        EvaluateConfig(),
        lambda: vision_transformer(read, "cpu"),
        tmp_path,
    )
    assert list(extractors(scores)) == [read.name]
    assert [row[0] for row in rows(scores, read.name)][:3] == ["KID", "Clipped coverage", "FID"]
    figures = scores["metrics"]
    for name in ("fid", "kid", "clipped_coverage", "clipped_density", "coverage"):
        figure = figures[f"{name}@{read.name}"]
        assert figure["floor"] is not None and figure["layer"] == FEATURES and figure["weights"] == read.sha256


def test_features_are_kept_for_each_file(tmp_path: Path, draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    state, images, seen = as_hub(patch=16, places=9), draw(3, seed=0), []
    forward = DinoFeatures.forward
    monkeypatch.setattr(DinoFeatures, "forward", lambda self, x: seen.append(len(x)) or forward(self, x))
    for name, scale in (("a", 1), ("a copy", 1), ("another", 2)):
        file = write(tmp_path / f"{name}.safetensors", {**state, "norm.weight": scale * state["norm.weight"]})
        extract(images, vision_transformer(read_dino(file), "cpu"), "images")
    assert seen == [3, 3]


class Malicious:
    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return eval, ("open('ran', 'w')",)


def without(name: str) -> State:
    return {key: tensor for key, tensor in as_hub().items() if key != name}


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.safetensors", b"torn", "damaged"),
        ("a.pth", b"torn", "damaged, or no file of weights"),
        ("a.pth", {"cls_token": Malicious()}, "damaged, or no file of weights"),
        ("a.bin", [torch.zeros(1)], "damaged, or no file of weights"),
        ("a.pth", {"conv1.weight": torch.zeros(64, 3, 7, 7)}, "holds no vision transformer"),
        ("a.pth", without("blocks.1.attn.qkv.bias"), "holds no vision transformer"),
        ("a.pth", {**as_hub(), "register_tokens": torch.zeros(1, 4, FEATURES)}, "holds no vision transformer"),
        ("a.pth", {**as_hub(), "blocks.0.norm1.weight": torch.zeros(3)}, "holds no vision transformer"),
        ("a.pth", {**as_hub(), "pos_embed": torch.zeros(1, 10, 100)}, "holds no vision transformer"),
        ("a.safetensors", {"embeddings.cls_token": torch.zeros(1, 1, 64)}, "holds no vision transformer"),
    ],
)
def test_a_wrong_file_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: object, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / name
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif file.suffix == ".safetensors":
        save_file(content, file)
    else:
        torch.save(content, file)
    with pytest.raises(XrganError) as caught:
        read_dino(file)
    assert str(file) in caught.value.message and says in caught.value.message and "\n" not in str(caught.value)
    assert not Path("ran").exists()


def test_without_timm_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(tmp_path / "a.pth", as_hub(patch=16, places=9))
    monkeypatch.setitem(sys.modules, "timm.models.vision_transformer", None)
    with pytest.raises(XrganError, match="timm, which isn't installed") as caught:
        read_dino(file)
    assert dino.INSTALL in caught.value.hint


@pytest.mark.parametrize("suffix", [".safetensors", ".pth", ".pt", ".bin"])
def test_a_file_of_weights_may_be_named_in_the_configuration(suffix: str) -> None:
    assert EvaluateConfig(extractor=f"~/weights/a{suffix}").extractor == f"~/weights/a{suffix}"
    with pytest.raises(ValueError, match="no network and no file"):
        EvaluateConfig(extractor=suffix)
