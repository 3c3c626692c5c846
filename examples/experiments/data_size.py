"""How many clips of a talker does it take?

python examples/experiments/data_size.py --prepared outputs/grid --jobs 2
"""

from study import run_one

from text2lip.training.settings import errors_in_one_line


def main(arguments: list[str] | None = None) -> dict:
    return run_one("data_size", __doc__, arguments)


if __name__ == "__main__":
    with errors_in_one_line():
        main()
