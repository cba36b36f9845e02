"""The stages, one after the other: which dataset a run means, which images a score needs, in which order things happen.

Stages know nothing of one another; here is what one hands to the next. They are imported inside the functions, so that
a command waits for no more than it uses.
"""

from xrgan.pipeline.drawing import reject_copies
from xrgan.pipeline.evaluating import evaluate, evaluate_folders
from xrgan.pipeline.over_time import evaluate_checkpoints
from xrgan.pipeline.studies import classify, predict, segment
from xrgan.pipeline.training import go_on, train_new

__all__ = [
    "classify",
    "evaluate",
    "evaluate_checkpoints",
    "evaluate_folders",
    "go_on",
    "predict",
    "reject_copies",
    "segment",
    "train_new",
]
