"""Does the memory that `xrgan prepare` takes grow with the number of images?

    python tests/benchmarks/prepare_memory.py [--n 2000 20000] [--size 64] [--root FOLDER]

Draws as many phantoms (kept in FOLDER/<n>, if one is given, for the next time), prepares each set by the command, and
prints the peaks of resident memory: of the command's own process, and of the largest of its workers.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

MEASURED = """
import resource, sys
from xrgan.cli import main
try:
    main()
finally:
    own, workers = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(own, workers, file=sys.stderr)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, nargs="+", default=[2000, 20000])
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--root", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for n in options.n:
            root = (options.root or Path(folder)) / str(n)
            data = ["--data-root", str(root)]
            xrgan = [sys.executable, "-m", "xrgan"]
            subprocess.run(
                [*xrgan, "fetch", "phantom", "-q", "--n", str(n), "--size", str(options.size), *data], check=True
            )
            with tempfile.TemporaryDirectory() as scripts:
                script = Path(scripts) / "measured.py"
                script.write_text(f"if __name__ == '__main__':\n{indented(MEASURED)}")
                wish = ["prepare", "phantom", "-q", "--force", "--size", str(options.size), *data]
                said = subprocess.run(
                    [sys.executable, str(script), *wish], capture_output=True, text=True, check=True, env=os.environ
                )
            own, workers = (int(number) / 1024 for number in said.stderr.split()[-2:])
            print(f"{n:,} phantoms: {own:.0f} MB, the largest worker {workers:.0f} MB", flush=True)


def indented(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.splitlines())


if __name__ == "__main__":
    main()
