// SPDX-License-Identifier: Apache-2.0
// RecordsEncoder on CPU threads.
#pragma once

#include <memory>
#include <vector>

#include "furrow/records_encoder.hpp"

#include "host/base/simd_mode.hpp"
#include "host/plotting/record_encoding.hpp"

namespace furrow {

/// Encodes records on a fixed number of workers, each with tables of its own (kProofTableBytes)
/// that are kept between calls. A worker takes the next free record until none is left. A stop or a
/// pause takes effect inside a record, within a few milliseconds; a record that is stopped is as it
/// was. One of the workers is the thread that calls; with fewer threads than wanted, down to that
/// one, it goes on more slowly.
class CpuRecordsEncoder final : public RecordsEncoder {
 public:
  struct Options {
    /// Workers; 0 is refused.
    unsigned threads = 1;
    SimdMode mode = SimdMode::kBest;
    unsigned k = kPosK;
  };

  /// Throws InvalidArgument for no threads or an unsupported K.
  explicit CpuRecordsEncoder(Options options);

  EncodeOutcome encode(EncodingJob& job, std::stop_token stop) override;
  [[nodiscard]] std::string name() const override;

 private:
  Options options_;
  std::vector<std::unique_ptr<RecordEncoding>> workers_;
};

}  // namespace furrow
