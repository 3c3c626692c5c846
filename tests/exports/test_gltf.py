"""Binary glTF: what is in it, and that Khronos' validator finds nothing (node and its package are looked for)."""

import json
import os
import shutil
import struct
import subprocess

import numpy as np
import pytest

from text2lip.exports.clip import Clip, SaveOptions
from text2lip.exports.gltf import normals, save_glb
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


def test_sound_lies_beside_and_replaces_nobody_s(tmp_path):
    nothing = dict.fromkeys(("landmarks", "visemes", "phones", "words", "times_from", "motion_plan"))
    lips = LipMotion(np.zeros((2, 57, 2), np.float32), None, 25.0)
    sound = {"audio": np.zeros(1280, np.float32), "sampling_rate": 16000}
    clip = Clip(frames=(), num_frames=2, fps=25.0, size=(8, 8), lip_motion=lips, **nothing, **sound)
    (tmp_path / "mine.wav").write_bytes(b"mine")
    with pytest.raises(ValueError, match="would replace 'mine.wav'"):
        write_glb(tmp_path / "mine.glb", clip, SaveOptions())
    assert (tmp_path / "mine.wav").read_bytes() == b"mine"
    for _ in range(2):
        assert write_glb(tmp_path / "a.glb", clip, SaveOptions()) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.glb", "a.wav", "mine.wav"]


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
