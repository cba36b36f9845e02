"""The catalogue: one frozen record a public dataset."""

import difflib
from dataclasses import dataclass

from xrgan.errors import XrganError


@dataclass(frozen=True)
class Source:
    """A public dataset: where it is, under which terms, and what its file names tell.

    Attributes:
        kaggle: "dataset:owner/slug" or "competition:slug"; empty where nothing is downloaded.
        images: how many there are; 0 for the phantom, which draws as many as one asks for.
        patient_pattern: searched in a file's stem, its first group is the patient (where no more is known: the
            study); empty = unknown.
        label_pattern: searched in a file's stem where there are no class folders; the name of the group that matched
            is the label.
    """

    name: str
    title: str
    licence: str
    citation: str
    url: str
    images: int
    kaggle: str = ""
    aliases: tuple[str, ...] = ()
    patient_pattern: str = ""
    label_pattern: str = ""

    @property
    def kind(self) -> str:
        """dataset | competition, or empty."""
        return self.kaggle.partition(":")[0]

    @property
    def slug(self) -> str:
        """owner/name of a dataset, the name of a competition, or empty."""
        return self.kaggle.partition(":")[2]


_ALL = (
    Source(
        name="phantom",
        title="Procedural chest radiographs, drawn on this machine without the internet",
        licence="MIT",
        citation="",
        url="",
        images=0,
        patient_pattern=r"^(phantom\d+)(?:_|$)",
    ),
    Source(
        name="jrs",
        aliases=("jsrt",),
        title="JSRT: nodules in chest X-rays (Japanese Society of Radiological Technology)",
        kaggle="dataset:raddar/nodules-in-chest-xrays-jsrt",
        licence="Free for research and education; the terms stand on the page",
        citation="Shiraishi J, et al. Development of a digital image database for chest radiographs with and without "
        "a lung nodule. AJR 174:71-74, 2000. doi:10.2214/ajr.174.1.1740071",
        url="https://www.kaggle.com/datasets/raddar/nodules-in-chest-xrays-jsrt",
        images=247,
        patient_pattern=r"^(JPC[LN]N\d+)$",  # one image a patient
        label_pattern=r"^(?:(?P<nodule>JPCLN)|(?P<non_nodule>JPCNN))\d",
    ),
    Source(
        name="kermany",
        title="Chest X-ray images (pneumonia) of children, Guangzhou",
        kaggle="dataset:paultimothymooney/chest-xray-pneumonia",
        licence="CC BY 4.0",
        citation="Kermany DS, et al. Identifying medical diagnoses and treatable diseases by image-based deep "
        "learning. Cell 172:1122-1131, 2018. doi:10.1016/j.cell.2018.02.010",
        url="https://www.kaggle.com/datasets/paultimothymooney/chest-xray-pneumonia",
        images=5856,
        # person12_virus_46 is a patient's, IM-0115-0001 and NORMAL2-IM-1427-0001-0002 a study's.
        patient_pattern=r"^(person\d+(?=_)|(?:NORMAL\d*-)?IM-\d+(?=-))",
    ),
    Source(
        name="rsna",
        title="RSNA Pneumonia Detection Challenge 2018, as PNG",
        kaggle="dataset:iamtapendu/rsna-pneumonia-processed-dataset",
        licence="RSNA's terms of use: any purpose, with attribution to RSNA and to the NIH, whose images these are",
        citation="Shih G, et al. Augmenting the National Institutes of Health chest radiograph dataset with expert "
        "annotations of possible pneumonia. Radiology: Artificial Intelligence 1(1):e180041, 2019. "
        "doi:10.1148/ryai.2019180041",
        url="https://www.kaggle.com/datasets/iamtapendu/rsna-pneumonia-processed-dataset",
        images=29684,
        patient_pattern=r"^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$",  # the file is named after the patient
    ),
)

SOURCES = {source.name: source for source in _ALL}


def find_source(name: str) -> Source:
    """The source of that name or alias, whatever its case.

    Raises:
        XrganError: there is none; the hint gives the nearest name and the list.
    """
    wanted = name.strip().lower()
    for source in SOURCES.values():
        if wanted in (source.name, *source.aliases):
            return source
    names = [known for source in SOURCES.values() for known in (source.name, *source.aliases)]
    near = difflib.get_close_matches(wanted, names, n=1, cutoff=0.5)
    guess = f"Did you mean {near[0]}? " if near else ""
    raise XrganError(
        f"There is no source {name!r}.",
        f"{guess}Known are {', '.join(SOURCES)}; your own images: `xrgan fetch --folder DIR` or `--archive FILE.zip`.",
    )
