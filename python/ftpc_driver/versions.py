"""Versions of packages, read from their metadata: nothing is imported for it."""

import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

from ftpc_driver.errors import DriverError


def installed(package: str) -> str | None:
    """Without the local part: `2.15.0+cu130` is 2.15.0."""
    try:
        return version(package).split("+")[0]
    except PackageNotFoundError:
        return None


def check_versions(wanted: Mapping[str, str | None]) -> dict[str, str | None]:
    """The versions that are there. Raises where one is missing or another than wanted (`None` takes any)."""
    have = {package: installed(package) for package in wanted}
    missing = [package for package, found in have.items() if found is None]
    if missing:
        raise DriverError("package", f"not installed: {', '.join(missing)}")
    wrong = [
        f"{package} {have[package]} instead of {want}"
        for package, want in wanted.items()
        if want is not None and have[package] != want
    ]
    if wrong:
        raise DriverError("versions", ", ".join(wrong))
    return have


def leave_out(package: str) -> None:
    """PEFT and transformers import what they find, for longer than they take themselves: this they will not find."""
    sys.modules.setdefault(package, None)  # type: ignore[arg-type]


def require(package: str, why: str) -> None:
    if installed(package) is None:
        raise DriverError("package", f"{why} needs the package {package}, which is not installed")
