"""Every argument of a clip is written once, and the pipeline's methods and the command line have it from there."""

import inspect
from dataclasses import FrozenInstanceError

import pytest

from text2lip import Text2LipPipeline
from text2lip.cli import FLAGS, build_parser
from text2lip.pipelines.request import FIELDS, Text2LipRequest, takes


METHODS = ("__call__", "stream", "check_inputs", "see", "speak", "move", "draw")
CALL_ONLY = {"output_type", "return_dict", "callback_on_step_end", "callback_on_step_end_tensor_inputs", "progress"}
STAGES_ONLY = {"timeline", "scene", "lip_motion", "audio_features", "callbacks", "text"}


@pytest.mark.parametrize("name", METHODS)
def test_methods_have_the_requests_arguments_defaults_and_docs(name):
    method = getattr(Text2LipPipeline, name)
    parameters = list(inspect.signature(method).parameters.values())[1:]
    ours = [parameter for parameter in parameters if parameter.name not in CALL_ONLY | STAGES_ONLY]
    assert {parameter.name for parameter in ours} <= set(FIELDS)
    for parameter in ours:
        required = parameter.name in ("prompt", "image")
        assert parameter.default == (inspect.Parameter.empty if required else FIELDS[parameter.name].default)
        assert (
            name == "check_inputs"
            or f"    {parameter.name} (" in method.__doc__
            or f"    {parameter.name}:" in method.__doc__
        )
    assert "{arguments}" not in method.__doc__
    if name in ("__call__", "stream", "check_inputs"):
        assert [parameter.name for parameter in ours] == list(FIELDS)


def test_every_field_is_documented_once():
    section = inspect.cleandoc(Text2LipRequest.__doc__).split("Args:\n")[1].split("\n\n")[0]
    assert [line.split()[0].rstrip(":") for line in section.splitlines() if line[4] != " "] == list(FIELDS)


def test_the_command_line_has_its_options_and_defaults_from_the_request():
    args = build_parser().parse_args(["Hi."])
    assert {name: getattr(args, name) for name in FLAGS} == {name: FIELDS[name].default for name in FLAGS}
    args = build_parser().parse_args(["Hi.", "--face", "1,2,3,4", "-r", "0.8", "--renderer", "learned"])
    assert (args.face_index, args.speaking_rate, args.renderer) == ((1, 2, 3, 4), 0.8, "learned")


def test_the_renderers_names_are_those_of_the_choice():
    from text2lip.renderers.selection import RENDERERS

    assert FIELDS["renderer"].metadata["parser"]["choices"] == RENDERERS


def test_a_request_is_frozen_checked_and_parted_into_clips():
    request = Text2LipRequest(["One.", "Two."], "a.png", voice=["espeak", None], fps=25)
    with pytest.raises(FrozenInstanceError):
        request.fps = 30
    one, two = request.clips()
    assert (one.prompt, one.voice, one.fps) == ("One.", "espeak", 25) and (two.prompt, two.voice) == ("Two.", None)
    with pytest.raises(ValueError, match="video_end: 'stop'; choose one of"):
        Text2LipRequest("One.", "a.png", video_end="stop")
    with pytest.raises(ValueError, match="generator: got int; wants a torch.Generator"):
        Text2LipRequest("One.", "a.png", generator=42)
    with pytest.raises(ValueError, match="image: None; give a portrait"):
        Text2LipRequest("One.").clips()


def test_a_method_takes_fields_or_a_request():
    class Maker:
        @takes("prompt", "fps")
        def make(self, size, request, *, loud=False):
            """Make.

            Args:
                {arguments}
            """
            return size, request.prompt, request.fps, loud

    maker = Maker()
    assert maker.make(3, "Hi.", fps=5, loud=True) == (3, "Hi.", 5, True)
    assert maker.make(3, Text2LipRequest("Hi.", fps=6)) == (3, "Hi.", 6, False)
    assert maker.make(size=3, prompt="Hi.") == (3, "Hi.", None, False)
    assert maker.make(3, request=Text2LipRequest("Hi.")) == (3, "Hi.", None, False)
    with pytest.raises(TypeError, match="takes a Text2LipRequest or its fields, not both"):
        maker.make(3, Text2LipRequest("Hi."), fps=3)
    with pytest.raises(TypeError, match=r"make\(\) .* argument 'lod'; did you mean 'loud'"):
        maker.make(3, "Hi.", lod=True)
    with pytest.raises(TypeError, match="unexpected keyword argument 'image'"):
        maker.make(3, "Hi.", image="a.png")
    assert (
        str(inspect.signature(maker.make))
        == "(size, prompt: str | list[str] | list[tuple[str, str]] | None, *, fps: float | None = None, loud=False)"
    )
