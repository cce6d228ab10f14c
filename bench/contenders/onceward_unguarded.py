"""onceward, unguarded pass-through."""

from . import onceward


class OncewardUnguarded(onceward.Onceward):
    name = "onceward unguarded pass-through"
    load = "unguarded.lua"
    does = "forwards each request; no key, so no record"
    counted_as = "passed"
    compared_with = "nginx proxy_pass"
    goal = 1.0
