"""nginx as a plain reverse proxy."""

from rig import contender, nginx


class NginxProxyPass(contender.Contender):
    name = "nginx proxy_pass"
    load = "unguarded.lua"
    does = "forwards each request, with keep-alive to the upstream"

    def start(self):
        extra = (f"upstream behind {{ server 127.0.0.1:{self.upstream_port}; keepalive 1024; "
                 "keepalive_requests 1000000000; keepalive_timeout 3600s; }")
        location = 'proxy_pass http://behind; proxy_http_version 1.1; proxy_set_header Connection "";'
        self._child, self.port = nginx.start(self.folder, self.workers, location, extra)
