# SPDX-License-Identifier: Apache-2.0
"""A cluster of furrow processes around one NATS server, each of which can be killed and started again."""

import pathlib
import signal
import socket
import subprocess
import time

from . import nats
from .program import OPTIONS


def free_port():
    """A port of the loopback that is free now: a server that is started again needs the same one."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Process:
    """A process that is started again with the same command. What it says is added to its file."""

    def __init__(self, name, folder, command):
        self.name = name
        self.command = [str(word) for word in command]
        self.log = pathlib.Path(folder) / f"{name}.log"
        self.process = None
        self.most_kib = 0
        self.most_descriptors = 0

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def end(self, number=signal.SIGTERM, timeout=300):
        """Its exit code; negative for a signal."""
        if self.is_running():
            self.process.send_signal(number)
        return self.process.wait(timeout=timeout)

    def kill(self):
        if self.process is not None:
            self.end(signal.SIGKILL)

    def look(self):
        """Resident memory in KiB and open descriptors, the most of which are kept; nothing when it is gone."""
        try:
            status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
            kib = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
            descriptors = len(list(pathlib.Path(f"/proc/{self.process.pid}/fd").iterdir()))
        except (OSError, StopIteration):
            return None
        self.most_kib = max(self.most_kib, kib)
        self.most_descriptors = max(self.most_descriptors, descriptors)
        return kib, descriptors

    def text(self):
        return self.log.read_text(errors="replace")

    def wait_for_text(self, text, times=1, seconds=120):
        """Until it has said so."""
        deadline = time.monotonic() + seconds
        while self.text().count(text) < times:
            if time.monotonic() > deadline or not self.is_running():
                raise AssertionError(f"{self.name} has not said '{text}' {times} times:\n{self.text()}")
            time.sleep(0.05)


class RestartableCluster:
    """A server and whatever joins it. Everything is killed at the end of the test."""

    def __init__(self, test, configuration="max_payload: 2MB\n"):
        self.folder = test.folder
        self.processes = []
        test.addCleanup(self.kill)
        self.port = free_port()
        self.url = f"nats://127.0.0.1:{self.port}"
        self.file = self.folder / "nats.conf"
        self.configure(configuration)
        self.server = self.add("nats-server", [nats.SERVER, "-c", self.file])

    def configure(self, configuration):
        """Of the server when it is started the next time."""
        self.file.write_text(f'listen: "127.0.0.1:{self.port}"\n{configuration}')

    def kill(self):
        for process in reversed(self.processes):
            process.kill()

    def add(self, name, command):
        process = Process(name, self.folder, command).start()
        self.processes.append(process)
        return process

    def join(self, name, command, *options):
        """A furrow process of the cluster."""
        return self.add(name, [OPTIONS.furrow, command, "--nats-server", self.url, *options])

    def wait_for_server(self):
        """Until one can connect."""
        deadline = time.monotonic() + 60
        while True:
            try:
                nats.Client(self.port).close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
