"""Serving the page, on this machine alone unless asked otherwise."""

import argparse
import errno
import os
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


TELLING_NOBODY = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1", "GRADIO_SHARE": "False"}
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' data: blob:; "
    "worker-src 'self' blob:; form-action 'self'"
)
"""What a browser may load for the page: nothing from elsewhere."""


def demo_parser() -> argparse.ArgumentParser:
    """The options of `text2lip demo`."""
    parser = argparse.ArgumentParser(
        prog="text2lip demo",
        description="Serve a page where a portrait says what you type. Works offline; only this machine can reach it.",
        epilog="Ctrl-C ends it; what was uploaded and made is then removed.",
    )
    parser.add_argument(
        "--port", type=int, metavar="N", help="port to listen at (default: the first free one of 7860…)"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (default: this machine alone)")
    parser.add_argument("--open", action="store_true", help="open it in the browser")
    parser.add_argument("--model", default="text2lip-grid", help="built-in name, folder or Hub id of a pipeline")
    parser.add_argument("--device", help="where it runs: cpu (default), cuda, mps, …")
    parser.add_argument("--debug", action="store_true", help="on an error, show where it came from")
    return parser


def serve(words: list[str], load: Callable[[str], Any]) -> None:
    """Serve the page until Ctrl-C.

    Args:
        words (`list[str]`): the command line after `text2lip demo`.
        load (`Callable`): the pipeline of a name.

    Raises:
        ImportError: gradio is missing.
        ValueError: no pipeline of that name, no such device, or an address that can't be listened at.
    """
    args = demo_parser().parse_args(words)
    check_address(args.host, args.port)  # what is wrong is told before anything is loaded
    device = None
    if args.device:
        from text2lip.devices import usable_device

        device = usable_device(args.device)
    with temporary_folder() as folder:  # before gradio is imported, which asks for it
        check_gradio()
        pipe = load(args.model)
        if device is not None:
            pipe.to(device)
        pipe.set_progress_bar_config(disable=True)
        page = launch(pipe, host=args.host, port=args.port, folder=folder, inbrowser=args.open)
        reach = "" if args.host in ("127.0.0.1", "localhost", "::1") else " Whoever can reach this machine can use it."
        sys.stderr.write(f"Open {page.local_url} in a browser; Ctrl-C ends it.{reach}\n")
        try:
            page.block_thread()
        except (KeyboardInterrupt, SystemExit):  # gradio turns the signal into either
            page.close(verbose=False)


@contextmanager
def temporary_folder() -> Iterator[str]:
    """A folder of this user alone, removed at the end, where all lies that is uploaded and made."""
    with tempfile.TemporaryDirectory(prefix="text2lip-demo-", ignore_cleanup_errors=True) as folder:
        os.environ["GRADIO_TEMP_DIR"] = os.path.join(folder, "gradio")
        yield folder


def check_gradio() -> None:
    """Refuse to go on without gradio, and let it tell nobody that it is used.

    Raises:
        ImportError: it is missing; the message says what to install.
    """
    os.environ.update(TELLING_NOBODY)
    try:
        import gradio  # noqa: F401
    except ImportError as error:
        raise ImportError('the demo needs gradio: pip install "text2lip[demo]"') from error


def launch(
    pipe: Any, *, host: str | None = None, port: int | None = None, folder: str | None = None, **options: Any
) -> Any:
    """Serve the page of a pipeline in a thread.

    Args:
        pipe ([`Text2LipPipeline`]): loaded.
        host (`str`, *optional*): address to listen at; that of GRADIO_SERVER_NAME or this machine alone by default.
        port (`int`, *optional*): that of GRADIO_SERVER_PORT or the first free one from 7860 by default.
        folder (`str`, *optional*): where clips are made, below the system's temporary folder, which is the default.
        options: others of gradio's `launch`.

    Returns:
        `gradio.Blocks`: the page; `local_url` is where it is, `block_thread()` waits, `close()` ends it.

    Raises:
        ImportError: gradio is missing.
        ValueError: the address can't be listened at.
    """
    host = host or os.environ.get("GRADIO_SERVER_NAME") or "127.0.0.1"
    port = check_address(host, port)
    check_gradio()
    from starlette.middleware import Middleware

    from text2lip.demo.looks import CSS, NAMED_SAMPLES, theme
    from text2lip.demo.page import build_page

    page = build_page(pipe, folder)
    quiet = {"quiet": True, "share": False, "ssr_mode": False, "prevent_thread_lock": True, "footer_links": []}
    looks = {"theme": theme(), "css": CSS, "js": NAMED_SAMPLES}
    middleware = {"app_kwargs": {"middleware": [Middleware(FromHereOnly)]}}
    try:
        page.launch(server_name=host, server_port=port, max_file_size="1gb", **quiet, **looks, **middleware, **options)
    except OSError as error:
        raise cant_listen(host, port, error) from error
    return page


def check_address(host: str, port: int | None) -> int | None:
    """Refuse an address that can't be listened at.

    Returns:
        `int`, *optional*: the port, that of GRADIO_SERVER_PORT where none is given.

    Raises:
        ValueError: it is none, isn't this machine's, or is taken.
    """
    if port is None and (named := os.environ.get("GRADIO_SERVER_PORT")):
        port = int(named) if named.isdecimal() else named
    if port is not None and not (isinstance(port, int) and 1 <= port <= 65535):
        raise ValueError(f"port: {port!r}; wants a whole number from 1 to 65535.")
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port or 0, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as tried:
            if os.name == "posix":  # elsewhere it would let two listen at one port
                tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(address)
    except (OSError, UnicodeError) as error:  # UnicodeError: no name of a host, as a..b
        raise cant_listen(host, port, error) from error
    return port


def cant_listen(host: str, port: int | None, error: OSError | UnicodeError) -> ValueError:
    """The error of an address that can't be listened at, and what to do about it."""
    if isinstance(error, (socket.gaierror, UnicodeError)) or error.errno == errno.EADDRNOTAVAIL:
        return ValueError(f"host: {host!r} is no address of this machine; leave it out for this machine alone.")
    return ValueError(f"port: can't listen at {host}:{port or 7860} ({error.strerror or error}); choose another.")


class FromHereOnly:
    """ASGI middleware that tells browsers to load nothing from elsewhere, see `POLICY`."""

    def __init__(self, app: Callable):
        self.app = app

    async def __call__(self, scope: dict, receive: Callable, send: Callable) -> None:
        async def with_policy(message: dict) -> None:
            if message["type"] == "http.response.start":
                policy = (b"content-security-policy", POLICY.encode())
                message["headers"] = [*message.get("headers", ()), policy, (b"referrer-policy", b"no-referrer")]
            await send(message)

        await self.app(scope, receive, with_policy)
