#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Feeds check_kernels.py kernels with and without bounds."""

import unittest

import check_kernels

RIGHT = """
// __global__ void not_a_kernel(int n) {
template <class Shape = HashShape>
__global__ void __launch_bounds__(Shape::kThreads, Shape::kMinBlocks)
    hash(View (&view)[2], int n) {
  THREADS_AT_MOST(Shape::kThreads);  // so
  n = 1;
}
template __global__ void hash<3>(View, int);
"""


class CheckKernels(unittest.TestCase):
    def test_a_kernel_that_says_its_bounds_passes(self):
        self.assertEqual(check_kernels.complaints_about("a.cuh", RIGHT), [])

    def test_a_kernel_without_bounds_is_named(self):
        text = "\n__global__ void __launch_bounds__(1) f() {\n  THREADS_AT_MOST(1);\n}\n\n__global__ void g(int n) {}\n"
        self.assertEqual(check_kernels.complaints_about("a.cuh", text), ["a.cuh:6: g: expected __launch_bounds__"])

    def test_bounds_that_the_harness_is_not_told_are_named(self):
        for wrong in ("int n = 0;", "THREADS_AT_MOST(Shape::kMinBlocks);"):
            text = RIGHT.replace("THREADS_AT_MOST(Shape::kThreads);  // so", wrong)
            complaints = check_kernels.complaints_about("a.cuh", text)
            self.assertEqual(len(complaints), 1)
            self.assertIn("hash: expected 'THREADS_AT_MOST(Shape::kThreads);' first", complaints[0])


if __name__ == "__main__":
    unittest.main()
