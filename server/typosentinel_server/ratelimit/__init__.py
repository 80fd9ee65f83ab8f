"""Rate limits: so many requests in any window, with bursts, per endpoint and caller, shared by all replicas.

`policy` and `ledger` say what is allowed, `account` and `limiter` decide it in memory, `broker` fetches slices of the
budget that all replicas share from a `store`, which is Redis.
"""
