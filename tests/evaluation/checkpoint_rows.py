"""Rows of over_time.csv for tests."""

from xrgan.evaluation.checkpoint_scores import Row


def row(step: int, kid: float = 0.1, split: str = "val", n: int = 50, coverage: float = 0.5) -> Row:
    return Row(
        checkpoint=f"step_{step:08d}",
        epoch=step / 10,
        step=step,
        images_seen=16 * step,
        split=split,
        n=n,
        seed=0,
        extractor="toy",
        layer=64,
        fid=1000 * kid,
        fid_floor=12.5,
        kid=kid,
        kid_std=0.01,
        kid_floor=-0.001,
        clipped_coverage=coverage,
        clipped_coverage_floor=0.97,
        seconds=1.5 * step,
    )
