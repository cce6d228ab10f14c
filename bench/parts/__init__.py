"""What bench/run consists of: a module a part, each of which can be run by itself."""

from . import check, latency, peers, scale, stores

PARTS = {"check": check, "peers": peers, "latency": latency, "stores": stores, "scale": scale}
