// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <limits>
#include <string>

#include "furrow/core/sector_layout.hpp"
#include "furrow/errors.hpp"

#include "cuda/device_sector.hpp"
#include "cuda/runtime/device_buffer.hpp"
#include "cuda/runtime/event.hpp"
#include "cuda/runtime/staged_copy.hpp"
#include "cuda/sector_assembly.hpp"

namespace furrow::cuda {
namespace {

std::uint16_t checked_pieces(const SectorContents& contents, std::span<std::uint8_t> sector) {
  const std::size_t n = contents.records.size();
  if (n == 0 || n > std::numeric_limits<std::uint16_t>::max() ||
      contents.found_proofs.size() != n || contents.metadata.size() != n) {
    throw InvalidArgument(
        "sector on a device: expected 1 to 65535 records and as many bitmaps and "
        "metadata, actual " +
        std::to_string(n) + ", " + std::to_string(contents.found_proofs.size()) + " and " +
        std::to_string(contents.metadata.size()));
  }
  const auto pieces = static_cast<std::uint16_t>(n);
  if (sector.size() != sector_size(pieces)) {
    throw InvalidArgument("sector on a device: expected room for " +
                          std::to_string(sector_size(pieces)) + " bytes, actual " +
                          std::to_string(sector.size()));
  }
  for (std::size_t p = 0; p < n; ++p) {
    if (const std::size_t used = count_s_buckets(contents.found_proofs[p]); used > kNumChunks) {
      throw InvalidArgument(
          "sector on a device: expected at most 32768 s-buckets of the record at "
          "piece offset " +
          std::to_string(p) + ", actual " + std::to_string(used));
    }
  }
  return pieces;
}

}  // namespace

std::uint64_t device_sector_bytes(std::uint16_t n_pieces) {
  return SectorAssembly::device_bytes(n_pieces) + sector_size(n_pieces) +
         std::uint64_t{n_pieces} * (kRecordSize + kFoundProofsSize + kRecordMetadataSize) +
         kNumSBuckets * sizeof(std::uint16_t);
}

double lay_out_sector(StreamView stream, const SectorContents& contents,
                      std::span<std::uint8_t> sector, std::span<std::byte> staging) {
  using Clock = std::chrono::steady_clock;
  const std::uint16_t n = checked_pieces(contents, sector);
  SectorAssembly assembly(stream, n);
  const DeviceBuffer<FoundProofs> d_found_proofs(stream, n);
  const DeviceBuffer<Record> d_records(stream, n);
  const DeviceBuffer<RecordMetadata> d_metadata(stream, n);
  const DeviceBuffer<std::uint8_t> d_sector(stream, sector.size());
  const DeviceBuffer<std::uint16_t> d_s_bucket_sizes(stream, kNumSBuckets);

  Event uploaded(stream.device(), EventKind::kTiming);
  Event assembled(stream.device(), EventKind::kTiming);
  StagedCopy copy(stream, staging);

  const Clock::time_point start = Clock::now();
  copy.to_device(d_found_proofs.data(), contents.found_proofs.data(),
                 contents.found_proofs.size_bytes());
  copy.to_device(d_records.data(), contents.records.data(), contents.records.size_bytes());
  copy.to_device(d_metadata.data(), contents.metadata.data(), contents.metadata.size_bytes());
  uploaded.record(stream);
  assembly.enqueue({.n_pieces = n,
                    .d_found_proofs = d_found_proofs.data(),
                    .d_records = d_records.data(),
                    .d_metadata = d_metadata.data(),
                    .d_sector = d_sector.data(),
                    .d_s_bucket_sizes = d_s_bucket_sizes.data()});
  assembled.record(stream);
  copy.to_host(sector.data(), d_sector.data(), sector.size());
  const std::chrono::duration<double> elapsed = Clock::now() - start;
  return elapsed.count() - static_cast<double>(milliseconds_between(uploaded, assembled)) / 1000;
}

}  // namespace furrow::cuda
