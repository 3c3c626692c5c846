"""The landmarker against MediaPipe's own answers, and on small, turned, missing and many faces.

`golden_face_mesh.npz` (written by `utils/convert_face_mesh.py --golden` and `utils/golden_attention_mesh.py`) holds a
192-pixel crop of a public domain photograph and what the original .tflite files give for it.
"""

import json
import weakref
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from text2lip.faces.landmarker import Face, FaceLandmarker, FaceNotFoundError
from text2lip.faces.mediapipe_networks import blazeface_anchors
from text2lip.faces.regions import Region
from text2lip.faces.topology import LEFT_EYE, RIGHT_EYE
from text2lip.faces.tracking import place_again


@pytest.fixture(scope="module")
def landmarker():
    return FaceLandmarker.from_builtin()


@pytest.fixture(scope="module")
def golden():
    with np.load(Path(__file__).with_name("golden_face_mesh.npz")) as stored:
        return dict(stored)


@pytest.fixture(scope="module")
def truth(landmarker, golden):
    """Landmarks of the golden crop in its pixels, `(478, 2)`."""
    return landmarker.locate(golden["crop"])[:, :2] * 192


def place(canvas, crop, scale, centre, degrees=0.0):
    """Draw `crop` into `canvas`, scaled, turned clockwise; returns the 2x3 matrix from crop to canvas pixels."""
    # warpAffine does not average: shrink by areas first.
    small = cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else crop
    rest = scale * crop.shape[0] / small.shape[0]
    matrix = cv2.getRotationMatrix2D((small.shape[1] / 2, small.shape[0] / 2), -degrees, rest)
    matrix[:, 2] += np.array(centre) - (small.shape[1] / 2, small.shape[0] / 2)
    size = (canvas.shape[1], canvas.shape[0])
    cv2.warpAffine(small, matrix, size, dst=canvas, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT)
    matrix[:, :2] *= small.shape[0] / crop.shape[0]
    return matrix


def grey(width, height):
    """A plain background with some texture."""
    noise = np.random.default_rng(0).integers(100, 140, (height, width, 1), np.uint8)
    return cv2.GaussianBlur(np.repeat(noise, 3, 2), (0, 0), 2)


def assert_on_face(landmarks, image, truth, matrix, tolerance):
    """Mean error over all points, relative to the distance of the outer eye corners."""
    height, width = image.shape[:2]
    expected = truth @ matrix[:, :2].T + matrix[:, 2]
    unit = np.linalg.norm(expected[33] - expected[263])
    error = np.linalg.norm(landmarks[:, :2] * (width, height) - expected, axis=1).mean() / unit
    assert error < tolerance


@pytest.fixture(scope="module")
def two(golden):
    image = grey(640, 360)
    small = place(image, golden["crop"], 0.8, (140, 180))
    large = place(image, np.ascontiguousarray(golden["crop"][:, ::-1]), 1.5, (450, 180))
    return image, small, large


@pytest.fixture(scope="module")
def clip(golden):
    """24 frames: a face that moves 3 pixels a frame and turns; frames 10 and 11 are empty."""
    frames, matrices = [], []
    for index in range(24):
        frames.append(grey(360, 288))
        matrices.append(np.eye(2, 3))
        if index not in (10, 11):
            matrices[-1] = place(frames[-1], golden["crop"], 1.0, (140 + 3 * index, 144), index)
    return frames, matrices


class TestParity:
    def test_mesh(self, landmarker, golden):
        crop = torch.from_numpy(golden["crop"])[None].permute(0, 3, 1, 2) / 255
        with torch.no_grad():
            points, logit = landmarker.mesh(crop)
        assert np.abs(points[0].numpy() - golden["points"]).max() < 0.01  # pixels of 192
        assert abs(logit.item() - golden["presence_logit"]) < 0.01

    def test_attention_mesh(self, landmarker, golden):
        crop = torch.from_numpy(golden["crop"])[None].permute(0, 3, 1, 2) / 255
        with torch.no_grad():
            points, logit = landmarker.refiner(crop)
        assert np.abs(points[0].numpy() - golden["refined_points"]).max() < 0.01  # pixels of 192
        assert abs(logit.item() - golden["refined_logit"]) < 0.01

    def test_detector(self, landmarker, golden):
        middle = torch.from_numpy(golden["crop"][32:160, 32:160])[None].permute(0, 3, 1, 2) / 127.5 - 1
        with torch.no_grad():
            logits, boxes = landmarker.detector(middle)
        np.testing.assert_allclose(logits[0].numpy(), golden["logits"], atol=0.01)
        np.testing.assert_allclose(boxes[0].numpy()[golden["best_anchors"]], golden["best_boxes"], atol=0.01)

    def test_anchors(self):
        anchors = blazeface_anchors().numpy()
        assert anchors.shape == (896, 2)
        np.testing.assert_array_equal(anchors[[0, 1, 2, 511, 512, 895]].T[0], [4, 4, 12, 124, 8, 120])
        np.testing.assert_array_equal(anchors[[0, 32, 512]].T[1], [4, 12, 8])


