"""What the demo listens at, and what it lets nobody fetch."""

import json
import re
from pathlib import Path
from urllib.request import Request, urlopen

import pytest


pytest.importorskip("gradio")
pytest.importorskip("matplotlib")

from text2lip.demo.page import LABELS  # noqa: E402
from text2lip.demo.server import demo_parser, launch, serve  # noqa: E402


def test_the_page_is_served_with_a_policy_and_to_this_machine_alone(served):
    assert served.startswith("http://127.0.0.1:") and demo_parser().parse_args([]).host == "127.0.0.1"
    with urlopen(served) as answer:
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        text = answer.read().decode()
    assert re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="(?:https?:)?//[^"]*"', text) == []
    assert 'analytics_enabled":false' in text.replace(" ", "")


def test_a_port_that_is_none_or_taken_is_told(pipe, served):
    for port in (0, 99_999):
        with pytest.raises(ValueError, match=f"port: {port}; wants a whole number from 1 to 65535"):
            launch(pipe, port=port)
    with pytest.raises(ValueError, match=r"port: can't listen at 127.0.0.1:\d+ \(Address already in use\)"):
        launch(pipe, port=int(served.strip("/").rsplit(":", 1)[1]))


def test_gradio_s_variables_are_looked_at_where_nothing_else_is_asked(pipe, served, monkeypatch):
    monkeypatch.setenv("GRADIO_SERVER_NAME", "192.0.2.1")
    with pytest.raises(ValueError, match="host: '192.0.2.1' is no address of this machine"):
        launch(pipe)
    monkeypatch.setenv("GRADIO_SERVER_PORT", "http")
    with pytest.raises(ValueError, match="port: 'http'; wants a whole number from 1 to 65535"):
        launch(pipe, host="127.0.0.1")
    taken = served.strip("/").rsplit(":", 1)[1]
    monkeypatch.setenv("GRADIO_SERVER_PORT", taken)
    with pytest.raises(ValueError, match=f"port: can't listen at 127.0.0.1:{taken}"):
        launch(pipe, host="127.0.0.1")


def test_what_can_t_be_listened_at_is_told_before_anything_is_loaded(served):
    taken = served.strip("/").rsplit(":", 1)[1]
    for words, told in (
        (["--port", "0"], "port: 0; wants a whole number from 1 to 65535"),
        (["--port", taken], rf"port: can't listen at 127.0.0.1:{taken} \(Address already in use\); choose another"),
        (["--host", "no-such.invalid"], "host: 'no-such.invalid' is no address of this machine"),
        (["--host", "a..b"], "host: 'a..b' is no address of this machine"),
        (["--host", "192.0.2.1"], "host: '192.0.2.1' is no address of this machine"),
        (["--device", "abacus"], "device: 'abacus' can't be used"),
    ):
        with pytest.raises(ValueError, match=told):
            serve(words, lambda name: pytest.fail("the pipeline was loaded"))


@pytest.mark.parametrize("name", ("image", "reference", "audio", "film"))
def test_an_address_in_place_of_a_file_is_never_fetched(served, reached, name):
    host = f"{name}.example.invalid"
    file = {"path": f"https://{host}/a.png", "meta": {"_type": "gradio.FileData"}}
    asked = dict.fromkeys((*LABELS, "film")) | {"prompt": "Hi.", "voice": "default", "language": "en-us"}
    asked |= {"speaking_rate": 1, "expressiveness": 1, "expression": "", "life": 1, "renderer": "Automatic"}
    asked[name] = [file] if name == "reference" else file
    address, body = f"{served}gradio_api/call/make", json.dumps({"data": list(asked.values())})
    with urlopen(Request(address, body.encode(), {"Content-Type": "application/json"})) as answer:
        event = json.load(answer)["event_id"]
    with urlopen(f"{address}/{event}") as answer:
        told = answer.read().decode()
    assert "event: error" in told and f"{host}/a.png is an address; nothing is fetched here" in told
    assert not [one for one in reached if isinstance(one, tuple) and one[0] == host]


def test_the_space_runs_the_gradio_and_the_python_that_are_tested():
    root = Path(__file__).parents[2]
    readme = (root / "examples/space/README.md").read_text().split("---")[1]
    card = dict(line.split(": ", 1) for line in readme.strip().splitlines())
    assert f"gradio=={card['sdk_version']}" in (root / "constraints.txt").read_text().splitlines()
    assert f'python_requires=">={card["python_version"].strip(chr(34))}"' in (root / "setup.py").read_text()
    assert (root / "examples/space" / card["app_file"]).exists() and len(card["short_description"]) <= 60
