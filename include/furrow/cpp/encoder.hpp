// SPDX-License-Identifier: Apache-2.0
/** @file
 * Encoders: records of a sector into their encoded form (furrow/c/encoder.h). Part of
 * furrow/furrow.hpp. */
#ifndef FURROW_CPP_ENCODER_HPP
#define FURROW_CPP_ENCODER_HPP

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "furrow/cpp/gate.hpp"
#include "furrow/cpp/library.hpp"

namespace furrow {
inline namespace v0_1 {

/// What an encoder is to be made of; see furrow_encoder_config.
struct EncoderConfig {
  /// "auto", "cuda", "cpu" or "cpu-scalar".
  std::string kind = "auto";
  /// CUDA devices, by index or UUID; empty: all that work.
  std::vector<std::string> devices;
  /// 0: one for each processor that may be used.
  std::uint32_t threads = 0;
  /// Records of each call that are encoded on the CPU once more.
  std::uint32_t verify_records = detail::initialised(furrow_encoder_config_init).verify_records;
  /// Bytes on each device; 0: what is free.
  std::uint64_t device_memory_limit = 0;
  /// Bytes of the host for each device; 0: as much as its batches want.
  std::uint64_t pinned_memory_limit = 0;
  /// Where work waits while it is closed; null: it never waits.
  const Gate* gate = nullptr;
};

/// Records of one sector to encode.
struct EncodeRequest {
  Hash sector_id{};
  /// Records of FURROW_RECORD_SIZE bytes back to back; each is replaced by its encoded form.
  MutableBytes records;
  /// FURROW_FOUND_PROOFS_SIZE bytes for each record, written.
  MutableBytes contents_map;
  /// Piece offset of the first record.
  std::size_t first_offset = 0;
  const AbortFlag* abort = nullptr;
  /// Told of each record that is done, from threads of the library, several at once. When it throws
  /// it is not called again, and encode() throws that when the call is over.
  std::function<void(std::size_t piece_offset)> on_record;
};

/// Several threads may encode with one at the same time.
class Encoder {
 public:
  /// Makes an encoder. Each device encodes a known record first.
  explicit Encoder(const Library& library, const EncoderConfig& config = {})
      : Encoder(make(library, config)) {}

  /// Encodes records in place.
  Outcome encode(const EncodeRequest& request) {
    const std::size_t count = request.records.size() / FURROW_RECORD_SIZE;
    detail::check_size("records", request.records.size(), count * FURROW_RECORD_SIZE);
    detail::check_size("contents_map", request.contents_map.size(),
                       count * FURROW_FOUND_PROOFS_SIZE);
    Progress progress{request.on_record, {}};
    furrow_encode_request c = detail::initialised(furrow_encode_request_init);
    c.sector_id = request.sector_id.data();
    c.records = request.records.data();
    c.record_count = count;
    c.first_offset = request.first_offset;
    c.contents_map = request.contents_map.data();
    c.abort_flag = detail::byte_of(request.abort);
    if (request.on_record) {
      c.user = &progress;
      c.on_record = [](void* user, std::size_t piece_offset) noexcept {
        auto& told = *static_cast<Progress*>(user);
        told.thrown.guard([&] { told.on_record(piece_offset); });
      };
    }
    const furrow_status status = furrow_encoder_encode(get(), &c);
    progress.thrown.rethrow();
    return detail::outcome_of(status);
  }

  /// What it is and does.
  [[nodiscard]] furrow_encoder_info info() const {
    return detail::filled<furrow_encoder_info>(
        [&](furrow_encoder_info* info) { return furrow_encoder_get_info(get(), info); });
  }
  /// One of its devices, or the CPU; there are info().member_count.
  [[nodiscard]] furrow_encoder_member member(std::size_t position) const {
    return detail::filled<furrow_encoder_member>([&](furrow_encoder_member* member) {
      return furrow_encoder_get_member(get(), position, member);
    });
  }

  /// For functions of the C interface.
  [[nodiscard]] furrow_encoder* get() const noexcept { return handle_.get(); }
  /// What plotters that encode with it keep.
  [[nodiscard]] const detail::Kept& kept() const noexcept { return handle_.kept(); }

 private:
  using Owner = detail::Handle<furrow_encoder, furrow_encoder_destroy>;
  explicit Encoder(Owner handle) noexcept : handle_(std::move(handle)) {}

  struct Progress {
    const std::function<void(std::size_t)>& on_record;
    detail::FirstException thrown;
  };

  static Owner make(const Library& library, const EncoderConfig& config) {
    const std::vector<const char*> devices = detail::pointers_to(config.devices);
    furrow_encoder_config c = detail::initialised(furrow_encoder_config_init);
    c.kind = config.kind.c_str();
    c.devices = devices.empty() ? nullptr : devices.data();
    c.device_count = devices.size();
    c.threads = config.threads;
    c.verify_records = config.verify_records;
    c.device_memory_limit = config.device_memory_limit;
    c.pinned_memory_limit = config.pinned_memory_limit;
    c.gate = config.gate != nullptr ? config.gate->get() : nullptr;
    furrow_encoder* encoder = nullptr;
    detail::check(furrow_encoder_open(library.get(), &c, &encoder));
    return Owner(encoder, library.kept());
  }

  Owner handle_;
};

}  // namespace v0_1
}  // namespace furrow

#endif
