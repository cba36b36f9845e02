"""The exception that a user sees: what happened, and the next step to take."""

import re

# As PyTorch, cuBLAS, cuDNN and the operating system say it; the third is cuDNN's where it has no memory to work in.
OUT_OF_MEMORY = re.compile(
    r"out of memory|allocate memory|unable to find an engine to execute|STATUS_(\w+_)?ALLOC(ATION)?_FAILED"
)


class XrganError(Exception):
    """A mistake or a lack that the user can mend: shown as one sentence and the next step, exit code 1.

    Args:
        message: one sentence that says what happened, with the value.
        hint: the next step to take, with the command where there is one.
        exit_code: 1, or 2 where the command line itself is wrong.
    """

    def __init__(self, message: str, hint: str = "", exit_code: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.exit_code = exit_code

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that the memory of the machine or of its GPU is used up."""
    known = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    return known or (isinstance(error, RuntimeError) and OUT_OF_MEMORY.search(str(error)) is not None)
