# SPDX-License-Identifier: Apache-2.0
"""Two network namespaces and the line between them, which delays and loses packets, and can be cut
(support/line_relay.py). Needs to be root."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

from support.line_relay import ADDRESSES

_RELAY = pathlib.Path(__file__).with_name("line_relay.py")


def why_not():
    """Why there can be no line here; empty if there can."""
    for tool in ("ip", "unshare", "nsenter"):
        if shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin") is None:
            return f"{tool} is not installed"
    if os.geteuid() != 0:
        return "only root can make network namespaces"
    if not os.path.exists("/dev/net/tun"):
        return "there is no /dev/net/tun"
    tried = subprocess.run(["unshare", "--net", "true"], stderr=subprocess.PIPE, text=True, check=False)
    return tried.stderr.strip()


class Namespace:
    """Lives as long as the process in it, which waits for the end of its input."""

    def __init__(self, address):
        self.address = address
        self.process = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; cat"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        self.process.stdout.readline()  # it is there now
        self.prefix = ("nsenter", f"--net=/proc/{self.process.pid}/ns/net")

    def setting(self, name, value):
        """Sets what sysctl calls net.ipv4.NAME."""
        subprocess.run([*self.prefix, "sh", "-c", f'echo "$1" > /proc/sys/net/ipv4/{name}', "sh", value], check=True)

    def close(self):
        self.process.communicate()


class Line:
    """`left` and `right` are namespaces; commands are run there with their prefix."""

    def __init__(self, seed):
        self.left, self.right = Namespace(ADDRESSES[0]), Namespace(ADDRESSES[1])
        self.relay = subprocess.Popen(
            [sys.executable, "-B", _RELAY, str(self.left.process.pid), str(self.right.process.pid), str(seed)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.answer()

    def answer(self):
        line = self.relay.stdout.readline()
        if not line:
            raise RuntimeError("the line is not there")
        return json.loads(line)

    def change(self, **how):
        """delay_ms in each direction, loss as a share of packets, is_cut."""
        self.relay.stdin.write(json.dumps(how) + "\n")
        self.relay.stdin.flush()
        self.answer()

    def close(self):
        """How many packets there were, and how many of them were lost."""
        if self.relay.stdin.closed:
            return None
        self.relay.stdin.close()
        counts = json.loads(self.relay.stdout.readline() or "null")
        self.relay.stdout.close()
        self.relay.wait()
        self.left.close()
        self.right.close()
        return counts
