"""What bench/run consists of: a module a part, each of which can be run by itself. NEEDS are the programs without which
a part cannot be; what else is missing is skipped.
"""

from . import check, latency, peers, scale, stores

PARTS = {"check": check, "peers": peers, "latency": latency, "stores": stores, "scale": scale}
