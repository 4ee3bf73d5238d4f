#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_thread_safety.py finds what it is there for, and nothing else."""

import contextlib
import io
import pathlib
import shutil
import sys
import tempfile
import unittest

import check_thread_safety

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLANG = sys.argv.pop(1) if len(sys.argv) > 1 else "clang++"

SOURCE = """
#include "host/base/mutex.hpp"
namespace furrow {
class Counter {
 public:
  void add() { %s ++n_; }
  void wait() { const Lock lock(mutex_); changed_.wait(mutex_, [this]() FURROW_REQUIRES(mutex_) { return n_ > 0; }); }
  void pause() { const Lock lock(mutex_); { const Unlocked unlocked(mutex_); %s } ++n_; }
 private:
  %s
  ConditionVariable changed_;
  int n_ FURROW_GUARDED_BY(mutex_) = 0;
};
inline void use(Counter& counter) { counter.add(); counter.wait(); counter.pause(); }
}
"""


class ThreadSafety(unittest.TestCase):
    def check(self, locked="const Lock lock(mutex_);", paused="", mutex="Mutex mutex_;"):
        with tempfile.TemporaryDirectory() as name:
            root = pathlib.Path(name)
            for folder in ("host/base", "host/room"):
                (root / folder).mkdir(parents=True)
            shutil.copy(ROOT / check_thread_safety.LOCKS, root / check_thread_safety.LOCKS)
            (root / "host/room/counter.cpp").write_text(SOURCE % (locked, paused, mutex))
            said = io.StringIO()
            with contextlib.redirect_stdout(said):
                result = check_thread_safety.main(["--root", name, "--clang", CLANG])
            return result, said.getvalue()

    def test_locked_is_right(self):
        self.assertEqual(self.check(), (0, "\n1 sources of 1 folders, 0 complaints\n"))

    def test_without_the_lock(self):
        result, said = self.check(locked="")
        self.assertEqual(result, 1)
        self.assertIn("n_", said)

    def test_while_let_go_of(self):
        result, said = self.check(paused="--n_;")
        self.assertEqual(result, 1)
        self.assertIn("n_", said)

    def test_standard_mutex(self):
        result, said = self.check(mutex="Mutex mutex_; std::mutex other_;")
        self.assertEqual(result, 1)
        self.assertIn("host/room/counter.cpp:10: std::mutex", said)

    def test_nothing_to_look_at(self):
        with tempfile.TemporaryDirectory() as name, contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(check_thread_safety.main(["--root", name, "--clang", CLANG]), 1)


if __name__ == "__main__":
    unittest.main()
