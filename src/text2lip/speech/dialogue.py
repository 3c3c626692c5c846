"""What a clip's words, times and speakers make together: a script that voices speak, or times alone."""

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from text2lip.speech.speakers import (
    Speaker,
    faces_of,
    is_dialogue,
    of_speaker,
    read_dialogue,
    unknown_names,
    without_names,
)
from text2lip.speech.timings.script import Line, Passage, read_script, turns_in_cues, turns_of_words
from text2lip.speech.timings.subtitles import is_subtitles, read_cues
from text2lip.text.feeling_marks import unknown_tags
from text2lip.text.readers import ReadingWarning


if TYPE_CHECKING:
    from text2lip.speech.utterance import Speech


class Scripted:
    """The part of a [`Text2LipRequest`] that knows who says what; its own fields are meant below."""

    prompt: Any
    speakers: dict[str, Speaker] | None
    voice: Any
    audio: Any
    timings: Any
    language: str
    face_index: Any
    audio_condition: str

    def with_script(self) -> "Scripted":
        """The same clip: a prompt that is subtitles becomes its `timings`, or text alone where times are given."""
        if not isinstance(self.prompt, str) or not is_subtitles(self.prompt):
            return self
        if self.audio is None and self.timings is None:
            return replace(self, prompt=None, timings=self.prompt)
        if self.speakers:
            script = read_script(self.prompt, list(self.speakers))
            return replace(self, prompt=[line[:2] for passage in script for line in passage.lines])
        return replace(self, prompt="\n".join(cue.label for cue in read_cues(self.prompt)))

    @property
    def lines(self) -> list[Line]:
        """The turns of a prompt that is a dialogue, else none."""
        if not self.speakers or self.prompt is None or self.timings is not None:
            return []
        return read_dialogue(self.prompt, list(self.speakers))

    @property
    def text(self) -> str | None:
        """The prompt, without names."""
        return "\n".join(line.text for line in self.lines) or self.prompt

    def warn_of_tags(self) -> None:
        """Tell of words in brackets that are spoken, for they are no feelings."""
        from text2lip.speech.timings.formats import subtitles_in

        written = self.text if isinstance(self.text, str) else subtitles_in(self.timings)
        if told := unknown_tags(written or ""):
            warnings.warn("prompt: " + " ".join(told), ReadingWarning, stacklevel=4)

    def script(self) -> list[Passage] | None:
        """What voices say turn by turn; None for a plain text, and where a recording or `timings` alone are given.

        Raises:
            ValueError: a prompt beside subtitles that says something else.
        """
        if self.audio is not None or (self.timings is not None and self.voice is None):
            return None
        if self.timings is not None:
            script = read_script(self.timings, list(self.speakers or ()))
            text = " ".join(text for _, text in self.prompt) if is_dialogue(self.prompt) else self.prompt
            if self.speakers and isinstance(text, str):
                text = without_names(text, self.speakers)
            said = [line.text for passage in script or () for line in passage.lines]
            if script and text and sorted(text.split()) != sorted(" ".join(said).split()):
                raise ValueError(
                    "prompt: other words than the subtitles in timings, which are spoken; leave one of them out."
                )
            return script
        return [Passage(lines)] if (lines := self.lines) else None

    def say(self, line: Line, pace: float) -> "Speech":
        """What a voice says, see [`speak_script`]."""
        from text2lip.speech.voices.synthesis import synthesize

        speaker = (self.speakers or {}).get(line.speaker, Speaker())
        voice = speaker.voice or self.voice or "default"
        with of_speaker(line.speaker):
            return synthesize(line.text, voice, speaker.language or self.language, pace)

    def with_turns(self, speech: "Speech") -> "Speech":
        """A recording, or times alone, with who speaks when, by subtitles or by the words of a dialogue."""
        timeline = speech.timeline
        if self.speakers and self.timings is not None:
            timeline = timeline.with_turns(turns_in_cues(read_script(self.timings, list(self.speakers)) or []))
        elif lines := self.lines:
            turns, words = turns_of_words(lines, timeline.words)
            timeline = replace(timeline, turns=tuple(turns), words=words)
        return replace(speech, timeline=timeline)

    def cast(self) -> list[tuple[Any, list[str]]]:
        """Which faces speak, and the names of who speaks with each."""
        return faces_of(self.speakers, self.face_index) if self.speakers else [(self.face_index, [""])]

    def check_words(self) -> None:
        """Refuse a prompt that says nothing, and what can't be had of several people at once; ValueError."""
        if is_dialogue(self.prompt) and not self.speakers:
            names = ", ".join(f"{name!r}: Speaker(…)" for name in dict.fromkeys(name for name, _ in self.prompt))
            raise ValueError(f"speakers: None, but the prompt is a dialogue; give voices and faces: {{{names}}}.")
        if self.prompt is not None and not isinstance(self.prompt, str) and not is_dialogue(self.prompt):
            wants = "(speaker, text) pairs, or a text" if self.speakers else "a string or a list of strings"
            raise ValueError(f"prompt: got {type(self.prompt).__name__}; wants {wants}.")
        if isinstance(self.prompt, str) and not self.prompt.strip() and self.timings is None:
            raise ValueError(f"prompt: {self.prompt!r} is empty; give the text that is said.")
        if not self.speakers:
            return
        from text2lip.speech.timings.formats import subtitles_in

        self.cast(), self.lines
        written = self.prompt if isinstance(self.prompt, str) else subtitles_in(self.timings)
        if strangers := unknown_names(written or "", self.speakers):
            warnings.warn(
                f"speakers: lines begin with {', '.join(map(repr, strangers[:5]))}, no speaker's name, so whoever "
                "spoke before says them too; add who is meant.",
                ReadingWarning,
                stacklevel=4,
            )
        if self.audio is not None and self.timings is None and self.prompt is None:
            raise ValueError(
                "prompt: None, so it isn't known who of the speakers says what; give (speaker, text) pairs."
            )
        if self.timings is not None and subtitles_in(self.timings) is None:
            raise ValueError(
                "timings: these don't say who of the speakers speaks; give subtitles, or leave speakers out."
            )
        if self.audio_condition != "none":
            raise ValueError(f"audio_condition: {self.audio_condition!r} is of one face; leave it at 'none'.")
        voiced = [name for name, speaker in self.speakers.items() if speaker.voice is not None]
        if voiced and (self.audio is not None or self.voice is None):
            why = "audio is the sound" if self.audio is not None else "the film is silent"
            raise ValueError(f"speakers: {voiced[0]!r} has a voice, but {why}; leave it out.")
