"""One clip that is made in a thread of its own, so that it can be watched and stopped."""

import shutil
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from text2lip.exports.clip import Clip
from text2lip.pipelines.output import Text2LipStream
from text2lip.wording import spoken_time, with_warnings


PREPARING = "Reading the text, speaking, and looking at the face …"


class ClipJob:
    """A clip while it is made.

    Attributes:
        folder (`Path`): where its files are, until [`clean`].
        clip ([`Clip`], *optional*): what is known of it once its first frame can be drawn; without frames.
        done (`int`): how many frames are drawn.
        notes (`list[str]`): warnings of the library.
        error (`Exception`, *optional*): why there is no video.
        stopped (`bool`): whether somebody has asked to stop.
    """

    def __init__(self, make: Callable[[], Text2LipStream], folder: str | None = None):
        self.folder = Path(tempfile.mkdtemp(prefix="text2lip-", dir=folder))
        self.clip: Clip | None = None
        self.done, self.notes, self.stopped = 0, [], False
        self.error: Exception | None = None
        self._make, self._stream = make, None
        self._first = self._last = 0.0
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    @property
    def video(self) -> Path:
        """The film, once it is whole."""
        return self.folder / "text2lip.mp4"

    @property
    def running(self) -> bool:
        """Whether there is more to wait for."""
        return self._thread.is_alive()

    def wait(self, seconds: float | None = None) -> None:
        """Until it ends, at most so long."""
        self._thread.join(seconds)

    def stop(self) -> None:
        """Draw no more frames; what is prepared before the first one comes to its end. From any thread."""
        self.stopped = True
        if (stream := self._stream) is not None:
            stream.close()

    def clean(self) -> None:
        """Stop, and remove the files."""
        self.stop()
        self.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def progress(self) -> tuple[float, str]:
        """Share of the frames that are drawn, and how far it is, in words with the time that is left."""
        if self.clip is None:
            return 0.0, PREPARING
        done, total = self.done, self.clip.num_frames
        words = f"Frame {done} of {total}"
        if done > 1:  # the first has waited for what is done once
            left = (self._last - self._first) / (done - 1) * (total - done)
            words += f", about {spoken_time(max(left, 1))} left" if done < total else ", writing the file …"
        return done / total, words

    def _work(self) -> None:
        try:
            stream, self.notes = with_warnings(self._make)
            self._stream, self.clip = stream, stream.as_clip(())
            if self.stopped:
                stream.close()
                return
            self.notes += with_warnings(lambda: stream.save(self.video, progress=self._counted))[1]
        except Exception as error:
            if not self.stopped:
                self.error = error
                if not isinstance(error, (ValueError, ImportError, OSError)):
                    traceback.print_exc()

    def _counted(self, frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        for frame in frames:
            self._last = time.perf_counter()
            self.done += 1
            if self.done == 1:
                self._first = self._last
            yield frame
