"""Binary glTF: what is in it, and that Khronos' validator finds nothing (node and its package are looked for)."""

import json
import os
import shutil
import struct
import subprocess
from dataclasses import replace

import numpy as np
import pytest

from text2lip import cli
from text2lip.exports import SaveOptions, inspect_file, write_clip, writers
from text2lip.exports.gltf import normals, save_glb
from text2lip.exports.sound_files import write_sound
from text2lip.exports.writers import write_glb
from text2lip.faces.talking_head import ARKIT_SHAPES
from text2lip.motion.blendshapes import BlendShapes
from text2lip.motion.lips import LipMotion


@pytest.fixture(scope="module")
def moving() -> BlendShapes:
    weights = np.random.default_rng(0).random((4, 52), np.float32)
    head = np.float32([[0, 0, 0], [30, 0, 0], [0, 20, 0], [0, 0, 10]])
    return BlendShapes(weights, head, np.zeros((4, 2), np.float32), np.float32([[0, 0]] * 3 + [[0.1, 0]]), 25.0)


@pytest.fixture(scope="module")
def file(tmp_path_factory, moving):
    path = tmp_path_factory.mktemp("glb") / "head.glb"
    save_glb(path, moving)
    return path


def read(path) -> tuple[dict, bytes]:
    data = path.read_bytes()
    magic, version, length = struct.unpack_from("<4sII", data)
    assert (magic, version, length) == (b"glTF", 2, len(data))
    size, kind = struct.unpack_from("<I4s", data, 12)
    assert kind == b"JSON" and size % 4 == 0
    return json.loads(data[20 : 20 + size]), data[28 + size :]


def values(document: dict, data: bytes, number: int) -> np.ndarray:
    accessor = document["accessors"][number]
    view = document["bufferViews"][accessor["bufferView"]]
    raw = data[view["byteOffset"] :][: view["byteLength"]]
    return np.frombuffer(raw, {5126: np.float32, 5123: np.uint16}[accessor["componentType"]])


def test_weights_and_names_come_through(file, moving):
    document, data = read(file)
    mesh, (animation,) = document["meshes"][0], document["animations"]
    assert mesh["extras"]["targetNames"] == list(ARKIT_SHAPES) and len(mesh["primitives"][0]["targets"]) == 52
    for channel in animation["channels"]:
        sampler = animation["samplers"][channel["sampler"]]
        assert values(document, data, sampler["input"]) == pytest.approx([0.02, 0.06, 0.10, 0.14])
        if channel["target"]["path"] == "weights":
            assert (values(document, data, sampler["output"]).reshape(4, 52) == moving.weights).all()
    assert "MIT" in document["asset"]["copyright"] and "extensionsUsed" not in document
    assert file.stat().st_size < 4e6


def test_the_head_turns_as_the_plan_says(file):
    from scipy.spatial.transform import Rotation

    document, data = read(file)
    outputs = [sampler["output"] for sampler in document["animations"][0]["samplers"]]
    turns, shift = values(document, data, outputs[1]).reshape(4, 4), values(document, data, outputs[2]).reshape(4, 3)
    yaw, pitch, roll = Rotation.from_quat(turns[1:])
    assert yaw.apply([0, 0, 1]) == pytest.approx([0.5, 0, 0.866], abs=1e-3)  # the nose goes to the viewer's right
    assert pitch.apply([0, 0, 1])[1] == pytest.approx(0.342, abs=1e-3)  # up
    assert roll.apply([0, 1, 0])[0] == pytest.approx(0.174, abs=1e-3)  # the top goes to the viewer's right
    assert 0.01 < shift[3, 0] - shift[0, 0] < 0.03  # metres


def test_normals_point_outwards():
    corners = np.float32([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 5]])
    assert normals(corners, np.array([[0, 1, 2]]))[:3] == pytest.approx(np.float32([[0, 0, 1]] * 3))


@pytest.fixture
def speaking(clip):
    lips = LipMotion(np.zeros((2, 57, 2), np.float32), None, 25.0)
    return clip(lip_motion=lips, audio=np.full(1280, 0.5, np.float32), sampling_rate=16000)


