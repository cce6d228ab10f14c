#!/usr/bin/python3
"""The npm package `stripe`: form bodies, a bare key, retries after dropped connections, 409 and 5xx."""

from support import client_faults, story


class Stripe(client_faults.ClientFaults):
    client, path = "stripe", "/v1/charges"


if __name__ == "__main__":
    story.main()
