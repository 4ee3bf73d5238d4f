// SPDX-License-Identifier: Apache-2.0
#include "host/store/piece_pack_writer.hpp"

#include <algorithm>
#include <cstddef>
#include <system_error>
#include <utility>
#include <vector>

#include "furrow/errors.hpp"

#include "host/base/counted.hpp"
#include "host/store/piece_pack.hpp"

namespace furrow {
namespace {

/// Headers of one write of the table.
constexpr std::size_t kHeadersAtOnce = 8192;

std::filesystem::path directory_of(const std::filesystem::path& file) {
  return file.has_parent_path() ? file.parent_path() : ".";
}

/// Locked before anything else is done: only who has the lock may cut or remove the file.
File locked(File file) {
  if (!file.try_lock()) {
    throw PackInUse(file.path());
  }
  return file;
}

/// Frames of a pack that somebody finished, whatever happened to it since; none without a trailer.
std::optional<std::uint64_t> n_frames_by_trailer(const File& file) {
  const std::uint64_t size = file.size();
  if (size < kPackHeaderSize + kPackTrailerSize) {
    return std::nullopt;
  }
  PackTrailer trailer{};
  file.read_at(size - kPackTrailerSize, mutable_bytes_of(trailer));
  return trailer.has_magic() ? std::optional(trailer.n_frames.value()) : std::nullopt;
}

bool is_finished(const std::filesystem::path& file) {
  try {
    PiecePack::open(file);
    return true;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kCorrupt) {
      throw;
    }
    return false;
  }
}

/// A crash while the header was written leaves the beginning of one.
bool is_torn_header(const File& file) {
  std::vector<std::uint8_t> bytes(std::min(file.size(), kPackHeaderSize));
  file.read_at(0, bytes);
  const PackHeader header = PackHeader::make();
  return bytes.size() < kPackHeaderSize &&
         std::equal(bytes.begin(), bytes.end(), bytes_of(header).begin());
}

}  // namespace

PackInUse::PackInUse(const std::filesystem::path& file)
    : Error(ErrorKind::kUnavailable, "'" + file.native() + "': another writer has the pack",
            {.path = file.native()}) {}

PackIsFinished::PackIsFinished(const std::filesystem::path& file)
    : Error(ErrorKind::kInvalidArgument,
            "'" + file.native() + "': the pack is finished, nothing can be appended",
            {.path = file.native()}) {}

PackKeyConflict::PackKeyConflict(const PackEntry& present, const PackedChunk& chunk)
    : Error(ErrorKind::kMismatch,
            "chunk " + std::to_string(chunk.key) + " of " + std::to_string(chunk.original_size) +
                " bytes: the pack has other bytes under this key, in the " + describe(present),
            {.expected = describe(present),
             .actual = std::to_string(chunk.original_size) + " other bytes"}) {}

std::string PackRecovery::message() const {
  std::string text = "'" + file.native() + "': kept " + counted(frames_kept, "frame") + ", cut " +
                     std::to_string(bytes_cut) + " bytes behind them";
  return reason ? text + " (" + *reason + ")" : text;
}

std::unique_ptr<PiecePackWriter> PiecePackWriter::create(const std::filesystem::path& file) {
  std::unique_ptr<PiecePackWriter> writer(
      new PiecePackWriter(locked(File::create_new(file)), std::nullopt));
  writer->write_header();
  return writer;
}

PiecePackWriter::Reopened PiecePackWriter::reopen(const std::filesystem::path& file) {
  static_cast<void>(File::open_read(file));  // an absent file is not to be created
  File opened = locked(File::open_or_create(file));
  const std::uint64_t size = opened.size();
  std::unique_ptr<PiecePackWriter> writer(new PiecePackWriter(std::move(opened), size));
  PackRecovery recovery;
  if (is_torn_header(writer->file_)) {
    recovery.bytes_cut = size;
    if (size > 0) {
      recovery.reason = "the header is not whole";
    }
    writer->write_header();
    writer->restored_size_ = kPackHeaderSize;
  } else {
    check_pack_header(writer->file_);
    if (is_finished(file)) {
      throw PackIsFinished(file);
    }
    recovery = writer->recover();
  }
  recovery.file = file;
  return {std::move(writer), std::move(recovery)};
}

PiecePackWriter::PiecePackWriter(File file, std::optional<std::uint64_t> restored_size)
    : file_(std::move(file)), restored_size_(restored_size) {}

