"""What is answered from before: verdicts in memory, and what is dear to make in memory and in Redis."""

from typosentinel_server.cache.memory import MemoryCache
from typosentinel_server.cache.statistics import CacheStatistics

__all__ = ["CacheStatistics", "MemoryCache"]
