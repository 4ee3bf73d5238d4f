// SPDX-License-Identifier: Apache-2.0
// Writes a piece pack: many chunks in one file, compressed, each content once (docs/spec/08, part
// 1; docs/formats/piece-pack.md). All integers are little-endian, all hashes BLAKE3.
//
//   +--------+-------+-------+-----+-------------+-------+---------+
//   | header | frame | frame | ... | "FRWTABLE"  | table | trailer |
//   +--------+-------+-------+-----+-------------+-------+---------+
//                                  '---- only in a finished pack ---'
//
//   header   0  "FRWPACK\n"            frame    0  "FRME"
//            8  u32 version, 1                 4  u8 codec: 0 raw, 1 zstd, 2 reference
//           12  u32 zero                       5  3 zeros
//           16  first 16 bytes of the          8  u64 key
//               hash of the bytes before      16  u32 stored size; 0 for a reference
//           32                                20  u32 original size
//                                             24  hash of the original bytes
//   trailer  0  u64 number of frames          56  hash of bytes 0 to 55 of the frame
//            8  hash of the table and of          and of the stored bytes
//               the number of frames          88  stored bytes
//           40  "FRWPKEND"
//           48                         table     bytes 0 to 87 of each frame, in order
//
// A reference stands for the chunk with the same hash in a frame before it. Where a frame is
// follows from the sizes of those before it. The table repeats what the frames say, so that nothing
// is lost with it, and a pack without it is what a crash leaves: its frames are read one by one up
// to the first that is not whole.
//
// Order of writing: header, sync, sync of the directory; frames; sync; table and trailer; sync,
// sync of the directory. Only then is the pack said to be finished.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "host/base/file.hpp"
#include "host/store/pack_pipeline.hpp"
#include "host/store/pack_table.hpp"

namespace furrow {

/// Another writer has the pack.
class PackInUse : public Error {
 public:
  explicit PackInUse(const std::filesystem::path& file);
};

/// The pack is finished, and a finished pack does not change any more.
class PackIsFinished : public Error {
 public:
  explicit PackIsFinished(const std::filesystem::path& file);
};

/// The pack has a chunk of this key already, with other bytes.
class PackKeyConflict : public Error {
 public:
  PackKeyConflict(const PackEntry& present, const PackedChunk& chunk);
};

/// What became of a chunk.
enum class AppendOutcome {
  kStored,      ///< its bytes were written
  kReferenced,  ///< its bytes are there under another key; a reference was written
  kPresent,     ///< key and bytes are there; nothing was written
};

/// What was found when an unfinished pack was opened again.
struct PackRecovery {
  std::filesystem::path file;
  std::uint64_t frames_kept = 0;
  std::uint64_t bytes_cut = 0;        ///< behind the last whole frame
  std::optional<std::string> reason;  ///< why they are no frame; none when nothing was cut

  /// One line for the user.
  [[nodiscard]] std::string message() const;
};

/// Appends chunks to a pack and finishes it. Holds the lock of the file. Thread-compatible: it is
/// the single stage behind pack_chunks.
///
/// All or nothing: a writer that is destroyed before finish() has returned leaves what was there
/// before it, which is no file after create(), and the frames that were kept after reopen(). After
/// an error of a system call only destroying it is left.
class PiecePackWriter {
 public:
  struct Reopened {
    std::unique_ptr<PiecePackWriter> writer;
    PackRecovery recovery;
  };

  /// Begins a pack in a new file. Throws IoError, also when there is a file already.
  static std::unique_ptr<PiecePackWriter> create(const std::filesystem::path& file);
  /// Goes on with a pack that was not finished, after a crash: cuts off what is behind its last
  /// whole frame. The end of a finished pack that is damaged is cut, too, and can be written again.
  /// Throws PackIsFinished, PackInUse, NotAPiecePack, UnsupportedPackVersion, IoError; and
  /// DamagedPack, cutting nothing, for a pack that was finished and has a damaged frame.
  static Reopened reopen(const std::filesystem::path& file);

  PiecePackWriter(const PiecePackWriter&) = delete;
  PiecePackWriter& operator=(const PiecePackWriter&) = delete;
  ~PiecePackWriter();

  /// Finds out whether the bytes are known and writes what is new (P8). Throws PackKeyConflict and,
  /// for sizes that do not fit, InvalidArgument, with the pack unchanged; IoError.
  AppendOutcome append(const PackedChunk& chunk);
  /// Writes the table; on return the pack is durable under its name. No call may follow.
  PackStatistics finish();

  [[nodiscard]] const PackStatistics& statistics() const { return table_.statistics(); }
  /// The frames so far, and those of the whole pack when it is finished.
  [[nodiscard]] const PackTable& table() const { return table_; }

 private:
  PiecePackWriter(File file, std::optional<std::uint64_t> restored_size);
  void write_header() const;
  PackRecovery recover();
  void write_frame(const PackFrameHeader& header, std::span<const std::uint8_t> stored);
  void write_table() const;
  void require_usable() const;

  File file_;
  PackTable table_;
  std::uint64_t end_ = kPackHeaderSize;  ///< of the frames
  /// What the destructor brings the file back to; none: it is removed.
  std::optional<std::uint64_t> restored_size_;
  bool is_usable_ = true;  ///< false after a failure, and at the end
  bool is_finished_ = false;
};

}  // namespace furrow
