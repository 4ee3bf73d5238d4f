// SPDX-License-Identifier: Apache-2.0
#include "host/plotting/device_trial.hpp"

#include <string>

#include "host/base/hex.hpp"
#include "host/plotting/driver_call.hpp"
#include "host/plotting/known_record.hpp"
#include "host/primitives/sector_id.hpp"

namespace furrow {
namespace {

/// What goes into a trial and what comes out. A thread that is left behind keeps it.
struct Trial {
  Record record;
  FoundProofs found_proofs;
  CudaTrial outcome;
};

void require_known_encoding(const Trial& trial) {
  const std::optional<Hash> expected = known_encoding_hash(trial.outcome.k);
  if (!expected.has_value()) {
    throw EncoderError("it encoded a known record with proofs of K = " +
                       std::to_string(trial.outcome.k) + ", of which nothing is known");
  }
  const Hash actual = encoding_hash(trial.record, trial.found_proofs);
  if (actual != *expected) {
    const ErrorFields fields{.expected = to_hex(expected->bytes), .actual = to_hex(actual.bytes)};
    throw EncoderError("it encodes a known record wrongly: expected BLAKE3 " + fields.expected +
                           ", actual " + fields.actual,
                       fields);
  }
}

}  // namespace

void prove_device(CudaDeviceInfo& device, const TryCudaDevice& try_device,
                  std::chrono::milliseconds patience) {
  const auto trial = std::make_shared<Trial>();
  fill_known_record(trial->record);
  try {
    const bool is_over = call_driver(patience, [trial, try_device, index = device.index] {
      const PosSeed seed = derive_evaluation_seed(known_sector_id(), kKnownPieceOffset);
      trial->outcome = try_device(index, seed, trial->record, trial->found_proofs);
    });
    if (!is_over) {
      device.unsupported_reason = "it does not answer: a known record is not encoded after " +
                                  std::to_string(patience.count()) + " ms";
      return;
    }
    require_known_encoding(*trial);
    device.free_bytes = trial->outcome.free_bytes;
  } catch (const Error& error) {
    device.unsupported_reason = error.what();
  }
}

}  // namespace furrow
