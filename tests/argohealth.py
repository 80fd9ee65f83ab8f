"""Our health scripts in a real Lua 5.1 with no more libraries than Argo CD gives to scripts from argocd-cm.

There a script gets the language's base and `table`, and a short version of `os` (argoproj/argo-cd, util/lua/lua.go).
Ours should need none but the first two, so `os` is taken away as well, and everything that reads files.
"""

from pathlib import Path
from typing import Any, Final

from lupa.lua51 import LuaRuntime

CUSTOMIZATIONS: Final = Path(__file__).resolve().parents[1] / "docs/examples/argocd/resource_customizations"
STATUSES: Final = ("Degraded", "Healthy", "Missing", "Progressing", "Suspended", "Unknown")
# Globals that stay; `table` is a library, the others belong to the base.
_KEPT: Final = (
    "assert error getmetatable ipairs next pairs pcall print rawequal rawget rawset select setmetatable table tonumber "
    "tostring type unpack"
)
_STRIP: Final = """
local kept = ...
-- Methods of strings come from the string library.
getmetatable("").__index = nil
for name in pairs(_G) do
  if name ~= "_G" and not kept[name] then _G[name] = nil end
end
_G._G = nil
"""


def script(kind: str) -> str:
    """The health script of a kind."""
    return (CUSTOMIZATIONS / "typosentinel.io" / kind / "health.lua").read_text(encoding="utf-8")


def health(manifest: dict[str, Any]) -> tuple[str, str]:
    """Status and message that Argo CD shows of an object."""
    return run(script(manifest["kind"]), manifest)


def run(lua: str, manifest: dict[str, Any]) -> tuple[str, str]:
    """What a script says of an object, as (status, message).

    Raises:
        lupa.lua51.LuaError: the script is wrong, or wants what it does not get.
    """
    runtime = LuaRuntime(unpack_returned_tuples=True, register_eval=False, register_builtins=False)
    convert = runtime.table_from
    kept = convert(dict.fromkeys(_KEPT.split(), True))
    runtime.globals()["obj"] = convert(manifest, recursive=True)
    kept["obj"] = True
    runtime.execute(_STRIP, kept)
    answer = runtime.execute(lua)
    status, message = str(answer["status"]), str(answer["message"])
    assert status in STATUSES, status
    return status, message
