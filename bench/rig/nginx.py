"""nginx, as a peer and as the upstream of all contenders: one configuration that is fair to it (keep-alive on both
sides without limits, no access log, one listening socket for each worker).
"""

import pathlib
import subprocess

from . import load, processes

_CONFIGURATION = """\
worker_processes {workers};
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log crit;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 3600s;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  default_type application/json;
  {extra}
  server {{
    listen 127.0.0.1:{port} reuseport backlog=4096;
    location / {{ {location} }}
  }}
}}
"""


def start(folder, workers, location, extra=""):
    """(the child, its port)"""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True)
    port = processes.free_port()
    file = folder / "nginx.conf"
    file.write_text(_CONFIGURATION.format(workers=workers, folder=folder, port=port, location=location, extra=extra))
    return processes.Child(["nginx", "-e", str(folder / "error.log"), "-p", str(folder), "-c", str(file)],
                           folder / "log", folder, port), port


def answer():
    """A location that answers at once."""
    return f"return 200 '{'y' * load.RESPONSE_BYTES}';"


def version():
    return subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True).stderr.strip()
