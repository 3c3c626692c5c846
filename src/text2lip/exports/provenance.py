"""What a file says of where it comes from: the words and codes of the mark that it is synthetic."""

from dataclasses import dataclass
from html import escape
from pathlib import Path

from text2lip import __version__


SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
"""IPTC's vocabulary, which C2PA and XMP share."""
SIGNATURE = "text2lip"  # by which our own marks are known again

XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 Iptc4xmpExt:DigitalSourceType="{source_type}" xmp:CreatorTool="{tool}">
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{text}</rdf:li></rdf:Alt></dc:description>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""


class MarkWarning(UserWarning):
    """A file has less of a mark than was asked for, or a certificate that nobody vouches for."""


@dataclass(frozen=True)
class Origin:
    """What a clip was made of.

    Attributes:
        dubbed (`bool`): a film whose mouth was changed, rather than a picture that was made to speak.
        film (`Path`, *optional*): that film, if it is a file.
        own_sound (`bool`): the sound is the user's recording, not a voice that was made.
        inputs (`tuple[Path, ...]`): the files that it was made of, which are never replaced by it.
    """

    dubbed: bool = False
    film: Path | None = None
    own_sound: bool = False
    inputs: tuple[Path, ...] = ()

    @property
    def source_type(self) -> str:
        """IPTC's digital source type, a URL."""
        return SOURCE_TYPES + ("compositeWithTrainedAlgorithmicMedia" if self.dubbed else "trainedAlgorithmicMedia")

    @property
    def tool(self) -> str:
        """Name and version of what made it."""
        return f"{SIGNATURE} {__version__}"

    @property
    def statement(self) -> str:
        """The mark in words, which end in its code."""
        what = "the mouth in this film was changed" if self.dubbed else "a picture was made to speak"
        sound = "The sound is a recording. " if self.own_sound else ""
        return f"Synthetic media: {what} by {self.tool}. {sound}digitalSourceType: {self.source_type}"

    @staticmethod
    def is_stated(comment: str) -> bool:
        """Whether a comment is the statement of a file that this library made."""
        return comment.startswith("Synthetic media: ") and f" by {SIGNATURE} " in comment

    def xmp(self) -> bytes:
        """The mark as an XMP packet, UTF-8."""
        texts = {"source_type": self.source_type, "tool": self.tool, "text": self.statement}
        return XMP.format(**{name: escape(text) for name, text in texts.items()}).encode()
