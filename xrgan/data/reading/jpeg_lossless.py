"""JPEG Lossless and JPEG-LS, the frames of DICOM files that only gdcm decodes: each in a process of its own.

A torn frame can make gdcm crash the whole process, and of some damage it only speaks on stderr. In a process of its
own (this very file, run as a script; about 50 ms) a crash is one unreadable file, and what is said there is read.
"""

import os
import subprocess
import sys

_LOSSLESS = 0xC3  # the frame headers (SOF3 and SOF55) of ITU-T T.81, B.2.2 and T.87, C.2.2
_JPEG_LS = 0xF7
_FILL = 0xFF
_SECONDS = 120.0
_DAMAGED = (b"premature end", b"bad Huffman code")  # what libjpeg says, and goes on with pixels made up


def decode(frame: bytes, syntax: str, rows: int, columns: int, samples: int) -> bytes:
    """Decode one frame.

    Args:
        frame: the codestream of a JPEG Lossless or JPEG-LS image.
        syntax: its transfer syntax UID.
        rows, columns, samples: what the DICOM header says.

    Returns:
        rows · columns · samples values, little endian, interleaved, of `sample_bytes(frame)` bytes each. A frame knows
        no sign: what the bits beyond the stored ones say means nothing.

    Raises:
        ValueError: the frame is torn, or another than the header says.
        OSError, subprocess.SubprocessError: no process could be started, or it took too long.
    """
    if _frame_header(frame)[1:] != (rows, columns, samples):
        raise ValueError("the frame is not as the header says")
    width = sample_bytes(frame)
    options = [syntax, rows, columns, samples, 8 * width]
    command = [sys.executable, "-P", __file__, *map(str, options)]  # -P: no module beside this file hides another
    child = subprocess.run(command, input=frame, capture_output=True, timeout=_SECONDS)
    if child.returncode != 0 or any(damage in child.stderr for damage in _DAMAGED):
        raise ValueError("the frame is torn")
    if len(child.stdout) != rows * columns * samples * width:
        raise ValueError("the frame is not as the header says")
    return child.stdout


def sample_bytes(frame: bytes) -> int:
    """1 where a sample of the codestream has at most 8 bits, else 2. Raises ValueError for what is no such frame."""
    return 1 if _frame_header(frame)[0] <= 8 else 2


def _frame_header(frame: bytes) -> tuple[int, int, int, int]:
    """Bits a sample, rows, columns and samples a pixel, as the codestream itself says."""
    at = 2  # behind the start of the image
    while frame[at : at + 1] == b"\xff" and at + 10 <= len(frame):
        marker = frame[at + 1]
        if marker in {_LOSSLESS, _JPEG_LS}:
            precision, rows, columns = frame[at + 4], frame[at + 5 : at + 7], frame[at + 7 : at + 9]
            return precision, int.from_bytes(rows, "big"), int.from_bytes(columns, "big"), frame[at + 9]
        at += 1 if marker == _FILL else 2 + int.from_bytes(frame[at + 2 : at + 4], "big")
    raise ValueError("no JPEG Lossless or JPEG-LS frame")


def _main() -> None:
    """The child: a frame on stdin, its pixels on stdout."""
    import gdcm  # type: ignore[import-untyped]

    syntax, *numbers = sys.argv[1:]
    rows, columns, samples, bits = map(int, numbers)
    kind = gdcm.PhotometricInterpretation.GetPIType("MONOCHROME2" if samples == 1 else "RGB")
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(sys.stdin.buffer.read())
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((columns, rows, 1))
    image.SetDataElement(element)
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(kind))
    image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(syntax)))
    image.SetPixelFormat(gdcm.PixelFormat(samples, bits, bits, bits - 1, 0))
    pixels = image.GetBuffer()  # a str of bytes, each undecodable one a surrogate; None of a torn frame
    with os.fdopen(1, "wb") as out:
        out.write(pixels.encode("utf-8", "surrogateescape"))


if __name__ == "__main__":
    _main()
