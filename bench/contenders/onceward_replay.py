"""onceward, replay."""

from . import onceward


class OncewardReplay(onceward.Onceward):
    name = "onceward replay"
    load = "replay.lua"
    does = "reads key and body, compares the fingerprint, answers from the record; 1,000 keys"
    counted_as = "replayed"
    compared_with = "nginx return 200"
    goal = 1.3

    def nonce(self, run_number):
        return "the-same-in-every-run"
