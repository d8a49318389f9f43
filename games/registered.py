"""Things by name: one registry for games, experts, cloners, explorers and learners.

An entry is a target and what is declared of it. The target is an object, or ``"module:attribute"``, which is imported
when the name is first used: so names are listed and checked without loading what they stand for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from typing import Any, Generic, TypeVar, cast

from games.base import NashmailError

Target = TypeVar("Target")
About = TypeVar("About", bound="Declaration")

Thing = TypeVar("Thing")

WORD = r"[\w-]+"
WORD_SAID = "a new word of letters, digits, hyphens and underscores"


def resolved(target: Thing | str) -> Thing:
    """Import a target that was registered by name.

    Args:
        target: an object, or ``"module:attribute"``.

    Returns:
        The object.
    """
    if not isinstance(target, str):
        return target
    module, _, attribute = target.partition(":")
    return cast(Thing, getattr(import_module(module), attribute))


@dataclass(frozen=True)
class Declaration:
    """What is said of a registered name beside the thing itself; kinds of things declare more."""

    summary: str = ""
    """One line for tables and help."""
    source: str = ""
    """The paper it comes from, or the page that describes it."""


@dataclass(frozen=True)
class Entry(Generic[Target, About]):
    """A target, what is declared of it, and what it is called with beside its caller's arguments."""

    target: Target | str
    about: About
    settings: Mapping[str, Any] = field(default_factory=dict)


class Registry(Generic[Target, About]):
    """The things of one kind, by name."""

    def __init__(
        self, kind: str, *, error: type[NashmailError] = NashmailError, rule: str = WORD, rule_said: str = WORD_SAID
    ) -> None:
        """An empty registry.

        Args:
            kind: What its things are called in messages, "learner" for example.
            error: What is raised for unknown and for taken names.
            rule: The regular expression that a whole name matches.
            rule_said: The same in words, as they follow "a learner's name is".
        """
        self.kind, self.error = kind, error
        self.a_kind = f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
        self.entries: dict[str, Entry[Target, About]] = {}
        self._rule, self._rule_said = rule, rule_said

    def add(self, name: str, target: Target | str, about: About, *, settings: Mapping[str, Any] | None = None) -> None:
        """Register a target under a new name.

        Args:
            name: A name that is not taken.
            target: The thing, or ``"module:attribute"`` to import it from when it is first used.
            about: What is declared of it.
            settings: Keyword arguments that the target, a function or a class, is called with each time.

        Raises:
            NashmailError: The registry's own, for a name that is taken or not made as names are.
        """
        if name in self.entries:
            raise self.error(f"{self.a_kind} called {name} is already registered; choose another name")
        if not re.fullmatch(self._rule, name):
            raise self.error(f"{self.a_kind}'s name is {self._rule_said}, not {name!r}")
        self.entries[name] = Entry(target, about, settings or {})

    def find(self, name: str) -> Target:
        """The target of a name, imported if need be.

        Args:
            name: a registered name.

        Raises:
            NashmailError: the registry's own, for an unknown name; it lists the known ones.
        """
        self.check(name)
        entry = self.entries[name]
        target: Any = resolved(entry.target)
        return cast(Target, partial(target, **entry.settings) if entry.settings else target)

    def about(self, name: str) -> About:
        """What is declared of a name.

        Args:
            name: a registered name.

        Raises:
            NashmailError: the registry's own, for an unknown name; it lists the known ones.
        """
        self.check(name)
        return self.entries[name].about

    def check(self, name: str) -> None:
        """Refuse a name that is not registered.

        Args:
            name: any name.

        Raises:
            NashmailError: the registry's own, for an unknown name; it lists the known ones.
        """
        if name not in self.entries:
            raise self.error(f"no {self.kind} is called {name!r}; the {self.kind}s are: {', '.join(self.names())}")

    def names(self) -> list[str]:
        """The registered names, in alphabetical order."""
        return sorted(self.entries)

    def __contains__(self, name: object) -> bool:
        return name in self.entries
