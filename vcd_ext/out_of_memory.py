"""Which errors say that the memory is too small."""

import torch

_MESSAGES = ("out of memory", "not enough memory", "can't allocate memory", "could not allocate")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that there is no memory left, on whatever device."""
    if isinstance(error, MemoryError | torch.cuda.OutOfMemoryError):
        return True
    # The CPU, MPS and DirectML have no class of their own for it.
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _MESSAGES)
