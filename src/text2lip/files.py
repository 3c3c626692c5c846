"""Files that appear whole or not at all, names that lead nowhere else, text in any Unicode encoding."""

import codecs
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from pathlib import Path, PureWindowsPath


NO_MEDIA = ("tty", "hls", "concat", "dash", "sdp", "rtsp", "imf", "lavfi")  # texts, and lists of other files
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
REMEMBERED = 64  # files


@contextmanager
def replaced_file(path: str | Path, argument: str = "output", mode: int = 0o666) -> Iterator[Path]:
    """Give a temporary path beside `path`; on success it takes the name `path`, on any error it is removed.

    A symbolic link stays one: the file that it leads to is made or replaced. `argument` is the name of what was given,
    for errors; `mode` is who may read the new file, less what the system forbids.

    Raises:
        ValueError: the folder of `path` does not exist or can't be written to, or `path` is a folder.
    """
    path, temporary = _begun(path, argument, mode)
    try:
        yield temporary
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def check_place(path: str | Path, argument: str = "output") -> None:
    """Refuse, with the errors of [`replaced_file`], a place where no file can be written; nothing is left there."""
    _begun(path, argument)[1].unlink()


def _begun(path: str | Path, argument: str, mode: int = 0o666) -> tuple[Path, Path]:
    """Where a file is to be, links followed, and an empty temporary one beside it."""
    path = Path(os.path.realpath(path) if os.path.islink(path) else os.path.abspath(path))
    if os.path.isdir(path):
        raise ValueError(f"{argument}: {str(path)!r} is a folder; give the name of a file in it.")
    temporary = path.parent / f".{path.stem[:40]}-{secrets.token_hex(6)}{path.suffix}"
    try:
        with suppress(FileNotFoundError):
            os.lstat(path)  # a name that no file can have: better now than when the work is done
        # the system applies the umask: asking for it would change it for all threads
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode))
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or error
        raise ValueError(f"{argument}: can't write to {str(path)!r} ({reason}); choose another place.") from error
    return path, temporary


@contextmanager
def replaced_folder(path: str | Path) -> Iterator[Path]:
    """Give a temporary folder beside `path`; on success it takes the name `path`, see [`put_folder`].

    A symbolic link stays one: the folder that it leads to is made or replaced. On any error the temporary is removed.
    """
    path = Path(os.path.realpath(path))
    temporary = path.with_name(f"tmp-{path.name}")
    _remove(temporary)
    temporary.mkdir(parents=True)
    try:
        yield temporary
    except BaseException:
        _remove(temporary)
        raise
    put_folder(temporary, path)


def is_folder_name(path: str | os.PathLike) -> bool:
    """Whether a path is written as that of a folder: it ends in a separator."""
    return os.fspath(path).endswith(tuple(filter(None, ("/", os.sep, os.altsep))))


def put_folder(folder: Path, path: Path) -> None:
    """Give `folder` the name `path`; one that was there is first moved to `old-<name>`, then removed.

    A program that is killed in between leaves both; the next call clears up.
    """
    old = path.with_name(f"old-{path.name}")
    if os.path.lexists(path):
        _remove(old)
        os.replace(path, old)
    os.replace(folder, path)
    _remove(old)


def _remove(folder: Path) -> None:
    if folder.is_symlink():
        folder.unlink()
    else:
        shutil.rmtree(folder, ignore_errors=True)


def inside(folder: str | Path, name: str, what: str = "name", links: bool = False) -> Path:
    """The path `folder / name`, for a name that comes from data: it has to stay inside of `folder`.

    Args:
        folder (`str` or `Path`): where the file has to be.
        name (`str`): relative to `folder`, with "/" between its parts.
        what (`str`): where the name stands, for the error.
        links (`bool`): let symbolic links lead out, for files that are only read: films often lie on another disk.

    Raises:
        ValueError: an absolute name, a Windows drive, "..", or a symbolic link that leads out of the folder.
    """
    folder, parts = Path(folder), PureWindowsPath(name)  # which knows both kinds of separators
    path = folder / name
    apart = "\0" in name or parts.anchor or ".." in parts.parts
    if apart or not (links or path.resolve().is_relative_to(folder.resolve())):
        raise ValueError(f"{what}: {name!r} leads out of {str(folder)!r}; name a file below that folder.")
    return path


def decode_text(raw: bytes, what: str) -> str:
    """Text of a file: UTF-8, UTF-16 or UTF-32 with a byte-order mark, or what an XML declaration names.

    `what` is the argument and the name of the file, for errors: "timings: 'a.json'".

    Raises:
        ValueError: none of these; the encoding that it looks like is named.
    """
    encoding = next((name for mark, name in _MARKS if raw.startswith(mark)), None)
    declared = re.match(rb"\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]+)", raw)
    encoding = encoding or (declared[1].decode() if declared else "utf-8")
    try:
        return raw.decode(encoding)
    except LookupError:
        raise ValueError(f"{what} declares the encoding {encoding!r}, which is unknown; save it as UTF-8.") from None
    except UnicodeDecodeError as error:
        likely = "utf-16 without a byte-order mark" if b"\0" in raw[:200] else "an old one, such as cp1252"
        raise ValueError(
            f"{what} is no text in {encoding} (byte {error.start}: {error.reason}); if it is text, its encoding is "
            f"another ({likely}): save it as UTF-8."
        ) from error


def open_media(path: str | os.PathLike, name: str):
    """Open a film or a sound file: an `av.container.InputContainer`; `name` is that of the argument, for errors.

    Raises:
        ValueError: as [`local_path`], or it is a text or a list of other files.
        av.error.FFmpegError: it can't be read.
    """
    import av

    container = av.open(local_path(path, name))
    if container.format.name in NO_MEDIA:
        container.close()
        raise ValueError(f"it is {container.format.long_name}")
    return container


def is_address(text: str) -> bool:
    """Whether something that is no file is an address in the network, "https://..." or "rtsp://..."."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", text) is not None


def local_path(path: str | os.PathLike, name: str) -> str:
    """An existing file's absolute path, which FFmpeg never takes for a protocol ("in:1.mp4") or an option.

    Raises:
        ValueError: no such file, or an address in the network.
    """
    text = os.fsdecode(path)
    if not os.path.isfile(text):
        if is_address(text):
            raise ValueError(f"{name}: {text!r} is an address; download it first and give the file.")
        if os.path.isdir(text):
            raise ValueError(f"{name}: {text!r} is a folder; give a file.")
        raise ValueError(f"{name}: no file {text!r}; check the name.")
    return os.path.abspath(text)


def once_per_file(look: Callable) -> Callable:
    """Remember what `look` finds in a file as long as that stays as it is; errors are not remembered.

    `look` takes a path, and at most a name for errors; nobody changes what it returns.
    """
    known = {}

    @wraps(look)
    def looked(path: str | os.PathLike, *args, **kwargs):
        try:
            state = os.stat(path)
        except (OSError, ValueError):  # ValueError: a NUL in the name
            return look(path, *args, **kwargs)
        key = os.path.abspath(path), state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns
        if key in known:
            return known[key]
        found = look(path, *args, **kwargs)
        if len(known) >= REMEMBERED:
            known.clear()
        known[key] = found
        return found

    return looked
