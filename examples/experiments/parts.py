"""What each part is worth: visemes, phones or both, classes, encoder, GLU, order of the cross-attentions, positions.

    python examples/experiments/parts.py --prepared outputs/grid --jobs 2

`--whisper FOLDER` adds runs that hear by Whisper-tiny's encoder (a folder or Hub id) in place of log-mel.
"""

from dataclasses import replace

from study import STUDY, Study, finish, minutes_of, parse, parser, run_study, told

from text2lip.training.settings import errors_in_one_line


NAME = "parts"
WHISPER_CHANNELS = 3840  # of a frame: two steps of five states of 384 channels


def main(arguments: list[str] | None = None) -> dict:
    options = parser(__doc__, NAME, *STUDY)
    options.add_argument("--whisper", metavar="FOLDER", help="folder or Hub id of Whisper-tiny")
    args = parse(options, arguments)
    study = Study.read(NAME)
    if args.whisper:
        width = {name: {"audio_dim": WHISPER_CHANNELS} for name in ("pseudo_audio", "lip_decoder")}
        heard = {"Whisper's features": {"audio_features": f"whisper:{args.whisper}", "networks": width}}
        study = replace(study, variants={**study.variants, **heard})
    found = run_study(study, args)
    finish(NAME, told(study, found, args), args, minutes_of(found))
    return found


if __name__ == "__main__":
    with errors_in_one_line():
        main()
