"""What bench/run consists of: a module a part, each of which can be run by itself. NEEDS are the programs without which
a part cannot be; what else is missing is skipped. Without a name, the USUAL ones are run.
"""

from . import check, compare, latency, peers, scale, stores

USUAL = {"check": check, "peers": peers, "latency": latency, "stores": stores, "scale": scale}
PARTS = {**USUAL, "compare": compare}
