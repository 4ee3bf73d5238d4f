// Several encoders that work on the same sector and stand in for one another.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "furrow/records_encoder.hpp"

#include "host/plotting/gate.hpp"

namespace furrow {

/// Runs each encoder on a thread of its own, all on the same job, so that unequal ones balance
/// themselves. One that throws DeviceLost is retired for good and the others take its records, also
/// those that had finished already. When none is left, a fallback takes over.
class EncoderPool final : public RecordsEncoder {
 public:
  struct Options {
    /// At least one, unless there is a fallback.
    std::vector<std::unique_ptr<RecordsEncoder>> encoders = {};
    /// Makes the encoder that is left when all others are lost; called once at most. May be empty:
    /// then losing the last one is DeviceLost.
    std::function<std::unique_ptr<RecordsEncoder>()> make_fallback = {};
    /// When set, each claim of records waits here first. Must outlive the encoder.
    Gate* gate = nullptr;
    /// When set, called after each record, from any thread, possibly several at once.
    std::function<void()> on_record_done = {};
    /// When set, gets one line for each encoder that is lost or quarantined, and one when the
    /// fallback takes over. Calls do not overlap.
    std::function<void(const std::string& line)> on_warning = {};
  };

  /// Throws InvalidArgument for no encoder and no fallback.
  explicit EncoderPool(Options options);

  /// Throws TooFewProofs and what else ends a job, and DeviceLost when nobody is left. After
  /// WrongEncoding the encoder that was wrong is retired, and the others stop where they are: the
  /// records of the sector have to be supplied again.
  EncodeOutcome encode(EncodingJob& job, std::stop_token stop) override;
  /// Whichever of them can.
  bool assemble_sector(const SectorContents& contents, std::span<std::uint8_t> sector) override;
  /// Names of those that are not lost.
  [[nodiscard]] std::string name() const override;

 private:
  class Run;
  void warn(const std::string& line);

  Options options_;
  std::unique_ptr<RecordsEncoder> fallback_;
};

}  // namespace furrow
