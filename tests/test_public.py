"""Whatever a program may import says what it does, in which units, and what it raises.

What a function raises is read from its source, and from that of the private helpers of its
module that it calls.  What those of other modules raise is for a person to write down.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

MODULES = ("hsched", "hsched.tasks", "hsched.experiment", "hsched.client")
SUBSCRIPTIONS = ("hsched.client.subscription:Subscription",)
VIEWS = tuple(
    f"hsched.wire.{place}"
    for place in (
        "jobs:JobView",
        "jobs:Held",
        "jobs:DependencyView",
        "slots:ResourceView",
        "status:StatusReply",
        "stop:StopReply",
        "devices:DevicesReply",
        "devices:DeviceSlot",
        "runs:RunView",
        "submit:JobSpec",
        "submit:Context",
        "subscribe:Change",
    )
)

#: Arguments that are lengths of time.
TIMES = {"timeout", "grace", "time_limit", "interval", "limit_s"}

#: Errors that mean a slip in the program that calls, as Python itself raises them.
SLIPS = {AttributeError, NotImplementedError, AssertionError, StopIteration}


def public() -> Iterator[tuple[str, Any]]:
    """Yield each public name with what it stands for, each thing once."""
    seen: set[int] = set()
    for name in MODULES:
        module = importlib.import_module(name)
        for one in module.__all__:
            found = getattr(module, one)
            ours = getattr(found, "__module__", "").startswith("hsched")
            if callable(found) and ours and id(found) not in seen:
                seen.add(id(found))
                yield f"{name}.{one}", found
    for place in (*SUBSCRIPTIONS, *VIEWS):
        module_name, _, one = place.partition(":")
        yield f"{module_name}.{one}", getattr(importlib.import_module(module_name), one)


def members(name: str, found: Any) -> Iterator[tuple[str, Any]]:
    """Yield a thing, and its public methods and properties that are ours."""
    yield name, found
    if not inspect.isclass(found):
        return
    for attribute, value in inspect.getmembers(found):
        static = inspect.getattr_static(found, attribute)
        inside = value.fget if isinstance(value, property) else value
        is_code = inspect.isfunction(inside) or inspect.ismethod(inside)
        plain = attribute == "__init__" or not attribute.startswith("_")
        if plain and is_code and inside.__module__.startswith("hsched"):
            yield f"{name}.{attribute}", static if isinstance(static, property) else inside


ALL = [one for name, found in public() for one in members(name, found)]


def code_of(found: Any) -> Any:
    return found.fget if isinstance(found, property) else inspect.unwrap(found)


def documentation(name: str, found: Any) -> str:
    """Return what is said of a thing; of a method also what its class says."""
    text = inspect.getdoc(found) or ""
    if text == inspect.getdoc(object.__init__):
        text = ""
    owner = name.rpartition(".")[0]
    of_class = next((inspect.getdoc(one) or "" for n, one in ALL if n == owner), "")
    return f"{text}\n{of_class}".strip() if name.endswith("__init__") else text


@lru_cache(maxsize=256)
def functions(module: str) -> dict[str, ast.AST]:
    """Return the functions of a module by name; methods by theirs."""
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name: node for node in ast.walk(tree) if isinstance(node, kinds)}


def raised(found: Any) -> set[type[BaseException]]:
    """Return the errors that a function and the private helpers in its module raise."""
    code = code_of(found)
    if not inspect.isfunction(code):
        return set()
    module = code.__module__
    todo: list[ast.AST] = [ast.parse(textwrap.dedent(inspect.getsource(code)))]
    errors, seen = set(), {code.__name__}
    while todo:
        for node in ast.walk(todo.pop()):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                errors.add(named(node.exc.func, module))
            elif isinstance(node, ast.Call):
                called = getattr(node.func, "attr", getattr(node.func, "id", ""))
                if called.startswith("_") and called not in seen:
                    seen.add(called)
                    todo += [functions(module)[called]] if called in functions(module) else []
    return {error for error in errors if error is not None and error not in SLIPS}


def named(node: ast.AST, module: str) -> type[BaseException] | None:
    """Return the class of errors that a name in a module stands for."""
    name = getattr(node, "id", getattr(node, "attr", ""))
    for space in (sys.modules[module], builtins, importlib.import_module("hsched.errors")):
        found = vars(space).get(name)
        if isinstance(found, type) and issubclass(found, BaseException):
            return found
    return None


def test_there_is_something_to_look_at() -> None:
    names = {name for name, _ in ALL}
    assert names >= {"hsched.Client.submit", "hsched.Executor.map", "hsched.experiment.Task.submit"}
    assert {error.__name__ for error in raised(dict(ALL)["hsched.Client.kill"])} == {"NoAnswer"}


def is_a_reference(text: str) -> bool:
    """Whether a docstring refers to another one for all that it leaves out."""
    return re.match(r"As :(meth|class):", text) is not None


def test_everything_is_described() -> None:
    missing = [name for name, found in ALL if not documentation(name, found)]
    assert missing == []


def test_everything_says_what_it_raises() -> None:
    silent = []
    for name, found in ALL:
        text = documentation(name, found)
        for error in () if is_a_reference(text) else raised(found):
            known = [one.__name__ for one in error.__mro__[:-2]]
            is_named = any(re.search(rf"\b{one}\b", text) for one in known)
            if not is_named or not ("Raises:" in text or name.endswith("__init__")):
                silent.append(f"{name}: {error.__name__}")
    assert silent == []


def test_times_have_their_unit() -> None:
    unclear = []
    for name, found in ALL:
        code, text = code_of(found), documentation(name, found)
        if inspect.isfunction(code) and not is_a_reference(text):
            times = TIMES & set(inspect.signature(code).parameters)
            if times and not re.search(r"\bseconds?\b|\b2h\b", text):
                unclear.append(f"{name}: {times}")
    assert unclear == []
