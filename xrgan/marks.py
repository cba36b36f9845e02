"""What a synthetic picture says of itself, and how it says so in a PNG or a GIF; the pixels stay as they are.

The mark that machines look for is IPTC's Digital Source Type in an XMP packet (Photo Metadata Standard 2023.1; Article
50(2) of the EU's AI Act asks for a machine-readable one); text fields beside it say where the picture came from.
Pictures that show real patients beside synthetic images are marked as composites.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

import xrgan

if TYPE_CHECKING:
    from PIL.PngImagePlugin import PngInfo

SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
TRAINED, COMPOSITE = "trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia"
# The source types that are no picture of a person (IPTC NewsCodes), however it was edited afterwards.
SYNTHETIC_TYPES = frozenset({TRAINED, COMPOSITE, "compositeSynthetic", "algorithmicMedia"})
SOURCE_TYPE = re.compile(rb"digitalsourcetype/([A-Za-z]+)")
NOBODY = "Synthetic: drawn by a trained algorithm. It shows no patient."
MIXED = "Synthetic images beside those of real patients."
XMP_KEY = "XML:com.adobe.xmp"  # of a PNG's text chunk
GIF_START = 4096  # bytes: header, colours, and the packet
FIELDS = (
    "Software",
    "Source",
    "Run",
    "Run ID",
    "Seed",
    "Number",
    "Class",
    "Shows",
    "Generator SHA-256",
    "Dataset hash",
)


@dataclass(frozen=True)
class Mark:
    """That a picture is synthetic, and what it says of where it came from.

    Attributes:
        source_type: IPTC's term, the last part of its address.
        said: name → text, of `FIELDS` where xrgan made the picture.
    """

    source_type: str = TRAINED
    said: Mapping[str, str] = field(default_factory=dict)

    @property
    def comment(self) -> str:
        """All that is said, one `name: text` a line."""
        return "\n".join(f"{name}: {text}" for name, text in self.said.items())


@dataclass(frozen=True)
class Origin:
    """What the images of one generator have in common."""

    run: str = ""
    run_id: str = ""
    generator_sha256: str = ""
    """of the weights that drew, as `xrgan export` writes them: what `sha256sum generator.safetensors` prints"""
    dataset_hash: str = ""


NOT_KNOWN = Origin()


def mark_of(
    origin: Origin, seed: int | None = None, number: int | None = None, label: str = "", shows: str = "X-ray"
) -> Mark:
    """Make the mark of a synthetic picture.

    Args:
        number: of the image, from 1, as in its file's name; None = it shows several.
        shows: "X-ray", "masks", "contact sheet" …
    """
    texts: dict[str, object] = {
        "Software": f"xrgan {xrgan.__version__}",
        "Source": NOBODY,
        "Run": origin.run,
        "Run ID": origin.run_id,
        "Seed": "" if seed is None else seed,
        "Number": number or "",
        "Class": label,
        "Shows": shows,
        "Generator SHA-256": origin.generator_sha256,
        "Dataset hash": origin.dataset_hash,
    }
    plain = {name: _printable(str(text)) for name, text in texts.items()}
    return Mark(said={name: text for name, text in plain.items() if text})


def _printable(text: str) -> str:
    """A text on one line that every file format takes: bytes of a path that are no text are told by a question mark."""
    return " ".join(text.encode(errors="replace").decode().replace("\0", " ").split())


def mixed_mark() -> Mark:
    """Make the mark of a picture that shows synthetic images beside real patients' X-rays."""
    return Mark(COMPOSITE, {"Software": f"xrgan {xrgan.__version__}", "Source": MIXED})


def parse_comment(text: str, source_type: str = TRAINED) -> Mark:
    """Read a mark back from its `comment`; of another text nothing is taken."""
    lines = (line.partition(": ") for line in text.splitlines())
    return Mark(source_type, {name: said for name, _, said in lines if name in FIELDS and said})


def xmp_packet(mark: Mark) -> bytes:
    """Write a mark as an XMP packet (ISO 16684-1): Digital Source Type, the tool, and a description."""
    description = quoteattr(mark.said.get("Source", NOBODY))
    packet = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
 Iptc4xmpExt:DigitalSourceType="{SOURCE_TYPES}{mark.source_type}"
 xmp:CreatorTool={quoteattr(mark.said.get("Software", "xrgan"))} photoshop:Source={description}/>
</rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""
    return packet.encode()


def png_info(mark: Mark) -> "PngInfo":
    """Put a mark into the text chunks of a PNG, for Pillow's `save(pnginfo=…)`."""
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_itxt(XMP_KEY, xmp_packet(mark).decode())
    for name, text in mark.said.items():
        info.add_text(name, text)  # of a text that is no Latin-1, Pillow makes an international one
    return info


def with_gif_mark(gif: bytes, mark: Mark) -> bytes:
    """Put a mark's XMP packet into a GIF 89a, behind its header (XMP Specification Part 3, 1.1.2)."""
    flags = gif[10]
    header = 13 + (3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0)
    trailer = bytes([1, *range(255, -1, -1), 0])  # readers that skip blocks by their lengths come out behind it
    return gif[:header] + b"\x21\xff\x0bXMP DataXMP" + xmp_packet(mark) + trailer + gif[header:]


def read_mark(picture: Path) -> Mark | None:
    """Read what a PNG, GIF, JPEG, TIFF or WebP says of itself; None where it doesn't say that it is synthetic.

    The pixels are not decoded; a file that can't be read says nothing.
    """
    from PIL import Image

    try:
        with picture.open("rb") as file:
            start = file.read(GIF_START)  # Pillow reads no packet out of a GIF
            file.seek(0)
            with Image.open(file) as image:
                packet = start if image.format == "GIF" else image.info.get("xmp") or image.info.get(XMP_KEY) or b""
                comment = image.info.get("comment", b"") if image.format == "GIF" else b""
                said = {name: str(image.info[name]) for name in FIELDS if image.info.get(name)}
    except Exception:  # of torn files Pillow lets struct.error, SyntaxError … through
        return None
    found = SOURCE_TYPE.search(packet if isinstance(packet, bytes) else packet.encode())
    source_type = found[1].decode() if found else ""
    if source_type not in SYNTHETIC_TYPES:
        return None
    return Mark(source_type, said or parse_comment(comment.decode(errors="replace")).said)
