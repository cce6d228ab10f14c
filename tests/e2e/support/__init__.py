"""What the end-to-end tests stand on: the real binary as a child process, an upstream that keeps a ledger and does what
a test tells it, a proxy that breaks connections at a chosen point, and a client that sends and sees exact bytes.

Nothing here waits by sleeping: everything is a condition with the one generous deadline of `waiting.DEADLINE_S`.
"""
