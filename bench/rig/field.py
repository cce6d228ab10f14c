"""The contenders of a run: which of them can run here, started side by side, stopped together.

A contender that cannot run here is skipped, one that fails is left out from then on; both are said in one line and
stand in the report.
"""

import sys


class Field:
    def __init__(self, options, kinds, folder, cleanup):
        self._options, self._folder, self._cleanup = options, folder, cleanup
        self._shared = {}
        self._runs = 0
        self.left_out = {}  # Name -> why.
        self.kinds = []
        for kind in kinds:
            if reason := kind.missing(options.build):
                self.leave_out(kind, f"skipped: {reason}")
            else:
                self.kinds.append(kind)

    def leave_out(self, kind, reason):
        first_line = reason.partition("\n")[0]
        print(f"{kind.name}: {reason}", file=sys.stderr, flush=True)
        self.left_out.setdefault(kind.name, first_line)

    def start(self, workers, upstream_port):
        """Those that start, in the order of the table."""
        started = []
        for kind in self.kinds:
            if kind.name in self.left_out:
                continue
            place = self._folder / f"{'-'.join(kind.name.replace(',', '').split())}-{workers}"
            contender = kind(self._options.build, place, workers, upstream_port, self._shared)
            self._cleanup.callback(contender.stop)
            try:
                contender.start()
            except (OSError, RuntimeError) as failed:
                self.leave_out(kind, f"failed: {failed}")
                continue
            started.append(contender)
        return started

    def next_nonce(self, contender):
        self._runs += 1
        return contender.nonce(self._runs)
