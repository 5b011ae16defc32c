"""Every benchmark, one after the other: `make bench`."""

from benchmarks import folder, frozen, growth, lists, resampling, server, training, upload
from benchmarks.timing import describe_machine, read_options


def main() -> None:
    """Run every benchmark."""
    options = read_options("Speed of Secondlook against plain alternatives.")
    print(describe_machine())
    for benchmark in (folder, resampling, server, upload, lists, training, frozen, growth):
        benchmark.run(options.bundle, rounds=options.rounds)


if __name__ == "__main__":
    main()