class TestModel:
    def test_save_and_load(self, landmarker, golden, tmp_path):
        landmarker.save_pretrained(str(tmp_path))
        assert sorted(path.name for path in tmp_path.iterdir()) == [
            "LICENSE.txt",
            "NOTICE.md",
            "config.json",
            "diffusion_pytorch_model.safetensors",
        ]
        again, info = FaceLandmarker.from_pretrained(str(tmp_path), output_loading_info=True)
        assert not info["missing_keys"] and not info["unexpected_keys"]
        assert dict(again.config) == dict(landmarker.config) | {"_name_or_path": str(tmp_path)}
        for name, values in landmarker.state_dict().items():
            assert torch.equal(again.state_dict()[name], values)
        # Where weights lie in memory changes the order of a sum, and with it by how much the crop's square is rounded.
        np.testing.assert_allclose(again.locate(golden["crop"]), landmarker.locate(golden["crop"]), atol=2e-4)

    def test_other_weights_get_no_notice_of_mediapipe(self, tmp_path):
        FaceLandmarker().save_pretrained(str(tmp_path))
        assert sorted(path.name for path in tmp_path.iterdir()) == [
            "config.json",
            "diffusion_pytorch_model.safetensors",
        ]

    def test_half_precision_request_still_computes_in_float32(self, landmarker, golden, tmp_path):
        landmarker.save_pretrained(str(tmp_path))
        expected = landmarker.locate(golden["crop"])
        loaded = FaceLandmarker.from_pretrained(str(tmp_path), dtype=torch.float16)
        cast = FaceLandmarker.from_pretrained(str(tmp_path)).to(torch.float16)
        for other in (loaded, cast):  # the weights were published as float16: nothing is lost
            np.testing.assert_allclose(other.locate(golden["crop"]), expected, atol=2e-4)

    def test_batch_equals_single(self, landmarker, golden):
        crop = torch.from_numpy(golden["crop"])[None].permute(0, 3, 1, 2) / 255
        crops = torch.cat([crop, crop.flip(3), torch.rand(crop.shape, generator=torch.Generator().manual_seed(0))])
        with torch.no_grad():
            together = landmarker(crops)
            alone = [landmarker(one[None], return_dict=False) for one in crops]
        for index, (points, presence) in enumerate(alone):
            torch.testing.assert_close(together.points[index], points[0], atol=1e-3, rtol=0)
            torch.testing.assert_close(together.presence[index], presence[0], atol=1e-4, rtol=0)

    def test_no_config_name_hides_a_module(self, landmarker):
        children = {name for name, _ in landmarker.named_children()} | {name for name, _ in landmarker.named_buffers()}
        assert not children & set(landmarker.config)


