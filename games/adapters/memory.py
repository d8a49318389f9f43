"""A fingerprint of everything a Python object holds. Two environments with equal fingerprints have the same future.

Adapters must know whether two histories lead to the same position. What an environment *shows* does not decide that: a
counter, a pass or an earlier position may matter later. What it *holds* does: everything reachable from the object
through attributes, containers, arrays, generators and closures. An object that keeps state where Python cannot look (a
C library, a file, a lock) has no fingerprint. Its positions are distinguished by the moves that led to them. The
fingerprint ignores variables of modules and the iteration order of sets.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from functools import partial
from hashlib import blake2b
from typing import Any

import numpy as np

_SCALARS = (type(None), bool, int, float, complex, str, bytes, type(Ellipsis), range, slice)
_CONTAINERS = (list, tuple, dict, set, frozenset, deque, OrderedDict, defaultdict, bytearray)
_NAMED = (type, type(len), type(np), type(str.join), type(object.__repr__))  # classes, modules, functions in C
_PROXY = type(vars(object))  # a read-only mapping


class _OpaqueError(Exception):
    """The object holds something that cannot be read."""


def fingerprint(thing: object) -> bytes | None:
    """A digest of everything that an object holds.

    Args:
        thing: any object.

    Returns:
        16 bytes of BLAKE2b that are equal for objects with equal contents, in every process (unless a set has members
        of different types); None where the object holds something that cannot be read.
    """
    walk = _Walk()
    try:
        walk.visit(thing)
    except (_OpaqueError, RecursionError, AttributeError, TypeError, ValueError):
        return None
    return walk.digest.digest()


class _Walk:
    """A walk through everything an object holds. A second visit is recorded as a reference to the first."""

    def __init__(self) -> None:
        self.digest = blake2b(digest_size=16)
        self.met: dict[int, int] = {}
        self.kept: list[object] = []  # so that no address is used twice during the walk

    def visit(self, thing: Any) -> None:
        kind = type(thing)
        if kind in _SCALARS:
            self._say(kind.__name__, repr(thing))
        elif isinstance(thing, _NAMED):
            self._say("name", getattr(thing, "__module__", ""), getattr(thing, "__qualname__", thing.__name__))
            if isinstance(thing, type):
                self._shared(thing)
        elif isinstance(thing, np.dtype):
            self._say("dtype", repr(thing))
        elif isinstance(thing, np.generic):
            self._say(repr(thing.dtype), repr(thing))
        elif isinstance(getattr(kind, "__members__", None), _PROXY):  # a member of an enumeration
            self._say("member", kind.__module__, kind.__qualname__, thing.name)
        elif id(thing) in self.met:
            self._say("again", str(self.met[id(thing)]))
        else:
            self.met[id(thing)] = len(self.met)
            self.kept.append(thing)
            self._say(kind.__module__, kind.__qualname__)
            self._contents(thing, kind)

    def _contents(self, thing: Any, kind: type) -> None:
        if isinstance(thing, np.ndarray):
            self._array(thing)
        elif isinstance(thing, np.random.Generator):
            self.visit(thing.bit_generator.state)
        elif isinstance(thing, np.random.RandomState):
            self.visit(thing.get_state(legacy=False))
        elif (kind.__module__, kind.__qualname__) == ("random", "Random"):
            self.visit(thing.getstate())
        elif kind is type(fingerprint):
            self._function(thing)
        elif kind is type(self.visit):
            self._all(thing.__func__, thing.__self__)
        elif kind is _PROXY:
            self._all(*thing.items())
        elif kind is partial:
            self._all(thing.func, thing.args, thing.keywords)
        else:
            self._members(thing, kind)
            self._attributes(thing, kind)

    def _members(self, thing: Any, kind: type) -> None:
        """The contents of a container. _OpaqueError if the object holds more than attributes and is no container."""
        base = next((base for base in kind.__mro__ if base in _CONTAINERS), object)
        if not _plain(kind, base):
            raise _OpaqueError
        if base is bytearray:
            self._say(bytes(thing).hex())
        elif base in (dict, OrderedDict, defaultdict):
            self._all(len(thing), getattr(thing, "default_factory", None))
            for key, value in dict.items(thing):
                self._all(key, value)
        elif base in (set, frozenset):
            members = list(thing)
            if not all(type(member) in _SCALARS or type(member) is tuple for member in members):
                raise _OpaqueError
            self._all(len(members), *sorted(members, key=repr))
        elif base is not object:
            self._all(len(thing), getattr(thing, "maxlen", None), *base.__iter__(thing))  # type: ignore[attr-defined]

    def _attributes(self, thing: Any, kind: type) -> None:
        self._shared(kind)
        held = dict(getattr(thing, "__dict__", {}))
        for base in kind.__mro__:
            held |= {name: getattr(thing, name) for name in _slots(base) if hasattr(thing, name)}
        for name in sorted(held):
            self._all(name, held[name])

    def _shared(self, kind: type) -> None:
        """The mutable attributes of a class, which its objects share."""
        for base in kind.__mro__:
            if base.__module__ == "builtins" or id(base) in self.met:
                continue
            self.met[id(base)] = len(self.met)
            for name, value in sorted(vars(base).items()):
                if type(value) in (list, dict, set, deque, np.ndarray) and not name.startswith("__"):
                    self._all(name, value)

    def _array(self, array: Any) -> None:
        self._say(repr(array.dtype), str(array.shape), str(array.strides))
        if array.dtype.hasobject:
            self.visit(array.tolist())
        else:
            self._say(array.tobytes().hex())
        if isinstance(array.base, np.ndarray):
            self.visit(array.base)

    def _function(self, function: Any) -> None:
        code = function.__code__
        self._say(function.__module__, function.__qualname__, str(code.co_firstlineno), code.co_code.hex())
        self._all(function.__defaults__, function.__kwdefaults__, function.__dict__)
        for cell in function.__closure__ or ():
            try:
                self.visit(cell.cell_contents)
            except ValueError:  # not filled yet
                self._say("empty")

    def _all(self, *things: object) -> None:
        for thing in things:
            self.visit(thing)

    def _say(self, *words: str) -> None:
        """Add words to the digest, each with its length, so that different lists of words give different bytes."""
        for word in words:
            spelled = word.encode("utf-8", "surrogatepass")
            self.digest.update(b"%d:" % len(spelled))
            self.digest.update(spelled)


def _slots(kind: type) -> tuple[str, ...]:
    """The attributes that a class keeps outside ``__dict__``, under the names that ``getattr`` accepts."""
    given = vars(kind).get("__slots__", ())
    names = (given,) if isinstance(given, str) else tuple(given)
    private = f"_{kind.__name__.lstrip('_')}"
    return tuple(
        private + name if name.startswith("__") and not name.endswith("__") else name
        for name in names
        if name not in ("__dict__", "__weakref__")
    )


def _plain(kind: type, base: type) -> bool:
    """Whether objects of a class hold only attributes beyond what ``base`` holds.

    Checked class by class: the slots must account for the size of an object.
    """
    word = np.dtype(np.uintp).itemsize
    while kind is not base:
        parent = kind.__base__
        if parent is None:
            return False
        new = sum(getattr(kind, name) > 0 >= getattr(parent, name) for name in ("__dictoffset__", "__weakrefoffset__"))
        if kind.__basicsize__ != parent.__basicsize__ + word * (len(_slots(kind)) + new):
            return False
        kind = parent
    return True
