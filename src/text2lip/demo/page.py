"""What the page shows, and what its button does."""

import tempfile
from pathlib import Path

import gradio as gr

from text2lip.faces.builtin import builtin_portrait
from text2lip.pipelines.text2lip import Text2LipPipeline


def build_page(pipe: Text2LipPipeline) -> gr.Blocks:
    """The page, for a pipeline that is loaded."""

    def make(text: str, face: str) -> str:
        path = Path(tempfile.mkdtemp()) / "text2lip.mp4"
        try:
            pipe.stream(text, face).save(path)
        except ValueError as error:
            raise gr.Error(str(error), print_exception=False) from error
        return str(path)

    with gr.Blocks(title="text2lip", analytics_enabled=False) as page:
        text = gr.Textbox(label="What is said", value="Good morning, and welcome.")
        face = gr.Image(label="Face", type="filepath", value=str(builtin_portrait()))
        button = gr.Button("Make the video", variant="primary")
        button.click(make, [text, face], gr.Video(label="Video"))
    return page
