"""nginx with a Lua script of ours and Redis, doing the same job (peers/nginx_idempotency.lua)."""

import pathlib

from rig import contender, nginx, redis

_MODULES = [pathlib.Path("/usr/lib/nginx/modules") / file for file in ("ndk_http_module.so", "ngx_http_lua_module.so")]
_SCRIPT = pathlib.Path(__file__).resolve().parent.parent / "peers/nginx_idempotency.lua"


class NginxLuaRedis(contender.Sharing):
    fsync = ""
    cpu_compared = (contender.Compared("onceward first execution", "≥ 6", "≥ 4"),)

    @classmethod
    def missing(cls, build):
        if not all(module.exists() for module in _MODULES):
            return "nginx's Lua module is not installed (tools/install bench)"
        return nginx.missing() or redis.missing()

    def launch(self):
        child, redis_port = redis.start(self.folder, self.fsync)
        self._children.append(child)
        child, self.port = nginx.start(
            self.folder, self.workers, "content_by_lua_block { idempotency.serve() }",
            server=f"location /forward/ {{ internal; proxy_pass http://behind/; {nginx.PROXY} }}",
            extra=f"""{nginx.behind(self.upstream_port)}
  lua_socket_log_errors off;
  init_by_lua_block {{ idempotency = assert(loadfile("{_SCRIPT}"))({redis_port}) }}""",
            modules=_MODULES)
        self._children.append(child)


class _Always(NginxLuaRedis):
    peer = "nginx + Lua + Redis always"
    fsync = "always"


class _EverySecond(NginxLuaRedis):
    peer = "nginx + Lua + Redis everysec"
    fsync = "everysec"


class AlwaysFirstExecution(_Always):
    name = "nginx + Lua + Redis always, first execution"
    role = "first execution"
    load = "first_execution.lua"
    does = ("a new key each time: claim in Redis (`SET NX GET`, `appendfsync always`), forwarded by a subrequest, "
            "outcome in Redis by one script, then answered; duplicates get a 409 instead of waiting, leases are not "
            "renewed")


class EverySecondFirstExecution(_EverySecond):
    name = "nginx + Lua + Redis everysec, first execution"
    role = "first execution"
    load = "first_execution.lua"
    does = "the same with `appendfsync everysec`: a power cut loses up to a second of what was acknowledged"


class AlwaysReplay(_Always):
    name = "nginx + Lua + Redis, replay"
    role = "replay"
    load = "replay.lua"
    does = "reads key and body, compares the fingerprint, answers from Redis; 1,000 keys"
    cpu_compared = (contender.Compared("onceward replay"),)