PiecePackWriter::~PiecePackWriter() {
  if (is_finished_) {
    return;
  }
  // Whatever fails here, the file is an unfinished pack and known as such.
  try {
    if (!restored_size_) {
      std::error_code ignored;
      std::filesystem::remove(file_.path(), ignored);
    } else if (file_.size() != *restored_size_) {
      file_.resize(*restored_size_);
    }
  } catch (...) {  // NOLINT(bugprone-empty-catch): see above
  }
}

void PiecePackWriter::write_header() const {
  file_.write_at(0, bytes_of(PackHeader::make()));
  file_.sync();
  sync_directory(directory_of(file_.path()));
}

PackRecovery PiecePackWriter::recover() {
  const FrameScan scan = scan_frames(file_, table_);
  PackRecovery recovery;
  recovery.frames_kept = table_.entries().size();
  const std::optional<std::uint64_t> n_frames = n_frames_by_trailer(file_);
  if (scan.damage && n_frames && *n_frames != recovery.frames_kept) {
    throw DamagedPack(file_.path(), "the pack was finished, it is not cut: " + *scan.damage);
  }
  recovery.bytes_cut = file_.size() - scan.end;
  if (recovery.bytes_cut > 0) {
    recovery.reason = scan.at_table ? "the end of the pack is not whole" : *scan.damage;
    restored_size_ = scan.end;
    file_.resize(scan.end);
    file_.sync();
  }
  end_ = scan.end;
  return recovery;
}

AppendOutcome PiecePackWriter::append(const PackedChunk& chunk) {
  require_usable();
  const PackEntry* const known = table_.find_stored(chunk.hash);
  if (chunk.codec == PackCodec::kReference || chunk.original_size > kMaxPackChunkSize ||
      !sizes_fit(chunk.codec, chunk.original_size, chunk.stored.size()) ||
      (known != nullptr && known->header.original_size.value() != chunk.original_size)) {
    throw InvalidArgument("chunk " + std::to_string(chunk.key) + ": " +
                          std::to_string(chunk.original_size) + " bytes cannot be stored as " +
                          std::to_string(chunk.stored.size()) + " bytes with codec " +
                          name_of(chunk.codec));
  }
  if (const PackEntry* const present = table_.find(chunk.key)) {
    if (present->header.hash != chunk.hash) {
      throw PackKeyConflict(*present, chunk);
    }
    return AppendOutcome::kPresent;
  }
  const bool is_known = known != nullptr;
  const std::span<const std::uint8_t> stored =
      is_known ? std::span<const std::uint8_t>() : chunk.stored;
  write_frame(PackFrameHeader::make(chunk.key, is_known ? PackCodec::kReference : chunk.codec,
                                    chunk.original_size, chunk.hash, stored),
              stored);
  return is_known ? AppendOutcome::kReferenced : AppendOutcome::kStored;
}

void PiecePackWriter::write_frame(const PackFrameHeader& header,
                                  std::span<const std::uint8_t> stored) {
  const PackEntry entry{header, end_};
  is_usable_ = false;
  file_.write_at(entry.offset, bytes_of(entry.header));
  file_.write_at(entry.stored_offset(), stored);
  table_.add(file_.path(), entry);  // after the write: only what is stored may be referred to
  end_ = entry.end();
  is_usable_ = true;
}

PackStatistics PiecePackWriter::finish() {
  require_usable();
  is_usable_ = false;
  file_.sync();  // a table is never durable before the frames that it describes
  write_table();
  file_.sync();
  sync_directory(directory_of(file_.path()));
  is_finished_ = true;
  return statistics();
}

void PiecePackWriter::write_table() const {
  std::uint64_t offset = end_;
  std::vector<std::uint8_t> block(kPackTableMagic.begin(), kPackTableMagic.end());
  const auto flush = [&] {
    file_.write_at(offset, block);
    offset += block.size();
    block.clear();
  };
  const auto put = [&](std::span<const std::uint8_t> bytes) {
    block.insert(block.end(), bytes.begin(), bytes.end());
    if (block.size() >= kHeadersAtOnce * kPackFrameHeaderSize) {
      flush();
    }
  };
  for (const PackEntry& entry : table_.entries()) {
    put(bytes_of(entry.header));
  }
  put(bytes_of(PackTrailer::make(table_.entries())));
  flush();
}

void PiecePackWriter::require_usable() const {
  if (!is_usable_) {
    throw InvalidArgument("'" + file_.path().native() + "': " +
                          (is_finished_ ? "the pack is finished" : "writing the pack has failed"));
  }
}

}  // namespace furrow
