"""Small lists of popular names for the targets: each registry's own shapes, and pairs that are close together."""

from pathlib import Path

from typosentinel_server.scan.corpus import FILE_STEMS
from typosentinel_server.scan.model import Ecosystem

NAMES = {
    Ecosystem.PYPI: ("requests", "urllib3", "python-dateutil", "six", "ruamel.yaml", "typing_extensions", "pywin32"),
    Ecosystem.NPM: ("lodash", "react", "preact", "@babel/core", "cross-env", "JSONStream", "next", "@types/node"),
    Ecosystem.CRATES: ("serde", "serde_json", "tokio", "rand", "lazy_static", "proc-macro2", "hex"),
    Ecosystem.RUBYGEMS: ("rails", "rack", "activesupport", "rspec-core", "mongoid_paranoia", "RedCloth"),
    Ecosystem.NUGET: ("Newtonsoft.Json", "Serilog", "NUnit", "Microsoft.Extensions.Logging", "AutoMapper"),
    Ecosystem.GO: ("github.com/spf13/cobra", "golang.org/x/net", "gopkg.in/yaml.v3", "github.com/go-redis/redis/v8"),
    Ecosystem.MAVEN: ("junit:junit", "com.google.guava:guava", "org.apache.commons:commons-lang3", "log4j:log4j"),
}
ECOSYSTEMS = tuple(Ecosystem)
HEAD = "rank,name,tier\n"


def write_lists(folder: Path, *ecosystems: Ecosystem) -> Path:
    """Writes lists for these ecosystems, all where none are named; returns the folder."""
    for ecosystem in ecosystems or ECOSYSTEMS:
        rows = "".join(f"{n},{name},protected\n" for n, name in enumerate(NAMES[ecosystem], start=1))
        folder.joinpath(f"{FILE_STEMS[ecosystem]}.csv").write_text(HEAD + rows, encoding="utf-8")
    return folder