def test_sound_lies_beside_and_replaces_nobody_s(tmp_path, speaking, monkeypatch):
    monkeypatch.setenv("TEXT2LIP_CONFIG", str(tmp_path / "config"))
    (tmp_path / "mine.wav").write_bytes(b"mine")
    write_sound(tmp_path / "other.wav", speaking, SaveOptions(mark=False))
    for name in ("mine", "other"):
        kept = (tmp_path / f"{name}.wav").read_bytes()
        for _ in range(2):  # also where a talking head of that name is there
            with pytest.raises(ValueError, match=f"output: .*would replace '{name}.wav'"):
                write_glb(tmp_path / f"{name}.glb", speaking, SaveOptions())
            assert (tmp_path / f"{name}.wav").read_bytes() == kept
            write_glb(tmp_path / f"{name}.glb", replace(speaking, audio=None), SaveOptions())
    for _ in range(2):
        assert write_glb(tmp_path / "a.glb", speaking, SaveOptions()) == 2
    assert sorted(path.name for path in tmp_path.glob("a.*")) == ["a.glb", "a.wav"]


def test_an_unmarked_head_can_be_saved_again_while_its_sound_is_its_own(tmp_path, speaking):
    unmarked, path = SaveOptions(mark=False), tmp_path / "a.glb"
    for audio in (speaking.audio, speaking.audio / 2):
        assert write_glb(path, replace(speaking, audio=audio), unmarked) == 2
    with open(tmp_path / "a.wav", "ab") as file:
        file.write(b"more")
    with pytest.raises(ValueError, match="would replace 'a.wav'"):
        write_glb(path, speaking, unmarked)


def test_a_head_that_cannot_be_written_leaves_both_files_as_they_were(tmp_path, speaking, monkeypatch):
    unmarked, path = SaveOptions(mark=False), tmp_path / "a.glb"
    write_glb(path, speaking, unmarked)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    def full(*_, **__):
        raise OSError("No space left on device")

    with monkeypatch.context() as failing, pytest.raises(OSError, match="No space"):
        failing.setattr(writers, "save_glb", full)
        write_glb(path, replace(speaking, audio=speaking.audio / 2), unmarked)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before
    assert write_glb(path, speaking, unmarked) == 2


def test_the_command_says_so_before_it_speaks(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cli, "load_pipeline", lambda name: pytest.fail("work was begun"))
    (tmp_path / "a.wav").write_bytes(b"mine")
    assert cli.main(["Hi.", "-o", str(tmp_path / "a.glb")]) == 2
    assert "--output: the sound of" in capsys.readouterr().err


def test_the_sound_beside_says_what_one_alone_says(tmp_path, speaking, monkeypatch):
    pytest.importorskip("c2pa")
    monkeypatch.setenv("TEXT2LIP_CONFIG", str(tmp_path / "config"))
    for name in ("a.glb", "b.wav"):
        write_clip(tmp_path / name, speaking)
    beside, alone = (inspect_file(tmp_path / name) for name in ("a.wav", "b.wav"))
    assert beside.manifest["state"] == alone.manifest["state"] == "Valid" and beside.metadata == alone.metadata
    write_clip(tmp_path / "c.glb", speaking, SaveOptions(mark=False))
    assert not inspect_file(tmp_path / "c.wav").metadata


def test_the_validator_finds_nothing(file):
    modules = os.environ.get("TEXT2LIP_NODE_MODULES", "node_modules")  # after: npm install gltf-validator
    if not shutil.which("node") or not os.path.isdir(os.path.join(modules, "gltf-validator")):
        pytest.skip("needs node and, in TEXT2LIP_NODE_MODULES, gltf-validator")
    script = (
        "const validator = require(process.argv[1]), files = require('fs');"
        "validator.validateBytes(new Uint8Array(files.readFileSync(process.argv[2])))"
        ".then(report => console.log(JSON.stringify(report.issues)))"
    )
    package = os.path.abspath(os.path.join(modules, "gltf-validator"))
    told = subprocess.run(["node", "-e", script, package, str(file)], capture_output=True, text=True, check=True)
    issues = json.loads(told.stdout)
    assert issues["numErrors"] == issues["numWarnings"] == 0, issues["messages"][:5]
