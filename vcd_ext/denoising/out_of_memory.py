"""Recognise errors that say that the memory is too small, and go on with less."""

import errno
import gc
import re
from collections.abc import Callable, Iterator, MutableSequence
from contextlib import contextmanager
from typing import TypeVar

import torch

PAGING_FILE = 1455  # of Windows: "The paging file is too small for this operation to complete"

# What libraries say, in any mix of upper and lower case. Most have no class of their own for it.
_SAID = re.compile(
    "|".join(
        [
            # CUDA, HIP, XPU, MPS (kIOGPUCommandBufferCallbackErrorOutOfMemory), Level Zero, Direct3D (E_OUTOFMEMORY)
            r"out[ _]?of[ _]?(?:(?:gpu|video|host|device|system)[ _])?memory",
            r"(?:pi|ur_result)_error_out_of_resources",
            r"(?:not enough|insufficient) (?:\w+ ){0,3}memory",  # DirectML, Windows, OpenCV, the WebUI's own attention
            r"8007000e",  # Direct3D's number of it, where Windows speaks another language
            r"(?:can'?t|cannot|can not|could not|unable to|failed to) allocate",  # the CPU's allocator, numpy, DirectML
            r"alloc(?:ation)?[ _]?fail",  # CUBLAS_STATUS_ALLOC_FAILED, the same of cuDNN, cuFFT, hipBLAS, MIOpen
            r"(?:cuda|hip)errormemoryallocation",
            r"(?:rocblas|hipblas|miopen)_?status_?memory_?error",
            # What cuBLAS and cuDNN say when their workspace, or their handle at the first call, does not fit.
            r"(?:cublas|cudnn|hipblas)_status_not_initialized",
            r"cudnn_status_not_supported",
            r"cublas_status_not_supported.*memory|memory.*cublas_status_not_supported",
            r"unable to find an engine|unable to find a valid cudnn algorithm|no valid execution plans",
            r"invalid buffer size",  # MPS
            r"could not create a memory",  # oneDNN
            r"bad[_ ]alloc",  # C++
            r"paging file is too small",
        ]
    ),
    re.IGNORECASE | re.DOTALL,
)

Attempt = TypeVar("Attempt")
Result = TypeVar("Result")


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that there is no memory left, on whatever device.

    Errors of the kinds that hold a sentence of ours (ValueError, ImportError) never do; of OSError the number counts.
    """
    if isinstance(error, MemoryError | torch.cuda.OutOfMemoryError):
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM or getattr(error, "winerror", None) == PAGING_FILE
    if isinstance(error, ValueError | ImportError) or not isinstance(error, Exception):
        return False
    return _SAID.search(str(error)) is not None


def give_back() -> None:
    """Free what an attempt that failed has held, behind its `except`: before that the error holds its variables."""
    gc.collect()
    torch.cuda.empty_cache()  # ROCm's as well
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()


def first_that_fits(
    attempts: MutableSequence[Attempt],
    compute: Callable[[Attempt], Result],
    tell: Callable[[Attempt], None] = lambda _: None,
) -> Result:
    """Compute the first of some attempts, each smaller than the one before it, for which there is memory enough.

    attempts: at least one; those that did not fit are taken out of it, so that they are not tried again. tell: given
    the attempt that it goes on with. Raises what the last attempt raises, and at once what is no lack of memory.
    """
    while True:
        try:
            return compute(attempts[0])
        except Exception as error:
            if not is_out_of_memory(error) or len(attempts) == 1:
                raise
        give_back()
        del attempts[0]
        tell(attempts[0])


@contextmanager
def explained(sentence: Callable[[], str]) -> Iterator[None]:
    """Turn a lack of memory within this context into a ValueError with this sentence."""
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise ValueError(sentence()) from error
