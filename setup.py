"""The part of the build that pyproject.toml cannot say: an extension that may be missing.

Without a C compiler or Python's headers the package is built all the same, and scans take about twice as long.
"""

from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(
            "typosentinel_server.scan._native",
            ["server/typosentinel_server/scan/_native.c"],
            extra_compile_args=["-O3", "-std=c11", "-Wall", "-Wextra"],
            py_limited_api=True,
            optional=True,
        )
    ],
    # One wheel for Python 3.11 and everything after it.
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
