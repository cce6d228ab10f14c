#!/usr/bin/python3
"""The npm package `@knocklabs/node`, one of a generator's many: JSON bodies, a bare key, retries after 408 and 429
too.
"""

from support import client_faults, story


class Knock(client_faults.ClientFaults):
    client, path = "knock", "/v1/workflows/charge/trigger"


if __name__ == "__main__":
    story.main()
