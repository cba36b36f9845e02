"""Vision transformers as second opinions, from a file of weights that the user has: DINOv2, RAD-DINO, RadioDINO.

They learned without labels, DINOv2 from photos, RAD-DINO from chest X-rays, RadioDINO from CT, MRI and ultrasound. None
of their files is in a package, so the user brings one. The features are those of the class token behind the last norm.
No paper quotes FID by them: compare such scores with one another only. The networks are timm's, the extra `dino`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from xrgan import console
from xrgan.errors import XrganError
from xrgan.files import sha256
from xrgan.tensor_files import load_safetensors, read_tensors

INSTALL = "pip install 'xrgan[dino]'"
TAKES = (
    "`--extractor FILE` takes DINOv2's dinov2_vits14_pretrain.pth or dinov2_vitb14_pretrain.pth, "
    "or the model.safetensors of RAD-DINO, RadioDINO or DINOv2 (small or base)."
)
HEAD_FEATURES = 64  # of each attention head, in every published one
SIZES = {192: "t", 384: "s", 768: "b", 1024: "l"}  # features of a ViT → the letter in its name
IMAGES_AT_ONCE = 8  # bounds the memory: 0.2 GB of a ViT-B/14 at 518 pixels
NEVER_USED = ("mask_token", "head.weight", "head.bias")

State = dict[str, Tensor]


@dataclass(frozen=True)
class Look:
    """How a network's images were resized and normalised when it learned."""

    pixels: int = 224
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)  # of ImageNet, 1 = white
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    resize: str = "bicubic"


@dataclass(frozen=True)
class Published:
    """A network that is published, and how it looks at images."""

    name: str
    look: Look = Look()


AS_RADIODINO = Look(resize="bilinear")  # its model card; no hash of its files was published by others
RAD_DINO = Published("rad-dino", Look(518, (0.5307,) * 3, (0.2583,) * 3))
PUBLISHED = {
    # dl.fbaipublicfiles.com/dinov2: dinov2_vits14_pretrain.pth, dinov2_vitb14_pretrain.pth
    "b938bf1bc15cd2ec0feacfe3a1bb553fe8ea9ca46a7e1d8d00217f29aef60cd9": Published("dinov2-vits14"),
    "0b8b82f85de91b424aded121c7e1dcc2b7bc6d0adeea651bf73a13307fad8c73": Published("dinov2-vitb14"),
    # huggingface.co/facebook/dinov2-small and dinov2-base: model.safetensors
    "ae1e99fcefd534ed978cdeb8326f08030c96e28b7a81ffcbc98a857c84d14be1": Published("dinov2-vits14"),
    "d73036b56966966d07975d696bde331762f37297e2f095de8cea0040c3aa0841": Published("dinov2-vitb14"),
    # huggingface.co/microsoft/rad-dino: model.safetensors, backbone_compatible.safetensors
    "dbfb9f54459c38773505de64a6ab7807bdcb392610fe1e697166342e43fb91ae": RAD_DINO,
    "1eac0464b2a00d368aa3eea1dc029964b10320fbabc59a8a4e768c43a23d26f4": RAD_DINO,
}
"""SHA-256 of a file → what is in it."""

# Where transformers' Dinov2Model keeps what the published code, and timm's, call otherwise.
RENAMED = (
    (r"^embeddings\.cls_token$", "cls_token"),
    (r"^embeddings\.position_embeddings$", "pos_embed"),
    (r"^embeddings\.mask_token$", "mask_token"),
    (r"^embeddings\.patch_embeddings\.projection\.", "patch_embed.proj."),
    (r"^encoder\.layer\.(\d+)\.attention\.attention\.", r"blocks.\1.attn."),
    (r"^encoder\.layer\.(\d+)\.attention\.output\.dense\.", r"blocks.\1.attn.proj."),
    (r"^encoder\.layer\.(\d+)\.layer_scale(\d)\.lambda1$", r"blocks.\1.ls\2.gamma"),
    (r"^encoder\.layer\.(\d+)\.", r"blocks.\1."),
    (r"^layernorm\.", "norm."),
)


