"""nginx as a plain reverse proxy."""

from rig import contender, nginx


class NginxProxyPass(contender.Contender):
    name = "nginx proxy_pass"
    role = "pass-through"
    load = "unguarded.lua"
    does = "forwards each request, with keep-alive to the upstream"

    @classmethod
    def missing(cls, build):
        return nginx.missing()

    def start(self):
        child, self.port = nginx.start(self.folder, self.workers, f"proxy_pass http://behind; {nginx.PROXY}",
                                       extra=nginx.behind(self.upstream_port))
        self._children.append(child)
