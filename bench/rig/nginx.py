"""nginx, as a peer and as the upstream of all contenders: one configuration that is fair to it (keep-alive on both
sides without limits, no access log, one listening socket for each worker).
"""

import pathlib
import shutil
import subprocess

from . import load, processes

_CONFIGURATION = """\
{modules}
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
    {server}
  }}
}}
"""


def start(folder, workers, location, *, extra="", server="", modules=()):
    """(the child, its port). `location` is what `/` does, `server` and `extra` go around it, `modules` are loaded."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    port = processes.free_port()
    file = folder / "nginx.conf"
    file.write_text(_CONFIGURATION.format(workers=workers, folder=folder, port=port, location=location, extra=extra,
                                          server=server, modules="\n".join(f"load_module {each};" for each in modules)))
    return processes.Child(["nginx", "-e", str(folder / "error.log"), "-p", str(folder), "-c", str(file)],
                           folder / "log", folder, port), port


def behind(port):
    """The upstream `behind`, with keep-alive: what proxy_pass http://behind leads to."""
    return (f"upstream behind {{ server 127.0.0.1:{port}; keepalive 1024; "
            "keepalive_requests 1000000000; keepalive_timeout 3600s; }")


PROXY = 'proxy_http_version 1.1; proxy_set_header Connection "";'


def answer():
    """A location that answers at once."""
    return f"return 200 '{load.response()}';"


def missing():
    return "" if shutil.which("nginx") else "nginx is not installed (tools/install bench)"


def version():
    return subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True).stderr.strip()
