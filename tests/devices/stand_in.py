"""A device that is not there: tensors that say they are on "cuda" or "mps", computed by the processor.

What is "on the device" is kept beside the tensors, by their storage. Inside of a [`StandIn`] torch behaves as with a
real accelerator where Python code can tell the difference: `device`, `to`, factories with `device=`, no `numpy()` of
the device's tensors, no generator of another device; and an operation on tensors of two devices is an error, as are
float64 tensors on "mps". The numbers are the processor's own, bit for bit, so results can be compared exactly.
"""

import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map_only


CPU = torch.device("cpu")
LOOKS = {"is_cpu": "cpu", "is_cuda": "cuda", "is_mps": "mps"}
UNCHECKED = ("aten::copy_", "aten::_has_compatible_shallow_copy_type")
HOST_INDICES = ("aten::index", "aten::index_put", "aten::index_put_", "aten::_index_put_impl_")
HOST_SCALARS = ("aten::masked_fill", "aten::masked_fill_", "aten::fill_", "aten::lerp_")


class StandIn(TorchDispatchMode):
    """Context in which the device `name` exists.

    Args:
        name (`str`): "cuda" or "mps".

    Attributes:
        device (`torch.device`): its first and only one.
        calls (`int`): operations that ran on it so far.
    """

    def __init__(self, name: str = "cuda"):
        super().__init__()
        self.device, self.calls = torch.device(name, 0), 0
        self.there, self.functions = {}, _Functions(self)

    def __enter__(self):
        super().__enter__()
        self.functions.__enter__()
        self.group = torch._C._group_tensors_by_device_and_dtype  # C++, which sees the processor
        torch._C._group_tensors_by_device_and_dtype = self._grouped
        return self

    def __exit__(self, *error):
        torch._C._group_tensors_by_device_and_dtype = self.group
        self.functions.__exit__(*error)
        super().__exit__(*error)

    def of(self, tensor: torch.Tensor) -> torch.device:
        """Where a tensor is."""
        if tensor.device.type != "cpu":
            return tensor.device  # meta
        return self.device if _address(tensor) in self.there else CPU

    def put(self, tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
        """Say that a tensor, which shares its storage with no other, is on a device."""
        if tensor.device.type == "cpu":
            self.there.pop(_address(tensor), None)
            if device.type == self.device.type:
                if device.type == "mps" and tensor.dtype == torch.float64:
                    raise TypeError("Cannot convert a MPS Tensor to float64 dtype as MPS doesn't support float64.")
                self.there[_address(tensor)] = StorageWeakRef(tensor.untyped_storage())
                if len(self.there) % 4096 == 0:
                    self.there = {key: kept for key, kept in self.there.items() if not kept.expired()}
        return tensor

    def move(self, tensor: torch.Tensor, device: torch.device, copy: bool = False) -> torch.Tensor:
        """The tensor on a device: itself where it is there already."""
        if self.of(tensor).type == device.type and not copy:
            return tensor
        if tensor.device.type == "meta":
            raise NotImplementedError("Cannot copy out of meta tensor; no data!")
        if device.type == "meta":
            return tensor.to(device)
        return self.put(tensor.clone(), device)

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        tensors = [x for x in tree_flatten((args, kwargs))[0] if isinstance(x, torch.Tensor)]
        places = [self.of(tensor) for tensor in tensors]
        device = next((place for place in places if place.type == self.device.type), None)
        if device is None:
            return func(*args, **(kwargs or {}))
        self.calls += 1
        self._check(func, args, kwargs or {}, tensors, places)
        made = func(*args, **(kwargs or {}))
        given = {_address(tensor) for tensor in tensors if tensor.device.type == "cpu"}

        def place(tensor):  # views and what was changed in place stay where they are
            return tensor if _address(tensor) in given else self.put(tensor, device)

        return tree_map_only(torch.Tensor, place, made)

    def _grouped(self, lists, *more):
        found = {}
        for (_, dtype), group in self.group(lists, *more).items():
            found[self.of(next(x for x in group[0][0] if x is not None)), dtype] = group
        return found

    def _check(self, func, args, kwargs, tensors, places):
        name = func._schema.name
        generator = kwargs.get("generator")
        if generator is not None and generator.device.type != self.device.type:
            raise RuntimeError(f"Expected a {self.device.type!r} generator, got one on {generator.device}: {func}")
        if name in UNCHECKED or (name in HOST_INDICES and self.of(args[0]).type == self.device.type):
            return
        pointwise = torch.Tag.pointwise in func.tags or name in HOST_SCALARS
        for tensor, place in zip(tensors, places):
            if place.type != self.device.type and not (pointwise and tensor.ndim == 0 and place.type == "cpu"):
                raise RuntimeError(
                    f"Expected all tensors to be on the same device, but found {self.device} and {place}: {func} of "
                    f"{[(tuple(x.shape), str(p)) for x, p in zip(tensors[:6], places)]}"
                )


class _Functions(TorchFunctionMode):
    """What Python code sees of the device."""

    def __init__(self, there: StandIn):
        super().__init__()
        self.there = there

    def __torch_function__(self, func, types, args=(), kwargs=None):
        there, kwargs, name = self.there, dict(kwargs or {}), getattr(func, "__name__", "")
        first = args[0] if args and isinstance(args[0], torch.Tensor) else None
        if name == "__get__" and first is not None:
            looked = getattr(func.__self__, "__name__", "")
            if looked == "device":
                return there.of(first)
            if looked in LOOKS:
                return there.of(first).type == LOOKS[looked]
        elif first is not None and name in ("numpy", "__array__") and there.of(first).type == there.device.type:
            raise TypeError(
                f"can't convert {there.device} device type tensor to numpy. Use Tensor.cpu() to copy the tensor to "
                "host memory first."
            )
        elif first is not None and name == "cpu":
            return there.move(first, CPU)
        elif first is not None and name in ("cuda", "mps"):
            return there.move(first, there.device)
        elif first is not None and name == "to":
            return self._to(func, *args, **kwargs)
        elif name in ("new_tensor", "__deepcopy__"):
            device = torch.device(kwargs.pop("device", None) or there.of(first))
            return there.put(func(*args, **kwargs), device)
        kwargs.pop("pin_memory", None)
        if kwargs.get("device") is not None and name != "Generator":
            return self._made(func, *args, **kwargs)
        return func(*args, **kwargs)

    def _to(self, func, tensor, *args, **kwargs):
        there, args = self.there, list(args)
        device = kwargs.pop("device", None)
        if args and isinstance(args[0], torch.Tensor):  # like another one
            device, args[0] = there.of(args[0]), args[0].dtype
        elif args and (isinstance(args[0], (str, int, torch.device)) or args[0] is None):
            device = args.pop(0)
        copy = kwargs.pop("copy", False)
        kwargs.pop("non_blocking", None)
        args = [x for x in args if not isinstance(x, bool)]
        device = there.of(tensor) if device is None else torch.device(device)
        if there.device.type == "mps" and device.type == "mps" and tensor.dtype == torch.float64:
            raise TypeError("Cannot convert a MPS Tensor to float64 dtype as MPS doesn't support float64.")
        if device.type not in ("cpu", "meta", there.device.type):
            raise RuntimeError(f"there is no device {device} here, only the stand-in {there.device}")
        moved = there.move(tensor, device, copy)
        return func(moved, *args, **kwargs) if args or kwargs else moved

    def _made(self, func, *args, **kwargs):
        there, device = self.there, torch.device(kwargs.pop("device"))
        if device.type == "meta":
            return func(*args, **kwargs, device=device)
        if device.type not in ("cpu", there.device.type):
            raise RuntimeError(f"there is no device {device} here, only the stand-in {there.device}")
        generator = kwargs.get("generator")
        if generator is not None and generator.device.type != device.type:
            raise RuntimeError(f"Expected a {device.type!r} device type for generator but found {generator.device}")
        made = func(*args, **kwargs)
        if not isinstance(made, torch.Tensor):
            return made
        given = [x for x in tree_flatten(args)[0] if isinstance(x, torch.Tensor) and x.device.type == "cpu"]
        shared = made.device.type == "cpu" and any(_address(x) == _address(made) for x in given)
        return there.move(made, device) if shared else there.put(made, device)


def _address(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage()._cdata
