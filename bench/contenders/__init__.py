"""Every module here is one contender or a family of them; CONTENDERS are all of them in the order of the table."""

from . import express_idempotency, haproxy, nginx_lua_redis, nginx_proxy_pass, nginx_return, onceward, restate

CONTENDERS = [
    onceward.Unguarded,
    nginx_proxy_pass.NginxProxyPass,
    haproxy.HaProxy,

    onceward.FirstExecution,
    onceward.WrittenFirstExecution,
    onceward.MemoryFirstExecution,
    onceward.PostgresFirstExecution,
    onceward.RedisFirstExecution,
    onceward.RedisEverySecondFirstExecution,
    nginx_lua_redis.AlwaysFirstExecution,
    nginx_lua_redis.EverySecondFirstExecution,
    express_idempotency.Local,
    express_idempotency.Forwarding,
    restate.Local,
    restate.Forwarding,

    onceward.Replay,
    onceward.PostgresReplay,
    onceward.RedisReplay,
    nginx_return.NginxReturn,
    nginx_lua_redis.AlwaysReplay,
    express_idempotency.Replay,
    restate.Replay,
]
