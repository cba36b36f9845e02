"""A run's averaged generator, as it is shared: its weights as safetensors, and what they are."""

from collections.abc import Sequence

import xrgan
from xrgan.exported import FORMAT, Manifest
from xrgan.gan.sampler import Sampler, load_drawing
from xrgan.rundir import RunDir
from xrgan.tensor_files import safetensors_bytes


def manifest_of(run: RunDir, sampler: Sampler, checkpoint_name: str, learned_from: Sequence[str]) -> Manifest:
    """Say what a sampler of a run's checkpoint is: the content of export.yaml.

    Args:
        checkpoint_name: of the sampler's; empty = the one that draws by default.
        learned_from: content hashes of the datasets of runs that this one was initialised from.

    Raises:
        XrganError: there is no such checkpoint.
    """
    content = load_drawing(run, checkpoint_name, lambda content: content)
    environment = run.read_environment()
    return Manifest(
        format=FORMAT,
        xrgan=xrgan.__version__,
        run=run.name,
        run_id=run.run_id(),
        step=sampler.step,
        images_seen=int(content["images_seen"]),
        grown=float(content["grown"]),
        size=sampler.spec.size,
        channels=sampler.spec.channels,
        masks=sampler.spec.masks,
        classes=sampler.classes,
        class_shares=sampler.class_shares,
        conditional=bool(sampler.spec.classes),
        generator_sha256=sampler.marked_origin.generator_sha256,
        dataset=str(environment.get("dataset", {}).get("name", "")),
        dataset_hash=run.trained_on(),
        learned_from=tuple(learned_from),
    )


def weights_of(sampler: Sampler) -> bytes:
    """Write the weights that draw as a safetensors file; its SHA-256 is the one in every image's mark."""
    return safetensors_bytes(sampler.generator.state_dict())
