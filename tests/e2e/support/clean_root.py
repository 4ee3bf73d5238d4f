# SPDX-License-Identifier: Apache-2.0
"""A Debian with nothing installed but the least, of the release of this machine, to install packages into.

It stands on memory that is mounted for this process alone, in namespaces of its own: whatever becomes of the
process, kill -9 included, nothing of it is left, neither files nor mounts nor processes."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request

_INSIDE = "FURROW_TEST_IS_ALONE"
_NAMESPACES = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
_PROGRAMS = ("apt-get", "mmdebstrap", "unshare", "mount", "umount", "chroot")
_ROOM = "4g"
NOT_POSSIBLE = 77  # an exit code that ctest takes for a test that was skipped


def _output(*command):
    return subprocess.run(command, text=True, capture_output=True, check=False).stdout


def _sources():
    """Lines of sources.list: what apt of this machine has of Debian itself."""
    listed = _output("apt-get", "indextargets", "--format", "$(ORIGIN) $(SITE) $(RELEASE) $(COMPONENT)",
                     "Created-By: Packages")
    lines = [line.split()[1:] for line in listed.splitlines() if line.startswith("Debian ")]
    return [f"deb {site} {release} {component}" for site, release, component in lines]


def _apt_options():
    """How apt of this machine reaches its sources."""
    listed = _output("apt-config", "dump", "--format", '%F "%v";%n', "Acquire").splitlines()
    return [line for line in listed
            if "::Proxy" in line or line.startswith(("Acquire::Check-", "Acquire::Retries"))]


def _release():
    for line in pathlib.Path("/etc/os-release").read_text(encoding="utf-8").splitlines():
        if line.startswith("VERSION_CODENAME="):
            return line.partition("=")[2].strip('"')
    return ""


def _why_not():
    if os.geteuid() != 0:
        return "only root can make a clean Debian"
    missing = [program for program in _PROGRAMS if shutil.which(program) is None]
    if missing:
        return f"not installed: {', '.join(missing)}"
    if subprocess.run([*_NAMESPACES, "true"], capture_output=True, check=False).returncode != 0:
        return "namespaces cannot be made here"
    sources = [line.split() for line in _sources()]
    if not any(release == _release() for _, _, release, _ in sources):
        return "apt knows no source of this release of Debian; has apt-get update been run?"
    if _apt_options() and any("::Proxy" in option for option in _apt_options()):
        return ""  # apt alone knows the way
    _, site, release, _ = sources[0]
    try:
        with urllib.request.urlopen(f"{site}/dists/{release}/InRelease", timeout=30):
            return ""
    except (urllib.error.URLError, OSError) as error:
        return f"{site} cannot be reached: {error}"


def be_alone():
    """To be called first: goes on in namespaces of its own, or ends the test as not possible."""
    if _INSIDE in os.environ:
        del os.environ[_INSIDE]
        # Process 1 of a namespace hears of no signal that it has no handler for.
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
        return
    reason = _why_not()
    if reason:
        print(f"SKIPPED: {reason}")
        sys.exit(NOT_POSSIBLE)
    os.environ[_INSIDE] = "1"
    os.execvp(_NAMESPACES[0], [*_NAMESPACES, sys.executable, "-B", *sys.argv])


class CleanRoot:
    """A root in memory that is mounted at a folder, which is empty again when it was closed. Temporary files of this
    process and of what it starts are there, too."""

    def __init__(self, folder):
        self._memory = folder
        self._root = folder / "root"
        folder.mkdir(parents=True)
        self._run_here("mount", "-t", "tmpfs", "-o", f"size={_ROOM},mode=755", "tmpfs", folder)
        try:
            (folder / "tmp").mkdir()
            os.environ["TMPDIR"] = str(folder / "tmp")
            options = [f"--aptopt={option}" for option in _apt_options()]
            self._run_here("mmdebstrap", "--quiet", "--variant=minbase", "--mode=root", *options, _release(), self._root,
                           *_sources())
            self._run_here("mount", "-t", "proc", "proc", self.path("/proc"))
            self.succeeds("apt-get", "update", "-q")
        except BaseException:
            self.close()
            raise

    def close(self):
        subprocess.run(["umount", "--recursive", str(self._memory)], check=True)

    @staticmethod
    def _run_here(*command):
        done = subprocess.run([str(word) for word in command], text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{command}: exit code {done.returncode}\n{done.stdout}")
        return done.stdout

    def succeeds(self, *command):
        """Runs a command inside, and returns what it printed."""
        return self._run_here("env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C",
                              "DEBIAN_FRONTEND=noninteractive", "chroot", self._root, *command)

    def install(self, *packages):
        """Names of packages, or paths inside."""
        return self.succeeds("apt-get", "install", "-q", "-y", "--no-install-recommends", *packages)

    def bring(self, source, inside):
        """Copies a file or a folder to a path inside, and returns that path."""
        target = self.path(inside)
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy(source, target)
        return inside

    def path(self, inside):
        """Where a path inside is from here."""
        return self._root / str(inside).lstrip("/")