class TestLocate:
    def test_form(self, landmarker, golden):
        landmarks = landmarker.locate(golden["crop"])
        assert landmarks.shape == (478, 3) and landmarks.dtype == np.float32
        # On the picture: right eye left of left eye, both above the mouth; the nose tip is nearest to the camera.
        assert landmarks[33, 0] < landmarks[263, 0] and landmarks[33, 1] < landmarks[13, 1] < landmarks[152, 1]
        assert landmarks[1, 2] < landmarks[[33, 263, 234, 454], 2].min()

    def test_irises(self, landmarker, golden):
        landmarks = landmarker.locate(golden["crop"]) * 192
        for iris, (outer, inner) in ((468, (33, 133)), (473, (263, 362))):
            width = np.hypot(*(landmarks[outer] - landmarks[inner])[:2])
            centre, *edge = landmarks[iris : iris + 5, :2]
            radii = np.hypot(*(edge - centre).T) / width
            assert (radii > 0.12).all() and (radii < 0.3).all()
            assert np.hypot(*(centre - landmarks[[outer, inner], :2].mean(0))) < 0.25 * width

    def test_mesh_of_earlier_checkpoints(self, golden, tmp_path):
        FaceLandmarker().save_pretrained(str(tmp_path))
        config = json.loads((tmp_path / "config.json").read_text())
        del config["refine_landmarks"]  # unknown then
        (tmp_path / "config.json").write_text(json.dumps(config))
        old = FaceLandmarker.from_pretrained(str(tmp_path))
        with torch.no_grad():
            points, presence = old._place([golden["crop"]], [Region(96, 96, 192, 0)])
        assert points.shape == (1, 468, 3) and presence.shape == (1,)
        landmarks = old._normalise(points[0], golden["crop"])
        assert landmarks.shape == (478, 3)
        for iris, eye in ((468, RIGHT_EYE), (473, LEFT_EYE)):
            centre = landmarks[list(eye)].mean(0)
            np.testing.assert_allclose(landmarks[iris : iris + 5], np.tile(centre, (5, 1)), atol=1e-6)

    @pytest.mark.parametrize("degrees", [30, -30, 60, 90, 180, -120])
    def test_turned(self, landmarker, golden, truth, degrees):
        image = grey(420, 360)
        matrix = place(image, golden["crop"], 1.2, (200, 180), degrees)
        assert_on_face(landmarker.locate(image), image, truth, matrix, 0.04)

    @pytest.mark.parametrize("scale, width, height", [(0.3, 640, 480), (0.5, 1920, 1080), (4.0, 800, 800)])
    def test_small_and_large(self, landmarker, golden, truth, scale, width, height):
        image = grey(width, height)
        matrix = place(image, golden["crop"], scale, (width * 0.55, height * 0.5))
        assert_on_face(landmarker.locate(image), image, truth, matrix, 0.06)

    def test_grey_dark_and_drawn(self, landmarker, golden, truth):
        crop = golden["crop"]
        identity = np.eye(2, 3)
        for image in (
            np.repeat(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)[..., None], 3, 2),
            (crop * 0.15).astype(np.uint8),
            cv2.stylization(crop, sigma_s=30, sigma_r=0.4),
            crop // 48 * 48,
        ):
            assert_on_face(landmarker.locate(image), image, truth, identity, 0.06)

    def test_odd_and_flat_sizes(self, landmarker, golden, truth):
        for height, width in ((201, 333), (200, 1001)):
            image = grey(width, height)
            matrix = place(image, golden["crop"], 1.0, (width // 2, height // 2))
            assert_on_face(landmarker.locate(image), image, truth, matrix, 0.03)


class TestWhichFace:
    def test_largest_first(self, landmarker, two):
        faces = landmarker.detect(two[0])
        assert len(faces) == 2 and all(isinstance(face, Face) for face in faces)
        assert faces[0].size > faces[1].size and faces[0].centre[0] > 320 > faces[1].centre[0]
        assert all(0.5 <= face.score <= 1 and face.keypoints.shape == (6, 2) for face in faces)

    def test_choice(self, landmarker, two, truth):
        image, small, _ = two
        face = landmarker.detect(image)[1]
        assert landmarker.locate(image)[1, 0] > 0.5
        for choice in (1, (0, 0, 320, 360), face, np.array([0, 0, 320, 360])):
            assert_on_face(landmarker.locate(image, choice), image, truth, small, 0.05)

    def test_wrong_choice(self, landmarker, two):
        with pytest.raises(FaceNotFoundError, match=r"`face_index` is 2, but `image` shows faces 0"):
            landmarker.locate(two[0], 2)
        with pytest.raises(FaceNotFoundError, match="box"):
            landmarker.locate(two[0], (0, 0, 10, 10))
        with pytest.raises(ValueError, match="index, a box"):
            landmarker.locate(two[0], "left")


class TestNoFace:
    def test_nothing_there(self, landmarker):
        image = grey(300, 200)
        assert landmarker.detect(image) == []
        with pytest.raises(FaceNotFoundError, match=r"no face found in `image` \(300x200 pixels\).*24 pixels.*0\.5"):
            landmarker.locate(image)

    def test_ten_pixel_face(self, landmarker, golden):
        image = grey(40, 40)
        place(image, golden["crop"], 0.1, (20, 20))
        with pytest.raises(FaceNotFoundError, match="24"):
            landmarker.locate(image)

    @pytest.mark.parametrize("shape", [(1, 1, 3), (2, 500, 3), (30, 30, 3)])
    def test_tiny_pictures(self, landmarker, shape):
        with pytest.raises(FaceNotFoundError):
            landmarker.locate(np.zeros(shape, np.uint8))

    @pytest.mark.parametrize(
        "image", [None, np.zeros((8, 8, 3)), np.zeros((8, 8), np.uint8), np.zeros((0, 8, 3), np.uint8)]
    )
    def test_not_a_picture(self, landmarker, image):
        for method in (landmarker.detect, landmarker.locate):
            with pytest.raises(ValueError, match="`image`"):
                method(image)


class TestTrack:
    def test_follows_loses_and_finds_again(self, landmarker, clip, truth):
        frames, matrices = clip
        landmarks, scores = landmarker.track(iter(frames))
        assert landmarks.shape == (24, 478, 3) and landmarks.dtype == scores.dtype == np.float32
        lost = np.isnan(landmarks).any((1, 2))
        assert np.flatnonzero(lost).tolist() == [10, 11] and (scores[lost] == 0).all() and (scores[~lost] > 0.9).all()
        for index in np.flatnonzero(~lost):
            assert_on_face(landmarks[index], frames[index], truth, matrices[index], 0.03)

    def test_one_spoilt_frame_loses_no_other(self, landmarker, golden):
        """A face so small that only a thorough search finds it, which a lost face gets in each 25th frame alone."""
        shown = grey(1000, 560)
        place(shown, golden["crop"], 0.35, (300, 250))
        landmarks, _ = landmarker.track([shown, shown, grey(1000, 560), shown, shown])
        assert np.isnan(landmarks).any((1, 2)).tolist() == [False, False, True, False, False]

    def test_still_picture_gives_still_landmarks(self, landmarker, clip):
        landmarks, _ = landmarker.track([clip[0][0]] * 20)
        assert np.abs(np.diff(landmarks[..., :2], axis=0)).max() < 1e-3

    def test_a_face_whose_place_is_known_is_placed_as_the_tracker_does(self, landmarker, clip, truth):
        frames, matrices = clip[0][:10], clip[1][:10]
        size = frames[0].shape[1], frames[0].shape[0], frames[0].shape[1]
        tracked = landmarker.track(frames)[0] * np.array(size)
        near = tracked + np.random.default_rng(0).normal(0, 2, tracked.shape)
        points = place_again(landmarker, frames, near)
        assert points.shape == (10, 478, 3) and points.dtype == np.float32
        for index, frame in enumerate(frames):
            assert_on_face(points[index] / size, frame, truth, matrices[index], 0.03)

    def test_ends(self, landmarker, clip):
        landmarks, scores = landmarker.track([])
        assert landmarks.shape == (0, 478, 3) and scores.shape == (0,)
        landmarks, scores = landmarker.track([grey(64, 48)])
        assert np.isnan(landmarks).all() and scores.tolist() == [0]
        with pytest.raises(FaceNotFoundError, match="`face_index` is 3"):
            landmarker.track(clip[0][:2], face_index=3)

    def test_keeps_few_frames(self, landmarker, clip):
        """Frames are asked for as the tracker goes, and let go."""
        alive = []

        def stream():
            for _ in range(50):
                frame = clip[0][0].copy()
                alive.append(weakref.ref(frame))
                yield frame
                del frame
                assert sum(ref() is not None for ref in alive) < 25

        landmarker.track(stream())
        assert len(alive) == 50


class TestRealPictures:
    def test_every_portrait_shows_one_face(self, landmarker, data_root):
        paths = sorted((data_root / "portraits").glob("*.jpg"))[::4]
        assert paths
        for path in paths:
            assert len(landmarker.detect(cv2.imread(str(path))[:, :, ::-1].copy())) == 1, path.name

    def test_resting_lips_rest(self, landmarker, data_root):
        """Silent frames at a clip's start: mean lip motion per frame, unit: distance of the outer eye corners."""
        import av

        from text2lip.faces.topology import LIPS

        with av.open(str(data_root / "grid/s1/video/bbal9a.mkv")) as container:
            frames = [frame.to_ndarray(format="rgb24") for frame in list(container.decode(video=0))[:17]]
        landmarks, scores = landmarker.track(map(np.ascontiguousarray, frames))
        points = landmarks[..., :2] * (360, 288)
        unit = np.median(np.linalg.norm(points[:, 33] - points[:, 263], axis=-1))
        head = points[:, [33, 133, 362, 263, 168, 6, 197, 195, 5, 4]].mean(1, keepdims=True)
        motion = np.linalg.norm(np.diff((points - head)[:, list(LIPS)], axis=0), axis=-1).mean() / unit
        assert scores.min() > 0.99 and motion < 0.01
