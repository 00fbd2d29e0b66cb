# SPDX-License-Identifier: Apache-2.0
"""timm and open_clip without torchvision: their models do not use it, but importing them does, and PyPI's
torchvision does not load beside a torch for CPU. While they are imported, stand-ins with any attribute take its
place."""

import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


class _Anything(type):
    """A class with any attribute."""

    def __getattr__(cls, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Anything(name, (), {})


class _StandIn(ModuleType):
    __path__ = []

    def __getattr__(self, name: str) -> type:
        return getattr(_Anything("torchvision", (), {}), name)


class _Finder(MetaPathFinder, Loader):
    def find_spec(self, name: str, path: object, target: object = None) -> ModuleSpec | None:
        return ModuleSpec(name, self, is_package=True) if name.split(".")[0] == "torchvision" else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _StandIn(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        pass


_finder = _Finder()
sys.meta_path.insert(0, _finder)
import open_clip  # noqa: E402, F401
import timm  # noqa: E402, F401

sys.meta_path.remove(_finder)
for _name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
    del sys.modules[_name]
