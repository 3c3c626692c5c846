"""The mark in a finished file's own metadata: comments and XMP packets, put in and read back, format by format."""

import os
import re
import struct
from pathlib import Path

from text2lip.exports.provenance import Origin
from text2lip.files import open_media


XMP_BOX = bytes.fromhex("BE7ACFCB97A942E89C71999491E3AFAC")  # a uuid box of MP4: XMP specification, part 3
XMP_FLAG = 0x04  # of a WebP's VP8X chunk
PACKET = re.compile(rb"<x:xmpmeta.*?</x:xmpmeta>", re.DOTALL)
MOST_BYTES = 1 << 20  # bytes of a metadata block that are believed


def embed_mark(path: str | Path, origin: Origin) -> None:
    """Put the mark into a file of a kind whose writer has no place for it: XMP into MP4, MOV and WebP, a comment into
    GIF. Others stay as they are."""
    suffix = Path(path).suffix.lower()
    if suffix in (".mp4", ".mov"):
        packet = origin.xmp()
        with open(path, "ab") as file:
            file.write(struct.pack(">I4s", 24 + len(packet), b"uuid") + XMP_BOX + packet)
    elif suffix == ".webp":
        _embed_in_webp(path, origin.xmp())
    elif suffix == ".gif":
        _embed_in_gif(path, origin.statement.encode("ascii", "replace"))


def _embed_in_webp(path: str | Path, packet: bytes) -> None:
    with open(path, "r+b") as file:
        head = file.read(21)
        if head[12:16] != b"VP8X":
            return
        file.seek(20)
        file.write(bytes([head[20] | XMP_FLAG]))
        file.seek(0, os.SEEK_END)
        file.write(struct.pack("<4sI", b"XMP ", len(packet)) + packet + b"\0" * (len(packet) % 2))
        size = file.tell() - 8
        file.seek(4)
        file.write(struct.pack("<I", size))


def _embed_in_gif(path: str | Path, text: bytes) -> None:
    with open(path, "r+b") as file:
        file.seek(-1, os.SEEK_END)
        if file.read(1) != b";":
            return
        file.seek(-1, os.SEEK_END)
        pieces = [text[i : i + 255] for i in range(0, len(text), 255)]
        blocks = b"".join(bytes([len(piece)]) + piece for piece in pieces)
        file.write(b"!\xfe" + blocks + b"\0;")


def read_marks(path: str | Path) -> dict[str, str]:
    """What a file's metadata say: "comment" and "xmp", those that it has."""
    suffix, found = Path(path).suffix.lower(), {}
    if suffix in (".png", ".webp", ".gif", ".jpg", ".jpeg"):
        packet, comment = _of_picture(path)
    else:
        packet, comment = _xmp_of_boxes(path), _comment_of_film(path)
    if packet and (packet := PACKET.search(packet)):
        found["xmp"] = packet[0].decode("utf-8", "replace")
    if comment:
        found["comment"] = comment
    return found


def _of_picture(path: str | Path) -> tuple[bytes, str]:
    """XMP and comment of a picture; of a GIF the comment at its end."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            packet = picture.info.get("xmp") or picture.info.get("XML:com.adobe.xmp") or b""
            comment = picture.info.get("Comment") or picture.info.get("comment") or ""
            kind = picture.format
    except Image.DecompressionBombError as error:
        raise ValueError(f"file: {str(path)!r} can't be read ({error}); give a smaller picture.") from error
    if kind == "GIF":
        tail = Path(path).read_bytes()[-MOST_BYTES:] if os.path.getsize(path) < MOST_BYTES else _tail(path)
        start = tail.rfind(b"!\xfe")
        comment = _of_blocks(tail[start + 2 :]) if start >= 0 else comment
    packet = packet.encode() if isinstance(packet, str) else packet
    return packet, comment.decode("utf-8", "replace") if isinstance(comment, bytes) else comment


def _tail(path: str | Path) -> bytes:
    with open(path, "rb") as file:
        file.seek(-MOST_BYTES, os.SEEK_END)
        return file.read()


def _of_blocks(blocks: bytes) -> str:
    """The text of a GIF's chain of blocks."""
    text = b""
    while blocks and blocks[0]:
        text, blocks = text + blocks[1 : 1 + blocks[0]], blocks[1 + blocks[0] :]
    return text.decode("utf-8", "replace")


def _xmp_of_boxes(path: str | Path) -> bytes:
    """The XMP packet among the boxes of an MP4."""
    whole = os.path.getsize(path)
    with open(path, "rb") as file:
        while len(head := file.read(8)) == 8:
            size, kind = struct.unpack(">I4s", head)
            if size == 1:
                size = struct.unpack(">Q", file.read(8).rjust(8, b"\0"))[0] - 8
            if not 8 <= size <= whole or not kind.isascii():
                return b""
            rest = size - 8
            if kind == b"uuid" and rest >= 16:
                rest -= 16
                if file.read(16) == XMP_BOX:
                    return file.read(min(rest, MOST_BYTES))
            file.seek(rest, os.SEEK_CUR)
    return b""


def _comment_of_film(path: str | Path) -> str:
    """The comment of a film or a sound file."""
    import av

    try:
        with open_media(path, "file") as container:
            texts = {name.lower(): text for name, text in container.metadata.items()}
    except (ValueError, av.error.FFmpegError) as error:
        why = getattr(error, "strerror", None) or error
        raise ValueError(f"file: {str(path)!r} can't be read ({why}); give a video, a picture or a sound.") from error
    return texts.get("comment") or texts.get("description") or ""
