"""The main job, end to end, on embedded phantom X-rays: what `make demo` runs.

Everything lands in ./demo; a second call goes on where the first one stopped.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

FOLDER = Path("demo")
COMMANDS = """
xrgan fetch phantom --n 1000
xrgan prepare phantom --size 64
xrgan train --run runs/demo --data phantom_64 --epochs 20 --evaluate-every 10
xrgan sample --run runs/demo --n 1000 --seed 1 --interpolate
xrgan evaluate --run runs/demo
xrgan classify --run runs/demo --arch resnet18 --weights none --epochs 3 --seeds 3
xrgan segment --run runs/demo --epochs 3
xrgan report runs/demo
xrgan runs
"""
RESULTS = [
    "runs/demo/report.html",
    "runs/demo/samples/epoch_0020.png",
    "runs/demo/losses.png",
    "runs/demo/synthetic/sheet.png",
    "runs/demo/synthetic/walk.gif",
    "runs/demo/evaluation/overview.png",
    "runs/demo/evaluation/memorisation.png",
    "runs/demo/evaluation/over_time.png",
    "runs/demo/classify/report.md",
    "runs/demo/segment/report.md",
    "runs/demo/segment/overlays.png",
]


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    start = time.monotonic()
    environment = {key: value for key, value in os.environ.items() if key not in {"XRGAN_DATA", "XRGAN_RUNS"}}
    for command in COMMANDS.strip().splitlines():
        print(f"\n$ {command}", flush=True)
        arguments = [sys.executable, "-m", *command.split()]
        if subprocess.run(arguments, cwd=FOLDER, env=environment).returncode != 0:
            sys.exit(f"The demo stopped at: {command}")
    print(f"\nDone in {(time.monotonic() - start) / 60:.1f} minutes. What to look at:")
    for result in RESULTS:
        assert (FOLDER / result).is_file(), result
        print(f"  {FOLDER / result}")


if __name__ == "__main__":
    main()
