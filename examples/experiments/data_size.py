"""How many clips of a talker does it take?

python examples/experiments/data_size.py --prepared outputs/grid --jobs 2
"""

from study import STUDY, Study, count_of, finish, minutes_of, parse, parser, run_study, told

from text2lip.training.settings import errors_in_one_line


NAME = "data_size"


def main(arguments: list[str] | None = None) -> dict[str, list[dict]]:
    args = parse(parser(__doc__, NAME, *STUDY), arguments)
    study = Study.read(NAME)
    found = run_study(study, args)
    all_clips = f"All are {count_of(args.prepared, 'train')} clips of `train`."
    finish(NAME, f"{all_clips} {told(study, found, args)}", args, minutes_of(found))
    return found


if __name__ == "__main__":
    with errors_in_one_line():
        main()
