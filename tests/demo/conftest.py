"""The page of the demo, served and in a browser, and a clip that waits."""

import shutil
import sys
import threading

import numpy as np
import pytest
from PIL import Image

from text2lip.pipelines.output import Text2LipStream


CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")  # a green picture, and beeps


@pytest.fixture(scope="package")
def reached():
    """Addresses that this process connects to."""
    reached = []

    def audit(event, args):
        if event in ("socket.connect", "socket.sendto"):
            reached.append(args[1])
        elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
            reached.append((args[0], 0))

    sys.addaudithook(audit)  # for good, there is no way to remove it
    return reached


@pytest.fixture(scope="package")
def served(pipe, reached, tmp_path_factory):
    """Where the page is."""
    from text2lip.demo.server import launch

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("demo")))
        page = launch(pipe)
        yield page.local_url
        page.close(verbose=False)


@pytest.fixture(scope="package")
def browser():
    driver = pytest.importorskip("playwright.sync_api")
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.skip("no Chromium here")
    with driver.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program, args=["--no-sandbox", *CAMERA])
        yield browser
        browser.close()


@pytest.fixture
def asked():
    """Addresses that the browser asks for."""
    return []


@pytest.fixture
def page(browser, served, asked):
    """The page as a visitor sees it at first."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, permissions=["camera", "microphone"])
    context.set_default_timeout(120_000)
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url))
    page.goto(served)
    page.locator("#make").wait_for()
    yield page
    context.close()


@pytest.fixture
def small_portrait(portrait, tmp_path):
    Image.fromarray(portrait).resize((192, 192)).save(tmp_path / "me.png")
    return tmp_path / "me.png"


@pytest.fixture
def gate():
    """What holds the frames back until it is set."""
    gate = threading.Event()
    yield gate
    gate.set()


def gated_stream(gate, drawn, num_frames=50):
    def frames():
        for number in range(num_frames):
            if number == 3:
                gate.wait(20)
            drawn.append(number)
            yield np.full((32, 32, 3), 5 * number, np.uint8)

    lists = {name: [] for name in ("visemes", "phones", "words", "turns", "confidence", "doubts")}
    more = {"audio": None, "sampling_rate": None, "landmarks": np.zeros((num_frames, 478, 2)), "times_from": "voice"}
    return Text2LipStream(frames(), num_frames, 25.0, motion_plan=None, size=(32, 32), **lists, **more)


@pytest.fixture
def make_stream(gate):
    """A function (list of the frames drawn) -> a clip whose fourth frame waits for the gate."""
    return lambda drawn: gated_stream(gate, drawn)
