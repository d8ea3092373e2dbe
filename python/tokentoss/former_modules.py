"""The modules of version 0.1 that are gone: their names still work there, and say where they are now."""

import sys

NAMES = ("auth_manager", "client", "configure_widget", "setup", "widget")


class FormerModule(type(sys)):  # type: ignore[misc]
    """Stands in for a module that is gone; its names are those of the package."""

    __name__: str

    def __getattr__(self, name: str) -> object:
        package = sys.modules[self.__name__.rpartition(".")[0]]
        if name.startswith("__") or name not in package.__all__:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        import warnings

        now = f"{package.__name__}.{name}"
        warnings.warn(f"{self.__name__}.{name} is now {now}", DeprecationWarning, stacklevel=2)
        value: object = getattr(package, name)
        return value


def install(package: str) -> None:
    """Let the modules be found: ``import``, ``from … import`` and attribute access work as before.

    Args:
        package: The name of the package, which has been imported.
    """
    for name in NAMES:
        module = FormerModule(f"{package}.{name}", f"Names of version 0.1; import them from {package}.")
        sys.modules[module.__name__] = module
        setattr(sys.modules[package], name, module)
