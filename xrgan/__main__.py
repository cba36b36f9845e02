"""`python -m xrgan`."""

from xrgan.cli import main

main()
