"""`python -m xrgan`."""

from xrgan.entry import main

main()
