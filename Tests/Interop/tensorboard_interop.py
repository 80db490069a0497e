"""Opens the event files of a run with TensorBoard's own reader and compares them with the run's log.

    python tensorboard_interop.py        # needs tensorboard; part of make interop
"""
import json, os, subprocess, sys, tempfile

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ATTUNE = os.path.join(ROOT, ".build/release/attune")
MODEL = os.path.join(ROOT, "datasets/tiny-sd")


def attune(*arguments, status=0):
    made = subprocess.run([ATTUNE, *arguments], capture_output=True, text=True)
    assert made.returncode == status, made.stderr
    return made


def main():
    with tempfile.TemporaryDirectory() as scratch:
        corpus, prompts = os.path.join(scratch, "corpus"), os.path.join(scratch, "prompts.txt")
        open(prompts, "w").write("a red circle\nthree green stars\n")
        attune("init", "--corpus", corpus)
        attune("generate", "--corpus", corpus, "--model", MODEL, "--prompts", prompts, "--images-per-prompt", "2", "--steps", "2",
               "--guidance", "2")
        attune("select", "--corpus", corpus, "best")
        train = ["train", "--corpus", corpus, "best", "--model", MODEL, "--run", "r", "--batch", "2", "--accumulate", "1",
                 "--rank", "2", "--evaluate", "2", "--validate-prompts", prompts, "--validate-steps", "2",
                 "--checkpoint-every", "2", "--tensorboard"]
        attune(*train, "--steps", "3")
        attune(*train, "--steps", "5")
        log = [json.loads(line) for line in open(os.path.join(corpus, "runs/r/log.jsonl"))]
        found = EventAccumulator(os.path.join(corpus, "runs/r/tensorboard"), size_guidance={"images": 0, "scalars": 0})
        found.Reload()
        steps = {e["step"]: e["loss"] for e in log if e["event"] == "step"}
        read = {e.step: e.value for e in found.Scalars("train/loss")}
        assert sorted(read) == sorted(steps) == [1, 2, 3, 4, 5], (read, steps)
        assert all(abs(read[s] - steps[s]) < 1e-6 * abs(steps[s]) for s in steps)
        measured = {e["step"]: e["loss"] for e in log if e["event"] == "evaluation"}
        assert {e.step for e in found.Scalars("validation/loss")} == set(measured), measured
        images = found.Images("validation/1 a red circle")
        # The first process ends after step 3; what the second does again replaces nothing of the first's.
        assert [e.step for e in images] == [0, 2, 3, 4, 5], [e.step for e in images]
        assert all(e.width > 0 and e.encoded_image_string[:4] == b"\x89PNG" for e in images)
        print("TensorBoard reads", len(read), "losses and", len(images), "images of the run")


if __name__ == "__main__":
    main()
