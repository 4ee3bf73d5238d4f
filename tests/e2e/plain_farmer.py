#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A farmer as a process of its own, for tests of plotters: has sectors plotted, one after the other, until it has
them, and writes their bytes and metadata into a folder. Whatever goes wrong it asks again after a second, as
docs/spec/07-cluster-protocol.md, section 7.4, has it. What happens is told in JSON, a line each.

    plain_farmer.py --nats-server URL --out DIR --sectors N --pieces-in-sector N
"""

import argparse
import json
import os
import pathlib
import signal
import time
import urllib.parse

from support import formats, nats
from support.farmer import CHUNK, FAILED, FINISHED, Answer, Farmer, request

PING_TIMEOUT = 60
REQUEST_TIMEOUT = 60  # of a free instance; in the protocol five minutes, which no test can wait for
PAUSE = 1


class Sector:
    """One sector, however often it has to be asked for."""

    def __init__(self, arguments, index):
        self.arguments = arguments
        self.index = index
        self.began = time.monotonic()

    def tell(self, event, **members):
        print(json.dumps({"event": event, "sector": self.index, **members}), flush=True)

    def connect(self):
        url = urllib.parse.urlsplit(self.arguments.nats_server)
        return Farmer(nats.Client(url.port, url.hostname, receive_buffer=self.arguments.receive_buffer))

    def plot(self, farmer):
        """With the farmer of the sector before, if there is one; returns the one that has it at last."""
        while True:
            try:
                farmer = farmer or self.connect()
                if self.attempt(farmer):
                    return farmer
            except OSError as error:  # a time-out is one, too
                self.tell("lost", reason=f"{type(error).__name__}: {error}")
                if farmer is not None:
                    farmer.close()
                farmer = None
            time.sleep(PAUSE)

    def attempt(self, farmer):
        plotter = farmer.free_instance(REQUEST_TIMEOUT)
        if plotter is None:
            return False
        self.tell("asked", plotter=plotter)
        farmer.begin(plotter, request(self.index, self.arguments.pieces_in_sector))
        answer, is_over, streaming = Answer(), False, None
        while not is_over:
            is_over = farmer.take(answer, PING_TIMEOUT)
            if streaming is None and FINISHED in answer.kinds:
                streaming = (time.monotonic(), len(answer.sector))
                self.tell("finished")
            if self.arguments.stop_at_chunk and CHUNK in answer.kinds:
                self.arguments.stop_at_chunk = False
                self.tell("stopped")
                os.kill(os.getpid(), signal.SIGSTOP)
        if FAILED in answer.kinds or len(answer.sector) != formats.sector_size(self.arguments.pieces_in_sector):
            self.tell("lost", reason=answer.error or f"{len(answer.sector)} bytes")
            return False
        (self.arguments.out / f"sector-{self.index}").write_bytes(answer.sector)
        (self.arguments.out / f"metadata-{self.index}").write_bytes(answer.metadata)
        # What arrived with Finished had been under way before.
        self.tell("have", bytes=len(answer.sector), streamed_bytes=len(answer.sector) - streaming[1],
                  streamed_seconds=time.monotonic() - streaming[0], seconds=time.monotonic() - self.began)
        return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--nats-server", required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--first-sector", type=int, default=0)
    parser.add_argument("--sectors", type=int, default=1)
    parser.add_argument("--pieces-in-sector", type=int, required=True)
    parser.add_argument("--stop-at-chunk", action="store_true",
                        help="send itself SIGSTOP once, in the middle of the first sector")
    parser.add_argument("--receive-buffer", type=int, help="bytes that the system takes for it while it is stopped")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    farmer = None
    for index in range(arguments.first_sector, arguments.first_sector + arguments.sectors):
        farmer = Sector(arguments, index).plot(farmer)


if __name__ == "__main__":
    main()
