"""The demo as a Space of the Hugging Face Hub, or on any server: `python app.py`.

GRADIO_SERVER_NAME and GRADIO_SERVER_PORT say where it listens, as a Space sets them; TEXT2LIP_MODEL which pipeline
speaks.
"""

import os

from text2lip import Text2LipPipeline
from text2lip.demo.server import launch


if __name__ == "__main__":
    pipe = Text2LipPipeline.from_pretrained(os.environ.get("TEXT2LIP_MODEL", "text2lip-grid"))
    pipe.set_progress_bar_config(disable=True)
    launch(pipe).block_thread()
