"""One list of each kind that says more than a name, the document that names them, and what a server makes of them."""

from pathlib import Path

from judging import HEAD as DOCUMENT
from running import Running, ask

HEAD = DOCUMENT + "ServerConfiguration\n"
ALLOW = DOCUMENT + "AllowList\nentries:\n- {ecosystem: PyPI, name: reqeusts, reason: ours, expires: 9999-12-31}\n"
ENDED = ALLOW.replace("9999-12-31", "2020-01-31").replace("ours", "ours once")
PRIVATE = DOCUMENT + "PrivateNames\nnames: {PyPI: [acme-billing]}\n"
MALWARE = "ecosystem,name\nPyPI,evil-thing\n"
NAMED = """detection:
  allowList: allow.yaml
  privateNames: private.yaml
  malware: malware.csv
  registryIndex: {PyPI: pypi.txt}
"""
FILES = {
    "config.yaml": HEAD + NAMED,
    "allow.yaml": ALLOW,
    "private.yaml": PRIVATE,
    "malware.csv": MALWARE,
    "pypi.txt": "requests\nreqeusts\nrequets\nevil-thing\nacme-billing\n",
}


def written(folder: Path) -> Path:
    """The directory, with these files in it."""
    for name, content in FILES.items():
        (folder / name).write_text(content, encoding="utf-8")
    return folder


async def verdict(server: Running, name: str) -> str:
    """What the server says of a name in PyPI."""
    return str((await ask(server, ecosystem="PyPI", name=name))["verdict"])
