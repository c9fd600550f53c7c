"""A stand-in for the module `pickle` that builds tensors and plain values, and runs nothing that a file names.

`torch.serialization.load` takes it as `pickle_module`. A pickle names the functions that put it together; only those of
`_ALLOWED` are called. Trainers leave records beside the weights (settings, callbacks, the state of an optimizer): what
belongs to `_RECORDS` is read as a `Record`, whose own code is neither imported nor run. Everything else is refused.
"""

import pickle
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import partial
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from torch import Tensor

__all__ = ["ForbiddenError", "Record", "Unpickler", "UnpicklingError", "load"]


class ForbiddenError(UnpicklingError):
    """A pickle names what is not on the list: its message is that name."""


class Record:
    """An object of a class that is not built: it takes what its constructor and its state would have got."""

    def __init__(self, *_args: Any, **_names: Any):
        pass

    def __setstate__(self, _state: Any) -> None:
        pass

    def append(self, _value: Any) -> None:
        """Take an item of what was a list."""

    def extend(self, _values: Any) -> None:
        """Take the items of what was a list."""

    def add(self, _value: Any) -> None:
        """Take an item of what was a set."""

    def __setitem__(self, _key: Any, _value: Any) -> None:
        pass


class Parameters(dict[str, Tensor]):
    """A `torch.nn.ParameterDict` as a plain dict, which is all that is asked of it."""

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.update(state.get("_parameters") or {})


def _latin1(text: str, _encoding: str = "latin1") -> bytes:
    """Encode as `_codecs.encode` does where bytes of Python 3 were pickled for Python 2."""
    return text.encode("latin1")


def _plain_dict(*_factory: Any) -> dict[Any, Any]:
    """Return a dict that takes the items of a `defaultdict`."""
    return {}


def _of_type(rebuild: Callable[..., Tensor], _type: Any, arguments: tuple[Any, ...], _state: Any) -> Tensor:
    """Return a tensor without the attributes or the class of its own that it had."""
    return rebuild(*arguments)


def _of_numpy(values: Any, dtype: torch.dtype, device: str, requires_grad: bool) -> Tensor:
    """Return a tensor that was saved from an XLA device, on the CPU."""
    return torch.from_numpy(values).to(dtype).requires_grad_(requires_grad)


_NUMPY = ("numpy.core.multiarray", "numpy._core.multiarray")
_SCALARS = ("bool_", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32",
            "float64", "longlong", "ulonglong")  # fmt: skip
_BUILTINS = (bool, bytearray, bytes, complex, dict, float, frozenset, int, list, object, range, set, slice, str, tuple)
_DTYPES = {name: value for name, value in vars(torch).items() if isinstance(value, torch.dtype)}

_ALLOWED: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("collections", "defaultdict"): _plain_dict,
    ("_codecs", "encode"): _latin1,
    ("torch._tensor", "_rebuild_from_type_v2"): _of_type,
    ("torch._utils", "_rebuild_tensor"): torch._utils._rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): torch._utils._rebuild_tensor_v2,
    ("torch._utils", "_rebuild_parameter"): torch._utils._rebuild_parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): torch._utils._rebuild_parameter_with_state,
    ("torch._utils", "_rebuild_device_tensor_from_numpy"): _of_numpy,
    ("torch._utils", "_rebuild_xla_tensor"): _of_numpy,
    ("torch", "Size"): torch.Size,
    ("torch", "device"): torch.device,
    ("torch.nn.modules.container", "ParameterDict"): Parameters,
    ("numpy", "dtype"): np.dtype,
    ("numpy", "ndarray"): np.ndarray,
    **{("torch", name): value for name, value in _DTYPES.items()},
    **{("numpy", name): getattr(np, name) for name in _SCALARS},
    **{(module, "scalar"): np.core.multiarray.scalar for module in _NUMPY},  # type: ignore[attr-defined]
    **{(module, "_reconstruct"): np.core.multiarray._reconstruct for module in _NUMPY},  # type: ignore[attr-defined]
    **{(module, kind.__name__): kind for module in ("builtins", "__builtin__") for kind in _BUILTINS},
    **{("__builtin__", name): kind for name, kind in (("long", int), ("unicode", str), ("xrange", range))},
}

# Packages, modules and names of what trainers write down beside the weights.
_RECORDS = (
    "pytorch_lightning", "lightning", "lightning_fabric", "lightning_utilities", "torchmetrics", "omegaconf",
    "ml_collections", "easydict", "transformers", "diffusers", "accelerate", "argparse.Namespace",
    "types.SimpleNamespace", "collections.Counter", "collections.deque", "datetime", "decimal.Decimal",
    "fractions.Fraction", "uuid.UUID", "enum.Enum", "typing", "pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath",
    "pathlib.WindowsPath", "pathlib.PurePosixPath", "pathlib.PureWindowsPath", "pathlib._local.PosixPath",
    "pathlib._local.WindowsPath", "torch.Tensor", "torch.nn.parameter.Parameter", "torch.optim",
    "torch.torch_version.TorchVersion", "torch.cuda.amp.grad_scaler", "torch.amp.grad_scaler", "__main__",
)  # fmt: skip


class Unpickler(pickle.Unpickler):
    """Reads a pickle by the allow-list; `ForbiddenError` names what is not on it."""

    def find_class(self, module: str, name: str) -> Any:
        """Return the class or function that the pickle may call by this name."""
        found = _ALLOWED.get((module, name))
        if found is not None:
            # A pickle can also set attributes: of the partial, which is its own, and not of torch's function.
            return found if isinstance(found, type | torch.dtype) else partial(found)
        dotted = f"{module}.{name}"
        if any(dotted == record or dotted.startswith(f"{record}.") for record in _RECORDS):
            return type(name, (Record,), {"__module__": __name__})  # of its own, for the same reason
        if module in ("copyreg", "copy_reg") and name == "_reconstructor":
            return _reconstructed
        raise ForbiddenError(dotted)


def _reconstructed(kind: Any, _base: Any, state: Any) -> Any:
    """Return an object of the oldest protocols, as `copyreg._reconstructor` does."""
    return kind() if state is None else kind(state)


def load(file: Any, **options: Any) -> Any:
    """Read the next pickle of a file that is open, as `pickle.load` does."""
    read: Callable[[], Any] = Unpickler(file, **options).load
    return read()
