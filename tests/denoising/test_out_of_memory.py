"""Errors of all devices that say that the memory is too small, and going on with less."""

import errno

import cv2
import pytest
import torch
from torch import Tensor

from vcd_ext.denoising.in_tiles import Decoder
from vcd_ext.denoising.out_of_memory import explained, first_that_fits, is_out_of_memory

SAID = [
    "CUDA out of memory. Tried to allocate 2.00 GiB (GPU 0; 8.00 GiB total capacity; 6.10 GiB already allocated)",
    "CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported at some other API call",
    "CUDA driver error: out of memory",
    "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
    "CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`",
    "CUDA error: CUBLAS_STATUS_NOT_SUPPORTED when calling `cublasLtMatmul`; not enough workspace memory",
    "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
    "cuDNN error: CUDNN_STATUS_NOT_SUPPORTED. This error may appear if you passed in a non-contiguous input.",
    "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
    "cuFFT error: CUFFT_ALLOC_FAILED",
    "GET was unable to find an engine to execute this computation",
    "FIND was unable to find an engine to execute this computation",
    "Unable to find a valid cuDNN algorithm to run convolution",
    "HIP out of memory. Tried to allocate 20.00 MiB (GPU 0; 15.98 GiB total capacity)",
    "HIP error: out of memory\nHIP kernel errors might be asynchronously reported at some other API call",
    "HIP error: HIPBLAS_STATUS_ALLOC_FAILED when calling `hipblasCreate(handle)`",
    "HIP error: hipErrorOutOfMemory",
    "miopenStatusAllocFailed",
    "rocblas_status_memory_error",
    "MPS backend out of memory (MPS allocated: 5.05 GB, other allocations: 2.29 GB, max allowed: 6.77 GB).",
    "Invalid buffer size: 20.25 GB",
    "Error: command buffer exited with error status. Insufficient Memory (00000008:"
    "kIOGPUCommandBufferCallbackErrorOutOfMemory)",
    "Could not allocate tensor with 134217728 bytes. There is not enough GPU video memory available!",
    "[F dml_command_recorder.cc] HRESULT failed with 0x8007000e: ->CreateCommittedResource(",
    "Not enough memory resources are available to complete this operation.",
    "XPU out of memory. Tried to allocate 2.00 GiB",
    "Native API failed. Native API returns: -5 (PI_ERROR_OUT_OF_RESOURCES)",
    "level_zero backend failed with error: 39 (UR_RESULT_ERROR_OUT_OF_DEVICE_MEMORY)",
    "[enforce fail at alloc_cpu.cpp:83] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate "
    "1073741824 bytes. Error code 12 (Cannot allocate memory)",
    "[enforce fail at ..\\c10\\core\\impl\\alloc_cpu.cpp:72] data. DefaultCPUAllocator: not enough memory: you tried",
    "unable to mmap 4265146304 bytes from file <v1-5.safetensors>: Cannot allocate memory (12)",
    "could not create a memory object",
    "std::bad_alloc",
    "Not enough memory, use lower resolution (max approx. 640x640). Need: 1.0GB free, Have:0.5GB free",
]


@pytest.mark.parametrize("words", SAID)
def test_running_out_of_memory_is_recognised_by_what_libraries_say(words: str) -> None:
    assert is_out_of_memory(RuntimeError(words))
    assert is_out_of_memory(type("Other", (Exception,), {})(words)), "ONNX, DirectML and OpenCV have their own classes"


def _windows_error() -> OSError:
    error = OSError(22, "The paging file is too small for this operation to complete")
    error.winerror = 1455  # type: ignore[attr-defined]
    return error


@pytest.mark.parametrize(
    "error",
    [
        torch.cuda.OutOfMemoryError(),
        MemoryError(),
        MemoryError("Unable to allocate 12.0 GiB for an array with shape (600, 1080, 1920, 3) and data type float32"),
        cv2.error("OpenCV(4.11.0) alloc.cpp:73: error: (-4:Insufficient memory) Failed to allocate 12000000 bytes"),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        _windows_error(),
    ],
)
def test_it_is_recognised_by_its_class(error: Exception) -> None:
    assert is_out_of_memory(error)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("mat1 and mat2 shapes cannot be multiplied (77x64 and 768x320)"),
        RuntimeError("CUDA error: an illegal memory access was encountered"),
        RuntimeError("CUDA error: device-side assert triggered"),
        RuntimeError("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm`"),
        RuntimeError("CUDA error: CUBLAS_STATUS_NOT_SUPPORTED when calling `cublasGemmEx`"),
        RuntimeError("some elements of the input tensor refer to a single memory location"),
        RuntimeError("triton: out of resource: shared memory, Required: 131072, Hardware limit: 101376"),
        ValueError("out of memory"),
        OSError(errno.ENOSPC, "No space left on device"),
        KeyboardInterrupt("out of memory"),
        cv2.error("OpenCV(4.11.0) error: (-215:Assertion failed) !ssize.empty() in function 'resize'"),
    ],
    ids=str,
)
def test_other_errors_are_not_taken_for_it(error: BaseException) -> None:
    assert not is_out_of_memory(error)


def test_what_does_not_fit_is_not_tried_again() -> None:
    tried, told, calls = [8, 4, 2, 1], list[int](), list[int]()

    def compute(size: int) -> str:
        calls.append(size)
        if size > 2:
            raise RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED")
        return f"by {size}"

    assert [first_that_fits(tried, compute, told.append) for _ in range(2)] == ["by 2", "by 2"]
    assert (calls, told) == ([8, 4, 2, 2], [4, 2])


@pytest.mark.parametrize(
    ("error", "expected", "words"),
    [(MemoryError(), ValueError, "It is too small."), (KeyError("mid"), KeyError, "mid")],
)
def test_where_nothing_fits_it_is_explained_and_what_is_no_lack_of_memory_passes(
    error: Exception, expected: type[Exception], words: str
) -> None:
    def compute(size: int) -> None:
        raise error

    with pytest.raises(expected, match=words), explained(lambda: "It is too small."):
        first_that_fits([2, 1], compute)


def test_what_cannot_be_decoded_as_a_whole_is_decoded_in_tiles_from_then_on() -> None:
    sizes: list[tuple[int, ...]] = []

    def decode(latents: Tensor) -> Tensor:
        sizes.append(tuple(latents.shape))
        if latents.shape[-1] > 32:
            raise RuntimeError("GET was unable to find an engine to execute this computation")
        return latents[:3].repeat_interleave(8, 1).repeat_interleave(8, 2)

    latents = torch.rand(4, 24, 70, generator=torch.Generator().manual_seed(0))
    decoder = Decoder(decode)
    pictures = [decoder(latents) for _ in range(2)]
    expected = latents[:3].repeat_interleave(8, 1).repeat_interleave(8, 2)
    assert all(torch.allclose(picture, expected, atol=1e-6) for picture in pictures)
    whole, large, small = (4, 24, 70), (4, 24, 64), (4, 24, 32)
    assert sizes == [whole, large, *[small] * 6], "neither is tried again"
    with pytest.raises(RuntimeError, match="unable to find an engine"):
        Decoder(lambda part: decode(torch.zeros(4, 8, 40)))(latents)
