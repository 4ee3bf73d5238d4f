// SPDX-License-Identifier: Apache-2.0
// Whether what a plotter has delivered is the sector that was asked for. Plotters of a cluster are
// strangers: a sector that is wrong would be found out when it should win, months later.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

#include "furrow/records_encoder.hpp"

#include "host/base/mutex.hpp"
#include "host/base/simd_mode.hpp"
#include "host/erasure/record_erasure.hpp"
#include "host/node/sector_request.hpp"
#include "host/node/super_segment_headers.hpp"
#include "host/plotting/download_sector.hpp"
#include "host/pos/proof_table.hpp"

namespace furrow::node {

/// A plotter has delivered something else than the sector that was asked for.
class WrongSector : public Error {
 public:
  WrongSector(SectorIndex sector_index, const std::string& what);
};

struct SectorCheckOptions {
  /// Of each sector, chosen at random, that are read back, verified and encoded once more.
  std::size_t records = 1;
  /// What decides which; another one for each process, so that nobody can know.
  std::uint64_t seed = 0;
  SimdMode mode = SimdMode::kBest;
  unsigned k = kPosK;
};

/// Thread-safe: sectors whose records are sampled wait for one another, as that takes the tables of a proof
/// of space twice, and half a second of a processor for each record.
class SectorCheck {
 public:
  /// `headers` outlives it.
  SectorCheck(SuperSegmentHeaders& headers, const SectorCheckOptions& options);

  /// Identity, history size and piece indexes; length, checksum, contents map and s-bucket sizes; then
  /// of the sampled records that they can be read back, are what the chain has at that piece index, and are
  /// encoded as we encode them. Throws WrongSector. A record whose super segment the controller says
  /// nothing about is counted, and not held against it.
  void check(const SectorPlan& plan, const ReceivedSector& sector, const std::stop_token& stop);

  /// Sampled records of which the controller did not say whether the chain has them.
  [[nodiscard]] std::uint64_t unverified() const { return unverified_; }

 private:
  void check_record(PieceOffset offset, const ReceivedSector& sector, const std::stop_token& stop)
      FURROW_REQUIRES(mutex_);

  SuperSegmentHeaders& headers_;
  const SectorCheckOptions options_;
  const EncodeOneRecord encode_;
  std::atomic<std::uint64_t> unverified_ = 0;
  Mutex mutex_;  // while records are read and encoded
  RecordErasure erasure_ FURROW_GUARDED_BY(mutex_);
  std::unique_ptr<ProofTable> proofs_ FURROW_GUARDED_BY(mutex_);  // made at the first use
};

}  // namespace furrow::node
