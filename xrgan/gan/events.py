"""TensorBoard's event files, written here and now: its own writer has a thread, whose errors end as tracebacks.

Their names hold no host name either.
"""

import contextlib
import io
import os
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xrgan import console
from xrgan.data.images import Pixels


class Events:
    """One event file of a training; where the disk refuses it, the user is told once and the training goes on."""

    def __init__(self, folder: Path, purge_step: int | None = None) -> None:
        """Begin a file in `folder`.

        Args:
            purge_step: earlier files' events from this step on are hidden: those steps are trained once more.
        """
        # TensorBoard's import says on stderr what optional parts it did not find.
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            from tensorboard.compat.proto.event_pb2 import Event, SessionLog
            from tensorboard.summary.writer.record_writer import RecordWriter
            from torch.utils.tensorboard import summary
        libraries: tuple[Any, Any, Any] = (Event, summary, RecordWriter)  # they tell mypy nothing
        self._event, self._summary, self._records = libraries
        self._folder = folder
        self._file = folder / f"events.out.tfevents.{time.time():.0f}.{os.getpid()}"
        self._broken = False
        first = [Event(wall_time=time.time(), file_version="brain.Event:2")]
        if purge_step is not None:
            log = SessionLog(status=SessionLog.START)
            first.append(Event(wall_time=time.time(), step=purge_step, session_log=log))
        self._append(first)

    def add_scalars(self, values: Mapping[str, float], step: int) -> None:
        """Add one value per curve."""
        self._append([self._of_step(self._summary.scalar(name, value), step) for name, value in values.items()])

    def add_image(self, name: str, image: Pixels, step: int) -> None:
        """Add uint8 (C, H, W)."""
        self._append([self._of_step(self._summary.image(name, image, dataformats="CHW"), step)])

    def _of_step(self, summary: Any, step: int) -> Any:
        return self._event(wall_time=time.time(), step=step, summary=summary)

    def _append(self, events: list[Any]) -> None:
        if self._broken:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._file.open("ab") as file:
                records = self._records(file)
                for event in events:
                    records.write(event.SerializeToString())
        except OSError as error:
            self._broken = True
            console.warn(f"{self._folder} can't be written ({error.strerror}): the training goes on without it.")
