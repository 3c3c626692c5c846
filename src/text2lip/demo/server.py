"""Serving the page, on this machine alone unless asked otherwise."""

import argparse
import os


def demo_parser() -> argparse.ArgumentParser:
    """The options of `text2lip demo`."""
    parser = argparse.ArgumentParser(
        prog="text2lip demo",
        description="Serve a page where a portrait says what you type. Works offline; only this machine can reach it.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (default: this machine alone)")
    parser.add_argument("--port", type=int, default=7860, help="port to listen at; the next free one is taken")
    parser.add_argument("--model", default="text2lip-grid", help="built-in name, folder or Hub id of a pipeline")
    parser.add_argument("--device", help="where it runs: cpu (default), cuda, mps, …")
    parser.add_argument("--debug", action="store_true", help="on an error, show where it came from")
    return parser


def serve(words: list[str]) -> None:
    """Serve the page until Ctrl-C.

    Args:
        words (`list[str]`): the command line after `text2lip demo`.

    Raises:
        ImportError: gradio is missing.
        ValueError: no pipeline of that name, or an address that can't be listened at.
    """
    args = demo_parser().parse_args(words)
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    try:
        import gradio  # noqa: F401
    except ImportError as error:
        raise ImportError('the demo needs gradio: pip install "text2lip[demo]"') from error
    from text2lip.demo.page import build_page
    from text2lip.pipelines.text2lip import Text2LipPipeline

    pipe = Text2LipPipeline.from_pretrained(args.model)
    if args.device:
        pipe.to(args.device)
    build_page(pipe).launch(server_name=args.host, server_port=args.port, share=False, quiet=True)
