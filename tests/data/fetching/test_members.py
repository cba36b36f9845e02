"""What an archive holds is refused where a name, a kind or a packing is not harmless."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.data import evil
from tests.data.evil import CONTENT
from tests.data.fetching.test_archives import extract, save, verify, written
from xrgan.data.fetching.members import DamagedArchive
from xrgan.errors import XrganError


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (["Müller.png".encode()], ["Müller.png"]),  # as Linux writes them, without a mark
        (["Röntgen.png".encode("cp437")], ["Röntgen.png"]),  # as the format prescribes
        (["ソ予/表.png".encode("cp932"), b"plain.png"], ["ソ予/表.png", "plain.png"]),  # second bytes are `\`
        (["誠.png".encode("gbk")], None),  # another alphabet may be guessed, but it stays one name
    ],
)
def test_names_that_say_not_what_encoding_they_are_in(
    given: list[bytes], meant: list[str] | None, tmp_path: Path
) -> None:
    path = save(tmp_path / "x.zip", evil.zipped_bytes(given))
    extract(path, tmp_path / "out")
    if meant:
        assert written(tmp_path / "out") == set(meant)
    assert {(tmp_path / "out" / name).read_bytes() for name in written(tmp_path / "out")} == set(given)


@pytest.mark.parametrize(
    "name", ["../evil.png", "a/../../evil.png", "/evil.png", "C:\\evil.png", "..\\evil.png", "a/C:evil.png"]
)
def test_member_that_leads_outside_is_named(name: str, tmp_path: Path) -> None:
    path = save(tmp_path / "x.zip", evil.zipped({"fine.png": b"1", name: b"2"}))
    with pytest.raises(XrganError, match="leads outside") as caught:
        extract(path, tmp_path / "out")
    assert repr(name) in str(caught.value)
    assert written(tmp_path) == {"x.zip"}


@pytest.mark.parametrize("target", ["/etc/passwd", "../..", "fine.png"])
def test_links_are_refused(target: str, tmp_path: Path) -> None:
    with pytest.raises(XrganError, match=r"'link\.png' is a link"):
        verify(save(tmp_path / "x.zip", evil.link("link.png", target)))
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
        members = evil.tar_member("fine.png"), evil.tar_member("link.png", kind, target)
        with pytest.raises(XrganError, match=r"'link\.png' is a link"):
            extract(save(tmp_path / "x.tar.gz", evil.tarred(*members)), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("name", "kind"), [("../evil", b"0"), ("/evil", b"0"), ("pipe", tarfile.FIFOTYPE)])
def test_tar_is_not_trusted_either(name: str, kind: bytes, tmp_path: Path) -> None:
    members = evil.tar_member("fine.png"), evil.tar_member(name, kind)
    path = save(tmp_path / "x.tar", evil.tarred(*members, mode="w"))
    with pytest.raises(XrganError, match="is refused"):
        extract(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_is_no_archive_is_said(tmp_path: Path) -> None:
    whole = evil.zipped({"a.png": CONTENT})
    cases = {
        "cut.zip": (whole[: len(whole) // 2], "cut short"),
        "page.zip": (b"\r\n<html>Please sign in</html>", "a web page"),
        "empty.zip": (b"", "is empty"),
        "text.zip": (b"some text", "no ZIP and no TAR"),
    }
    for name, (content, message) in cases.items():
        with pytest.raises(DamagedArchive, match=message):
            verify(save(tmp_path / name, content))
    with pytest.raises(XrganError, match="There is no archive"):
        verify(tmp_path / "absent.zip")
    with pytest.raises(XrganError, match="There is no archive") as caught:
        verify(tmp_path)
    assert "--folder" in caught.value.hint


def test_password_is_said(tmp_path: Path) -> None:
    with pytest.raises(XrganError, match="locked with a password"):
        verify(save(tmp_path / "x.zip", evil.locked({"a.png": CONTENT})))


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_packing_that_can_not_be_bounded_is_refused(compression: int, tmp_path: Path) -> None:
    """zipfile would inflate a block of it as a whole: 1 MB of bzip2 can be 20 GB of zeros."""
    path = save(tmp_path / "x.zip", evil.zipped({"a.png": bytes(1 << 20)}, compression))
    with pytest.raises(XrganError, match=r"'a\.png' is packed by (bzip2|LZMA)"):
        verify(path)


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_header_that_fills_the_memory_is_refused(kind: bytes, tmp_path: Path) -> None:
    header = evil.tar_member("a", kind)
    header.size = 5 << 20
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as file:
        file.addfile(header, io.BytesIO(bytes(5 << 20)))
        file.addfile(evil.tar_member("b.png"))
    with pytest.raises(XrganError, match=r"header of 5\.2 MB"):
        verify(save(tmp_path / "x.tar.gz", packed.getvalue()))
