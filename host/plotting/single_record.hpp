// SPDX-License-Identifier: Apache-2.0
// Encoding of single records on the CPU, for whoever has only now and then one: records that a
// device could not encode, and records that are encoded once more to verify a device.
#pragma once

#include "furrow/records_encoder.hpp"

#include "host/base/simd_mode.hpp"

namespace furrow {

/// Encodes one record at a time, whoever calls; the tables (proof_table_bytes) are made at
/// the first call. `k` is the network's 20 except in tests.
EncodeOneRecord make_single_record_encoder(SimdMode mode = SimdMode::kBest, unsigned k = kPosK);

}  // namespace furrow
