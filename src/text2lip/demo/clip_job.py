"""One clip that is made in a thread of its own, so that it can be watched and stopped."""

import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from text2lip.exports.clip import Clip
from text2lip.pipelines.output import Text2LipStream
from text2lip.wording import spoken_time, with_warnings


PREPARING = "Reading the text, speaking, and looking at the face …"
_MOVED = threading.Condition()  # held where a line is read or changed, which threads of all visitors do


class ClipJob:
    """A clip while it is made.

    Args:
        make (`Callable`): prepares it.
        folder (`str`, *optional*): where its own folder is made; the system's for temporary files by default.
        line (`list[ClipJob]`, *optional*): it joins at the end and begins once it is the first; [`clean`] leaves it.
        preparing (`str`): what is told until the first frame is drawn.

    Attributes:
        folder (`Path`): where its files are, until [`clean`].
        clip ([`Clip`], *optional*): what is known of it once its first frame can be drawn; without frames.
        done (`int`): how many frames are drawn.
        notes (`list[str]`): warnings of the library.
        error (`Exception`, *optional*): why there is no video.
        stopped (`bool`): whether somebody has asked to stop.
    """

    def __init__(
        self,
        make: Callable[[], Text2LipStream],
        folder: str | None = None,
        line: list["ClipJob"] | None = None,
        preparing: str = PREPARING,
    ):
        self.folder = Path(tempfile.mkdtemp(prefix="text2lip-", dir=folder))
        self.clip: Clip | None = None
        self.done, self.notes, self.stopped = 0, [], False
        self.error: Exception | None = None
        self._make, self._stream, self._preparing = make, None, preparing
        self._line = [] if line is None else line
        self._first = self._last = 0.0
        self._thread = threading.Thread(target=self._work, daemon=True)
        try:
            with _MOVED:  # it looks at the line once it is in it, and isn't in it where the thread can't be started
                self._thread.start()
                self._line.append(self)
        except RuntimeError:
            self.folder.rmdir()
            raise

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
        with _MOVED:
            self.stopped = True
            _MOVED.notify_all()
        if (stream := self._stream) is not None:
            stream.close()

    def clean(self) -> None:
        """Stop, let the next begin, and remove the files. From any thread, and once more does nothing."""
        self.stop()
        self.wait()
        with _MOVED:
            if self in self._line:
                self._line.remove(self)
            _MOVED.notify_all()
        shutil.rmtree(self.folder, ignore_errors=True)

    def progress(self) -> tuple[float, str]:
        """Share of the frames that are drawn, and how far it is, in words with the time that is left."""
        with _MOVED:
            ahead = None if self.stopped else self._line.index(self)
        if ahead is None:
            return 0.0, "Stopping …"
        if ahead:
            others = "One other video is" if ahead == 1 else f"{ahead} other videos are"
            return 0.0, f"{others} made before yours …"
        if self.clip is None:
            return 0.0, self._preparing
        done, total = self.done, self.clip.num_frames
        words = f"Frame {done} of {total}"
        if done > 1:  # the first has waited for what is done once
            left = (self._last - self._first) / (done - 1) * (total - done)
            words += f", about {spoken_time(max(left, 1))} left" if done < total else ", writing the file …"
        return done / total, words

    def _work(self) -> None:
        with _MOVED:
            _MOVED.wait_for(lambda: self.stopped or self._line[0] is self)
        if self.stopped:
            return
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

    def _counted(self, frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        for frame in frames:
            self._last = time.perf_counter()
            self.done += 1
            if self.done == 1:
                self._first = self._last
            yield frame
