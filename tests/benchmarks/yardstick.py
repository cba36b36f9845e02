"""The yardstick of the race: pytorch/examples' own dcgan/main.py, unchanged, on the same images, cores and minutes.

    python tests/benchmarks/yardstick.py MAIN.PY DATASET RUN [--minutes 10] [--seed 0] [--out FOLDER]

MAIN.PY is the file from github.com/pytorch/examples, DATASET a prepared one of 64², RUN any run on that dataset: its
held-out images are what `xrgan evaluate --synthetic` compares with. The script saves its generator at the end of an
epoch only, so it may finish the epoch that its minutes end in. It writes RGB: the mean of the three is scored. Both of
BatchNorm's ways of drawing are scored (running statistics, and the batch's own, as the script's previews are drawn).
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor, nn

from xrgan.data.images import to_pil
from xrgan.data.packed import open_packed

N, BATCH, SEED = 1000, 50, 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("script", type=Path)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--split", choices=["val", "test", "held-out"], default="held-out")
    parser.add_argument("--out", type=Path, default=Path("yardstick"))
    options = parser.parse_args()
    images = options.out / "training_images"
    if not images.exists():
        export(options.dataset, images)
    work = options.out / f"seed_{options.seed}"
    if not list(work.glob("netG_*.pth")):
        seconds = train(options, images, work)
        print(f"{len(list(work.glob('netG_*.pth')))} epochs in {seconds:.0f} s", flush=True)
    weights = max(work.glob("netG_*.pth"), key=lambda path: path.stat().st_mtime)
    for name in ("running statistics", "the batch's"):
        folder = work / name.split()[0]
        draw(weights, folder, running_statistics=name.startswith("running"))
        score = ["evaluate", "--run", str(options.run), "--data", str(options.dataset), "--synthetic", str(folder)]
        score += ["--fid", "--kid", "--split", options.split, "--json"]
        done = subprocess.run([sys.executable, "-m", "xrgan", *score], stdout=subprocess.PIPE, text=True, check=True)
        scores = json.loads(done.stdout)["metrics"]
        fid, kid = scores["fid"], scores["kid"]
        print(f"{weights.name}, {name}: FID {fid['value']:.1f} (floor {fid['floor']:.1f}, N = {fid['n']}), ", end="")
        print(f"KID ×1000 {1000 * kid['value']:.1f}", flush=True)


def export(dataset: Path, folder: Path) -> None:
    """The training split as an ImageFolder, a folder a class."""
    packed = open_packed(dataset)
    for k in packed.of_split("train"):
        there = folder / (packed.classes[packed.labels[k]] if packed.labels[k] >= 0 else "unlabelled")
        there.mkdir(parents=True, exist_ok=True)
        to_pil(packed.xrays([k])[0]).save(there / f"{k:06d}.png")


def train(options: argparse.Namespace, images: Path, work: Path) -> float:
    work.mkdir(parents=True, exist_ok=True)
    script = [sys.executable, str(options.script.resolve()), "--dataset", "folder", "--dataroot", str(images.resolve())]
    script += ["--niter", "100000", "--manualSeed", str(options.seed), "--outf", str(work.resolve())]
    begun = time.monotonic()
    with (work / "log.txt").open("w") as log, subprocess.Popen(script, stdout=log, start_new_session=True) as process:
        time.sleep(60 * options.minutes)
        before = len(list(work.glob("netD_*.pth")))
        while len(list(work.glob("netD_*.pth"))) == before and process.poll() is None:
            time.sleep(0.2)
        time.sleep(1)  # the last file is written
        seconds = time.monotonic() - begun
        os.killpg(process.pid, signal.SIGKILL)
    return seconds


def draw(weights: Path, folder: Path, running_statistics: bool) -> None:
    generator = Generator()
    generator.load_state_dict(torch.load(weights, weights_only=True))
    generator.train(not running_statistics)
    folder.mkdir(exist_ok=True)
    torch.manual_seed(SEED)
    for first in range(0, N, BATCH):
        with torch.no_grad():
            drawn: Tensor = generator.main(torch.randn(BATCH, 100, 1, 1))
        gray = drawn.mean(dim=1).add(1).mul(127.5).round().clamp(0, 255).byte().numpy()
        for k, image in enumerate(gray, start=first + 1):
            Image.fromarray(image).save(folder / f"synthetic_{k:05d}.png")


class Generator(nn.Module):
    """The script's generator, for its weights to be loaded into: main.py runs a training when it is imported."""

    def __init__(self, maps: int = 64) -> None:
        super().__init__()
        widths = [8 * maps, 4 * maps, 2 * maps, maps]
        layers: list[nn.Module] = []
        for k, width in enumerate(widths):
            before = nn.ConvTranspose2d(widths[k - 1] if k else 100, width, 4, *((2, 1) if k else (1, 0)), bias=False)
            layers += [before, nn.BatchNorm2d(width), nn.ReLU()]
        self.main = nn.Sequential(*layers, nn.ConvTranspose2d(maps, 3, 4, 2, 1, bias=False), nn.Tanh())


if __name__ == "__main__":
    main()
