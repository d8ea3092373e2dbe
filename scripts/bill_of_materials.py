"""The bill of materials of the Python package, in CycloneDX: what its WebAssembly is made of, what it needs.

No package of npm is in it, because none ships: scripts/bundle.mjs refuses to put one into the front end.
"""

from __future__ import annotations

import subprocess
import uuid
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from bundled_crates import ROOT, Crate, bundled_crates, rust_version
from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot7
from hatchling.metadata.core import ProjectMetadata
from hatchling.plugin.manager import PluginManager
from packageurl import PackageURL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.requirements import Requirement

NAMESPACE = uuid.UUID("5a1b6f3e-6f0e-4d0b-9a0c-2f7a2a8a7d11")
"""Made once, at random, for the serial numbers of these bills."""


def bill_of_materials() -> str:
    """Return the bill as JSON; the same commit makes the same bytes."""
    metadata = ProjectMetadata(str(ROOT), PluginManager()).core
    made = datetime.fromtimestamp(int(_git("log", "-1", "--format=%ct")), timezone.utc)
    package = _library("tokentoss", metadata.version, "pypi", metadata.license_expression)
    serial = uuid.uuid5(NAMESPACE, f"{package.purl} {_git('rev-parse', 'HEAD')}")
    bill = Bom(serial_number=serial)
    bill.metadata.timestamp = made
    bill.metadata.component = package
    crates = bundled_crates()
    bundled = {(crate.name, crate.version): _crate(crate) for crate in crates}
    standard = _library("rust-std", rust_version(), "generic", "MIT AND Apache-2.0 AND Unicode-3.0")
    needed = list(
        _requirements(metadata.dependencies_complex.values(), metadata.optional_dependencies_complex)
    )
    for component in (*bundled.values(), standard, *needed):
        bill.components.add(component)
    bill.register_dependency(package, [*bundled.values(), standard, *needed])
    for crate in crates:
        needs = [bundled[need] for need in crate.needs]
        bill.register_dependency(bundled[crate.name, crate.version], [*needs, standard])
    return JsonV1Dot7(bill).output_as_string(indent=2) + "\n"


def _crate(crate: Crate) -> Component:
    hashes = [HashType(alg=HashAlgorithm.SHA_256, content=crate.checksum)] if crate.checksum else []
    return _library(crate.name, crate.version, "cargo", crate.licence, hashes)


def _library(name: str, version: str, kind: str, licence: str, hashes: Iterable[HashType] = ()) -> Component:
    purl = PackageURL(kind, None, name, version)
    return Component(
        type=ComponentType.LIBRARY,
        name=name,
        version=version,
        purl=purl,
        bom_ref=str(purl),
        hashes=hashes,
        licenses=[LicenseFactory().make_with_expression(licence)],
    )


def _requirements(
    always: Iterable[Requirement], extras: dict[str, dict[str, Requirement]]
) -> Iterable[Component]:
    """Packages that an installer brings; which versions, it decides."""
    named = [(need, "") for need in always]
    named += [(need, extra) for extra, needs in extras.items() for need in needs.values()]
    for need, extra in named:
        purl = PackageURL("pypi", None, need.name)
        properties = [Property(name="tokentoss:requirement", value=str(need))]
        properties += [Property(name="tokentoss:extra", value=extra)] if extra else []
        yield Component(name=need.name, purl=purl, bom_ref=str(purl), is_external=True, properties=properties)


def _git(*arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