class DinoFeatures(nn.Module):
    """uint8 (B, 1 or 3, H, W) of any size → float32 (B, features): the class token behind the last norm."""

    def __init__(self, network: nn.Module, look: Look) -> None:
        super().__init__()
        self.network, self.look = network, look
        self.register_buffer("mean", torch.tensor(look.mean)[:, None, None])
        self.register_buffer("std", torch.tensor(look.std)[:, None, None])

    def forward(self, images: Tensor) -> Tensor:
        return torch.cat([self._of_few(few) for few in torch.split(images, IMAGES_AT_ONCE)])

    def _of_few(self, images: Tensor) -> Tensor:
        size = (self.look.pixels, self.look.pixels)
        resized = interpolate(images.float(), size, mode=self.look.resize, antialias=True, align_corners=False)
        normalised = (resized.clamp(0, 255) / 255 - self.get_buffer("mean")) / self.get_buffer("std")
        features: Tensor = self.network(normalised)
        return features


@dataclass(frozen=True)
class Dino:
    """A network, read from a file."""

    name: str
    sha256: str
    features: int
    network: DinoFeatures


def read_dino(file: Path) -> Dino:
    """Read a vision transformer from a file of weights: safetensors, or torch's, of which no code is run.

    What it is called and how it looks at images follows from the file's SHA-256. One that is none of the known ones
    is looked through as through RadioDINO, and the user is told.

    Raises:
        XrganError: it can't be read, holds no such network, or timm isn't installed.
    """
    digest, state = sha256(file), _named_as_timm(_read(file))
    published = PUBLISHED.get(digest)
    network, shape = _network(state, file)
    if published is None:
        published = Published(f"{shape}-{digest[:8]}", AS_RADIODINO)
        console.notice(
            f"{file.name} is none of the files whose SHA-256 is known (its own: {digest}): taken for a {shape} that "
            f"sees {AS_RADIODINO.pixels} pixels, normalised as ImageNet, as RadioDINO does."
        )
    return Dino(published.name, digest, int(state["cls_token"].shape[-1]), DinoFeatures(network, published.look))


def _read(file: Path) -> State:
    try:
        if file.suffix.lower() == ".safetensors":
            return load_safetensors(file.read_bytes(), str(file))
        content = read_tensors(file)
    except OSError as error:
        raise XrganError(f"{file} can't be read ({error.strerror}).") from error
    except ValueError as error:
        raise XrganError(f"{file} is damaged, or no file of weights: {error}.", TAKES) from error
    except XrganError as error:
        raise XrganError(error.message, TAKES) from error
    return {name: tensor for name, tensor in content.items() if isinstance(tensor, Tensor)}


def _named_as_timm(state: Mapping[str, Tensor]) -> State:
    """Name weights as timm does, those for queries, keys and values joined; what no features need is left out."""
    named: State = {}
    for name, tensor in state.items():
        for pattern, replacement in RENAMED:
            name = re.sub(pattern, replacement, name)
        named[name] = tensor.float()
    for name in [name for name in named if ".attn.query." in name]:
        parts = [named.pop(name.replace("query", part), None) for part in ("query", "key", "value")]
        named[name.replace("query", "qkv")] = torch.cat([part for part in parts if part is not None])
    return {name: tensor for name, tensor in named.items() if name not in NEVER_USED}


def _network(state: State, file: Path) -> tuple[nn.Module, str]:
    """Build the network of these weights, and say its shape in short, such as vit-s/16."""
    try:
        from timm.models.vision_transformer import VisionTransformer
    except ImportError as error:
        raise XrganError("`--extractor FILE` needs timm, which isn't installed.", f"`{INSTALL}` gets it.") from error
    try:
        _, _, patch, _ = state["patch_embed.proj.weight"].shape
        _, places, features = state["pos_embed"].shape
        heads, rest = divmod(features, HEAD_FEATURES)
        if rest or not heads:
            raise ValueError(f"its heads can't have {HEAD_FEATURES} features each")
        with torch.device("meta"):  # no initial weights: they would cost time and random numbers
            network = VisionTransformer(
                img_size=round((places - 1) ** 0.5) * patch,
                patch_size=patch,
                num_classes=0,
                embed_dim=features,
                depth=len({name.split(".")[1] for name in state if name.startswith("blocks.")}),
                num_heads=heads,
                init_values=1.0 if "blocks.0.ls1.gamma" in state else None,
                dynamic_img_size=True,
            )
        network.load_state_dict(state, assign=True)
    except (KeyError, ValueError, RuntimeError) as error:
        raise XrganError(f"{file} holds no vision transformer that is known here.", TAKES) from error
    network.eval().requires_grad_(False)
    return network, f"vit-{SIZES.get(features, features)}/{patch}"
