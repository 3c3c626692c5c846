"""A clip as a notebook shows it."""

import base64
import html
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from text2lip.exports.clip import Clip, SaveOptions
from text2lip.exports.writers import write_clip


@dataclass(frozen=True)
class NotebookVideo:
    """A video that a notebook shows, as it is the last value of a cell or given to `display`.

    Attributes:
        data (`bytes`): an MP4 file, which becomes a part of the notebook.
        width, height (`int`): pixels.
    """

    data: bytes = field(repr=False)
    width: int
    height: int

    def _repr_html_(self) -> str:
        source = f"data:video/mp4;base64,{base64.b64encode(self.data).decode()}"
        size = f'width="{self.width}" style="max-width: 100%"'
        return f'<video controls playsinline {size} src="{html.escape(source)}"></video>'


def notebook_video(clip: Clip, options: SaveOptions) -> NotebookVideo:
    """`clip` as an MP4 in memory; errors as [`write_clip`]."""
    import av

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        write_clip(path, clip, options)
        with av.open(str(path)) as film:
            shown = film.streams.video[0]
            return NotebookVideo(path.read_bytes(), shown.width, shown.height)
