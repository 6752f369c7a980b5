"""Says in one line which package is missing, and how it is had."""

from __future__ import annotations

from importlib.util import find_spec

INSTALL = {"lightning": "lightning", "transformers": "transformers[torch]", "keras": "keras"}


def need(package: str, module: str) -> None:
    """Refuses to import ``module`` where ``package`` is not installed.

    :raises ImportError: with the command that installs it
    """
    if find_spec(package) is None:
        raise ImportError(
            f"{module} needs {package}, which is not installed: "
            f"pip install '{INSTALL.get(package, package)}'",
            name=package,
        )
