"""Finding methods, data sets and protocols: entry points, and files named by --plugin."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from harness.base.errors import PluginError, UnknownNameError
from harness.spec.dataset import DatasetInfo
from harness.spec.method import MethodInfo
from harness.spec.protocol import Protocol

_GROUPS = {
    "harness.methods": MethodInfo,
    "harness.datasets": DatasetInfo,
    "harness.protocols": Protocol,
}

# What a plugin may end its import with; sys.exit is how a script says that it cannot be used.
_BREAKS = (Exception, SystemExit)

# More names than this are not read in an error; the list command shows them.
_MANY = 40


class Broken(NamedTuple):
    """A plugin that did not load, and the last line of why."""

    source: str
    error: str


@dataclass
class Plugins:
    """Everything that was found, by name; what failed is in `broken`, never hidden."""

    methods: dict[str, MethodInfo] = field(default_factory=dict)
    datasets: dict[str, DatasetInfo] = field(default_factory=dict)
    protocols: dict[str, Protocol] = field(default_factory=dict)
    broken: list[Broken] = field(default_factory=list)

    def add(self, thing: MethodInfo | DatasetInfo | Protocol, source: str) -> None:
        """Take one declaration in; a name that exists already makes the newcomer broken."""
        if isinstance(thing, MethodInfo):
            fresh = self.methods.setdefault(thing.name, thing) is thing
        elif isinstance(thing, DatasetInfo):
            fresh = self.datasets.setdefault(thing.name, thing) is thing
        else:
            fresh = self.protocols.setdefault(thing.name, thing) is thing
        if not fresh:
            self.broken.append(Broken(source, f"the name {thing.name!r} is taken already"))

    def method(self, name: str) -> MethodInfo:
        """The method of that name, or an error with the nearest and with what is broken."""
        if name in self.methods:
            return self.methods[name]
        raise self._unknown("method", name, self.methods)

    def dataset(self, name: str) -> DatasetInfo:
        """The data set of that name, or an error with the nearest and with what is broken."""
        if name in self.datasets:
            return self.datasets[name]
        raise self._unknown("data set", name, self.datasets)

    def protocol(self, name: str) -> Protocol:
        """The protocol of that name, or an error with the nearest and with what is broken."""
        if name in self.protocols:
            return self.protocols[name]
        raise self._unknown("protocol", name, self.protocols)

    def _unknown(self, what: str, name: str, known: Iterable[str]) -> UnknownNameError:
        do = None
        if self.broken:
            listed = "; ".join(f"{b.source}: {b.error}" for b in self.broken)
            do = f"a plugin did not load and may be the one you mean: {listed}"
        error = UnknownNameError(what, name, known, do)
        if len(list(known)) > _MANY:
            error.expected = f"one of the {len(list(known))} names of: harness list {what}s"
        return error


def load_plugins(paths: Iterable[Path] = ()) -> Plugins:
    """Load every installed plugin and those at `paths` (a .py file, or a folder).

    A plugin that fails is recorded in `broken`; the others still work.
    """
    plugins = Plugins()
    for group, kind in _GROUPS.items():
        for entry in sorted(entry_points(group=group), key=lambda e: e.name):
            source = f"{group}: {entry.name} = {entry.value}"
            try:
                for thing in _listed(entry.load(), kind):
                    plugins.add(_checked(thing, kind), source)
            except _BREAKS as error:
                plugins.broken.append(Broken(source, _last_line(error)))
    for path in paths:
        try:
            for thing in _declarations(_import_path(path)):
                plugins.add(thing, str(path))
        except _BREAKS as error:
            plugins.broken.append(Broken(str(path), _last_line(error)))
    return plugins


def load_target(target: str, who: str) -> Any:
    """The object named by "package.module:Name".

    Raises:
        PluginError: The module does not import or lacks the name; `who` says whose it is.
    """
    module_name, _, name = target.partition(":")
    try:
        return getattr(importlib.import_module(module_name), name)
    except _BREAKS as error:
        raise PluginError(
            seen=f"{who} names {target}, which does not load: {_last_line(error)}",
            expected='a target "package.module:Class" that imports',
            do="mend the plugin, or run again with --debug for the whole traceback",
        ) from error


def source_of(target: str) -> Path:
    """The folder of the package, or the single file, that the code of a target or package is in."""
    module_name = target.partition(":")[0]
    module = sys.modules.get(module_name)
    if module is not None:
        file, package = str(module.__file__), hasattr(module, "__path__")
    else:
        # Not imported: where it lies says nothing that needs torch.
        spec = importlib.util.find_spec(module_name)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(f"No module named {module_name!r}", name=module_name)
        file, package = spec.origin, spec.submodule_search_locations is not None
    alone = "." not in module_name and not package
    return Path(file) if alone else Path(file).parent


def _import_path(path: Path) -> ModuleType:
    path = path.resolve()
    if not path.exists():
        raise FileNotFoundError(f"no such file or folder: {path}")
    if path.is_file():
        return _import_file(f"harness_plugin_{path.stem}", path, None)
    entry = next((path / n for n in ("__init__.py", "info.py") if (path / n).exists()), None)
    if entry is None:
        raise FileNotFoundError(f"the folder {path} has neither __init__.py nor info.py")
    if entry.name == "info.py":
        return _import_file(f"harness_plugin_{path.name}", entry, None)
    package = _import_file(path.name, entry, [str(path)])
    if (path / "info.py").exists():
        return importlib.import_module(f"{path.name}.info")
    return package


def _import_file(name: str, path: Path, inside: list[str] | None) -> ModuleType:
    known = sys.modules.get(name)
    if known is not None and getattr(known, "__file__", None) == str(path):
        return known
    spec = importlib.util.spec_from_file_location(name, path, submodule_search_locations=inside)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _declarations(module: ModuleType) -> list[MethodInfo | DatasetInfo | Protocol]:
    kinds = (MethodInfo, DatasetInfo, Protocol)
    found = [v for v in vars(module).values() if isinstance(v, kinds)]
    if not found:
        raise ImportError(f"{module.__file__} declares no MethodInfo, DatasetInfo or Protocol")
    return found


def _listed(thing: Any, kind: type) -> Iterable[Any]:
    """The declarations behind one entry point: protocols come as a list, too."""
    return thing if kind is Protocol and isinstance(thing, list | tuple) else (thing,)


def _checked(thing: Any, kind: type) -> Any:
    if not isinstance(thing, kind):
        raise TypeError(f"expected a {kind.__name__}, found {type(thing).__name__}")
    return thing


def _last_line(error: BaseException) -> str:
    return traceback.format_exception_only(error)[-1].strip()
