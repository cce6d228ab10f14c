"""nginx answering by itself: about the least that a request can cost in a server of this kind."""

from rig import contender, nginx


class NginxReturn(contender.Contender):
    name = "nginx return 200"
    load = "unguarded.lua"
    does = "answers from its configuration: no key, no lookup, the request's body is discarded unread"

    def start(self):
        self._child, self.port = nginx.start(self.folder, self.workers, nginx.answer())
