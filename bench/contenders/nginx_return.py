"""nginx answering by itself: about the least that a request can cost in a server of this kind."""

from rig import contender, nginx


class NginxReturn(contender.Contender):
    name = "nginx return 200"
    role = "replay"
    load = "unguarded.lua"
    does = "answers from its configuration: no key, no lookup, the request's body is discarded unread"
    forwards = False

    @classmethod
    def missing(cls, build):
        return nginx.missing()

    def start(self):
        child, self.port = nginx.start(self.folder, self.workers, nginx.answer())
        self._children.append(child)
