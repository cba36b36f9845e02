"""What each score means, for whoever meets it for the first time."""

from collections.abc import Sequence

from xrgan.evaluation.metric_table import displays

FLOOR = (
    "real vs real",
    "What real images score against other real ones, at the same number of images: the best that can be hoped for. A "
    "score says little without it.",
)
INTERVAL = (
    "95 %",
    "Other patients would have given other figures: an interval holds the true one in about 95 % of cases.",
)
MEANINGS = {
    "fid": "Fréchet Inception distance: how far the two sets are apart in the features of a network. Lower is better. "
    "It depends on the number of images, so read the ratio to its floor.",
    "kid": "Kernel Inception distance: the same question, without FID's bias. Lower is better, 0 = no difference.",
    "clipped_coverage": "Variety: 0.8 is what a generator gets of whose images 80 % are as good as real ones.",
    "clipped_density": "Realism: 0.8 is what a generator gets of whose images 80 % are as good as real ones.",
    "diversity": "How far apart two synthetic images are, beside two real ones; 1 = as far. Noise is far apart, too.",
    "precision": "Share of synthetic images that lie among real ones.",
    "recall": "Share of real images that lie among synthetic ones. It misleads: it can rise while variety falls.",
    "density": "As precision, by how many real images each synthetic one lies among; can pass 1.",
    "coverage": "Share of real images with a synthetic one close by.",
    "memorisation": "Synthetic images that are nearer to a training image, by details of the pixels or by features, "
    "than all but 0.5 % of held-out real images are. No suspect is no proof.",
    "is": "Inception Score: says little, for ImageNet has no X-ray.",
    "ssim_diversity": "Structural similarity of pairs within the set: higher than of real pairs = less diverse.",
    "ssim_nearest": "Structural similarity to the nearest training image: higher than of real images = copies.",
    "ssim_random": "Structural similarity of random pairs: papers quote it, and it says little.",
    "ms_ssim": "Multi-scale structural similarity of pairs within the set: higher than of real pairs = less diverse.",
}


def meanings(names: Sequence[str]) -> list[tuple[str, str]]:
    """Title and meaning of these scores, and of what stands beside them."""
    known = displays()
    said = {name: MEANINGS.get(name) or shown.meaning or "No more is said of it." for name, shown in known.items()}
    return [FLOOR, INTERVAL, *((known[name].title, said[name]) for name in known if name in names)]
