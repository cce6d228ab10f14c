"""onceward, the first request with a key: claim, forward, record, answer."""

from . import onceward


class OncewardFirstExecution(onceward.Onceward):
    name = "onceward first execution"
    load = "first_execution.lua"
    does = "a new key each time: claim synced to disk, forwarded, outcome synced to disk, then answered"
    counted_as = "executed"
    compared_with = "nginx proxy_pass"
