"""The npm middleware express-idempotency with its Redis adapter, in an Express application."""

from rig import contender, node, processes, redis


class ExpressIdempotency(contender.Sharing):
    peer = "express-idempotency"
    role = "first execution"
    load = "first_execution.lua"
    settle_s = 1
    one_of_parallel_duplicates = False
    records_before_it_answers = False
    cpu_compared = (contender.Compared("onceward first execution", "≥ 20", "≥ 12"),)

    @classmethod
    def missing(cls, build):
        return node.missing("express-idempotency") or redis.missing()

    def launch(self):
        child, redis_port = redis.start(self.folder, "always")
        self._children.append(child)
        self.port = processes.free_port()
        command = ["node", str(node.FOLDER / "express_app.mjs"), *map(str, (self.port, self.workers, self.upstream_port,
                                                                            redis_port))]
        self._children.append(processes.Child(command, self.folder / "log", self.folder, self.port,
                                              environment={"NODE_ENV": "production"}))


class Local(ExpressIdempotency):
    name = "express-idempotency + Redis, in the application"
    path = "/v1/local"
    forwards = False
    does = ("Express with the npm middleware express-idempotency, a process of node for each worker, Redis with "
            "`appendfsync always`: reads, then writes the claim in two commands, so parallel duplicates run twice; "
            "answers before the outcome is stored. Nothing is forwarded: the application answers by itself, and its "
            "CPU counts")


class Forwarding(ExpressIdempotency):
    name = "express-idempotency + Redis, forwarding"
    does = "the same, and the application asks the upstream (node's http with keep-alive)"


class Replay(ExpressIdempotency):
    name = "express-idempotency + Redis, replay"
    role = "replay"
    load = "replay.lua"
    does = "reads key and body, compares body and path, answers from Redis; 1,000 keys"
    cpu_compared = (contender.Compared("onceward replay"),)
