"""xrgan: train a GAN on chest X-rays, draw synthetic ones, and learn honestly how good they are."""

__version__ = "0.1.0"
