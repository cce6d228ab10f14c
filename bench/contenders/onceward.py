"""onceward with its journal on a real disk and synced, as it is by default."""

import json
import re
import urllib.request

from rig import contender, processes


class Onceward(contender.Contender):
    counted_as = ""  # The `answer` under which the gateway's own metrics must count the requests of this contender.

    def start(self):
        self.folder.mkdir(parents=True)
        self.port, self._admin_port = processes.free_port(), processes.free_port()
        settings = {
            "listen": f"127.0.0.1:{self.port}",
            "admin": f"127.0.0.1:{self._admin_port}",
            "upstream": f"http://127.0.0.1:{self.upstream_port}",
            "store": {"journal": {"path": str(self.folder / "data"), "durability": "synced"}},
            "workers": self.workers,
            "limits": {"upstream_idle_max": 1024},
            "log": {"level": "warning"},
        }
        file = self.folder / "onceward.yaml"
        file.write_text(json.dumps(settings, indent=2))
        binary = self.build.resolve() / "apps/onceward/onceward"
        self._child = processes.Child([str(binary), "run", "--config", str(file)], self.folder / "log", self.folder,
                                      self.port)
        self._counted = self._count()

    def _count(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self._admin_port}/metrics", timeout=10) as response:
            text = response.read().decode()
        pattern = rf'^onceward_requests_total\{{[^}}]*"{self.counted_as}"[^}}]*\}} ([0-9.e+]+)$'
        return sum(float(value) for value in re.findall(pattern, text, re.MULTILINE))

    def verify(self, requests):
        before, self._counted = self._counted, self._count()
        if self._counted - before < 0.99 * requests:
            raise RuntimeError(f"{self.name}: {self._counted - before:.0f} of {requests} were {self.counted_as}")
