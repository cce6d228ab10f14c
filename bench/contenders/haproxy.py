"""HAProxy as a plain reverse proxy."""

import shutil

from rig import contender, processes

_CONFIGURATION = """\
global
  nbthread {workers}
  maxconn 8192
defaults
  mode http
  timeout connect 5s
  timeout client 3600s
  timeout server 3600s
  timeout http-keep-alive 3600s
  option http-keep-alive
  http-reuse always
frontend front
  bind 127.0.0.1:{port} backlog 4096
  default_backend behind
backend behind
  server upstream 127.0.0.1:{upstream_port} pool-max-conn -1 pool-purge-delay 3600s
"""


class HaProxy(contender.Contender):
    name = "HAProxy"
    role = "pass-through"
    load = "unguarded.lua"
    does = "forwards each request, with keep-alive to the upstream; one thread for each worker"
    cpu_compared = (contender.Compared("nginx proxy_pass"),)

    @classmethod
    def missing(cls, build):
        return "" if shutil.which("haproxy") else "haproxy is not installed (tools/install bench)"

    def start(self):
        self.folder.mkdir(parents=True)
        self.port = processes.free_port()
        file = self.folder / "haproxy.cfg"
        file.write_text(_CONFIGURATION.format(workers=self.workers, port=self.port, upstream_port=self.upstream_port))
        self._children.append(processes.Child(["haproxy", "-db", "-f", str(file)], self.folder / "log", self.folder,
                                              self.port))
