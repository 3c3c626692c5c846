"""A call's arguments written once, as the fields of a dataclass: methods and the command line are made from them."""

import functools
import inspect
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import Field, field, fields
from difflib import get_close_matches
from numbers import Real
from typing import Any


def asked(default: Any, *flags: str, **parser: Any) -> Any:
    """A field of the request, with its flags on the command line, if it has any, and how argparse reads them."""
    return field(default=default, metadata={"flags": flags, "parser": parser})


def taking(request_class: type) -> Callable:
    """Make the decorator of the methods that want a `request_class`, whose `clips(names)` are those of one clip each.

    `@takes("prompt", "voice") def speak(self, request)` is called as `speak("Hello.", voice="espeak")`, or with a
    request of one clip. Its signature and, at `{arguments}` in its docstring, its docs are the fields'. Its names are
    fields of the request, all by default. `request` is the method's last positional parameter.

    Args:
        request_class (`type`): a dataclass with an "Args" section, and a method `clips`.
    """

    def takes(*names: str) -> Callable[[Callable], Callable]:
        return lambda method: _with_fields(method, request_class, names)

    return takes


def _with_fields(method: Callable, request_class: type, names: Sequence[str]) -> Callable:
    all_fields = {field.name: field for field in fields(request_class)}
    names = names or tuple(all_fields)
    plain = inspect.signature(method)
    own = [parameter for name, parameter in plain.parameters.items() if name != "request"]
    before = [p for p in own if p.kind is p.POSITIONAL_OR_KEYWORD]
    parameters = [*before, *(_parameter(all_fields[name]) for name in names), *(p for p in own if p not in before)]
    signature = plain.replace(parameters=parameters)

    @functools.wraps(method)
    def call(*args, **arguments):
        place = len(before)
        if "request" in arguments:
            args = (*args, arguments.pop("request"))
        if len(args) > place and isinstance(args[place], request_class):
            if len(args) > place + 1 or all_fields.keys() & arguments.keys():
                raise TypeError(f"{method.__name__}() takes a {request_class.__name__} or its fields, not both.")
            return method(*args, **arguments)
        try:
            bound = signature.bind(*args, **arguments).arguments
        except TypeError as error:
            unknown = sorted(arguments.keys() - signature.parameters.keys())
            near = get_close_matches(unknown[0], signature.parameters, 1) if unknown else []
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise TypeError(f"{method.__name__}() {error}{hint}") from None
        request = request_class(**{name: bound.pop(name) for name in names if name in bound})
        if len(names) < len(all_fields):  # a stage, which is of one clip
            clips = request.clips(names)
            if len(clips) > 1:
                raise ValueError(f"prompt: got {len(clips)}, but {method.__name__} is of one clip.")
            (request,) = clips
        return method(*(bound.pop(parameter.name) for parameter in before), request, **bound)

    call.__signature__ = signature
    call.__doc__ = inspect.cleandoc(method.__doc__).replace("{arguments}", _documented(request_class, names))
    return call


def _parameter(one: Field) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY if one.kw_only else inspect.Parameter.POSITIONAL_OR_KEYWORD
    default = inspect.Parameter.empty if one.name in ("prompt", "image") else one.default
    return inspect.Parameter(one.name, kind, default=default, annotation=one.type)


def _documented(request_class: type, names: Sequence[str]) -> str:
    """The docs of those fields."""
    section = inspect.cleandoc(request_class.__doc__).split("Args:\n")[1].split("\n\n")[0]
    documented = re.split(r"\n(?=    \w)", section)  # one for each field; what goes on is indented further
    return "\n".join(text for text in documented if re.match(r" *(\w+)", text)[1] in names).strip()


def is_number(value: Any) -> bool:
    """True for a finite int, float or numpy number."""
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def expect(name: str, value: Any, *kinds: type) -> None:
    """Refuse a `value` of the argument `name` that is none of those kinds.

    Raises:
        ValueError: it is another thing.
    """
    if not isinstance(value, kinds):
        raise ValueError(
            f"{name}: got {type(value).__name__}; wants a {' or '.join(kind.__name__ for kind in kinds)}."
        )
