// SPDX-License-Identifier: Apache-2.0
#include "host/store/pack_check.hpp"

#include <optional>
#include <utility>

#include "host/store/pack_frames.hpp"
#include "host/store/piece_pack.hpp"

namespace furrow {
namespace {

class PackCheck {
 public:
  PackCheck(const std::filesystem::path& file, const PackProgressSink& progress,
            const std::stop_token& stop)
      : file_(File::open_read(file)), progress_(progress), stop_(stop) {}

  PackReport run() {
    check_pack_header(file_);
    std::optional<PiecePack> pack;
    try {
      pack = PiecePack::open(file_.path());
    } catch (const Error& error) {
      report_.broken.push_back({"end of the pack", error.what()});
    }
    if (pack) {
      check_frames_of(*pack);
    } else {
      check_frames_in_order();
    }
    return std::move(report_);
  }

 private:
  void check_frames_of(const PiecePack& pack) {
    report_.is_finished = true;
    report_.statistics = pack.statistics();
    for (const PackEntry& entry : pack.table().entries()) {
      if (stop_.stop_requested()) {
        report_.stopped = true;
        return;
      }
      check(entry, [&] { pack.verify(entry); });
    }
  }

  void check_frames_in_order() {
    PackTable table;
    try {
      const FrameScan scan = scan_frames(
          file_, table, stop_, [&](const PackEntry& entry, std::span<const std::uint8_t> stored) {
            check(entry, [&] {
              if (entry.header.codec() != PackCodec::kReference) {
                std::vector<std::uint8_t> bytes(entry.header.original_size.value());
                unpack_chunk(file_.path(), entry, stored, bytes);
              }
            });
          });
      report_.stopped = scan.stopped;
      if (scan.damage) {
        report_.broken.push_back({"bytes from " + std::to_string(scan.end) + " on", *scan.damage});
      }
    } catch (const IoError& error) {
      report_.broken.push_back({"frames", error.what()});
    }
    report_.statistics = table.statistics();
  }

  template <class Check>
  void check(const PackEntry& entry, Check check_contents) {
    try {
      check_contents();
      ++report_.intact_frames;
    } catch (const Error& error) {
      report_.broken.push_back({describe(entry), error.what()});
    }
    report_.bytes_read += entry.end() - entry.offset;
    if (progress_) {
      progress_({report_.bytes_read, file_.size()});
    }
  }

  File file_;
  const PackProgressSink& progress_;
  std::stop_token stop_;
  PackReport report_;
};

}  // namespace

PackReport verify_pack(const std::filesystem::path& file, const PackProgressSink& progress,
                       const std::stop_token& stop) {
  return PackCheck(file, progress, stop).run();
}

}  // namespace furrow
