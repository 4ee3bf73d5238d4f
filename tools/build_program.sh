#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the furrow program alone, for the cards of this machine if it has any, into build/release:
# tools/check.sh goes on from there.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
cmake --preset release -DFURROW_CUDA=HERE -DFURROW_TESTS=OFF -DFURROW_BENCH=OFF
cmake --build --preset release --parallel "$(nproc)" --target furrow_cli
