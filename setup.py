"""The part of the build that pyproject.toml cannot say: an extension that may be missing.

Without a C compiler or Python's headers the package is built all the same, and scans take about twice as long.
"""

import sysconfig

from setuptools import Extension, setup

# Free-threaded builds of Python have none yet.
HAS_STABLE_INTERFACE = not sysconfig.get_config_var("Py_GIL_DISABLED")

setup(
    ext_modules=[
        Extension(
            "typosentinel_server.scan._native",
            ["server/typosentinel_server/scan/_native.c"],
            extra_compile_args=["-O3", "-std=c11", "-Wall", "-Wextra"],
            py_limited_api=True,
            optional=True,
        )
    ]
    if HAS_STABLE_INTERFACE
    else [],
    # One wheel for Python 3.11 and everything after it.
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if HAS_STABLE_INTERFACE else {},
)
