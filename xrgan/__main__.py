"""`python -m xrgan`."""

import sys
from pathlib import Path

# -m puts the working directory first, where a file of the user's own, random.py, would be taken for Python's.
if Path(sys.path[0] or ".").resolve() == Path.cwd() != Path(__file__).resolve().parents[1]:
    del sys.path[0]

from xrgan.entry import main

main()
