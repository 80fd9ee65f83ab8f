"""The scanning core of Typosentinel, its HTTP service and its command line."""

from importlib.metadata import version as _version

__all__ = ["__version__"]

__version__ = _version("typosentinel")
