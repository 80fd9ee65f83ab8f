"""A real redis-server of the test's own."""

from hack.faults.redisserver import RedisServer

__all__ = ["RedisServer"]
