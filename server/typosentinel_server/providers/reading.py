"""How each shape is asked and read."""

from collections.abc import Callable
from types import MappingProxyType
from typing import Final

from typosentinel_server.providers.asking import Subject
from typosentinel_server.providers.gleaned import Gleaned
from typosentinel_server.providers.shapes import crates, maven, npm, nuget, pypi, rubygems
from typosentinel_server.sections.providers import Shape

Parse = Callable[[bytes, Subject], Gleaned]

# Shapes that one answer suffices for. A Go proxy takes two, OSV takes a question with a body.
PARSERS: Final = MappingProxyType[Shape, Parse](
    {
        Shape.PYPI: pypi.project,
        Shape.PYPI_STATS: pypi.downloads,
        Shape.NPM: npm.packument,
        Shape.NPM_DOWNLOADS: npm.downloads,
        Shape.CRATES: crates.crate,
        Shape.CRATES_OWNERS: crates.owners,
        Shape.RUBYGEMS: rubygems.gem,
        Shape.RUBYGEMS_VERSIONS: rubygems.versions,
        Shape.RUBYGEMS_OWNERS: rubygems.owners,
        Shape.NUGET_REGISTRATION: nuget.registration,
        Shape.NUGET_SEARCH: nuget.search,
        Shape.MAVEN_SEARCH: maven.search,
    }
)
