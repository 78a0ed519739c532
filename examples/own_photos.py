"""Train on a folder of your own pictures, save samples, publish the model.

    python examples/own_photos.py photos/ --minutes 10

The run folder is printed at the end; the published folder can be handed to others.
"""

import argparse

import sparring


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="a folder of pictures, or anything else that `sparring inspect` reads")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--publish", default="published")
    options = parser.parse_args()

    run = sparring.train(options.data, minutes=options.minutes)
    print(f"Report: {run.report}")

    model = sparring.load(run.folder)
    samples = model.sample(64, seed=0)  # (64, channels, height, width), float32 in [-1, 1]
    model.show(samples, run.folder / "sixty-four")

    folder = model.save_pretrained(options.publish)
    again = sparring.load(folder).sample(64, seed=0)
    print(f"Published: {folder}; it gives the same samples: {again.equal(samples)}")


if __name__ == "__main__":
    main()
