// SPDX-License-Identifier: Apache-2.0
// Arbitrary bytes as a pack file (docs/formats/piece-pack.md). The first byte says whether they are
// taken as they are or sealed before: checksums are made right, so that the rules behind them are
// reached.
//
// Whatever the bytes are: errors are derived from Error, a chunk that is read has the hash of its
// frame, what verify_pack calls whole can be read, by its place alone, too, and a pack that is
// reopened keeps its whole frames and can be finished.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <unistd.h>

#include "host/crypto/blake3.hpp"
#include "host/store/pack_check.hpp"
#include "host/store/pack_frames.hpp"
#include "host/store/piece_pack.hpp"
#include "host/store/piece_pack_writer.hpp"

namespace {

using namespace furrow;

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

template <class T>
T load(std::span<const std::uint8_t> bytes, std::size_t offset) {
  T object;
  std::memcpy(&object, bytes.data() + offset, sizeof(T));
  return object;
}

template <class T>
void store(std::span<std::uint8_t> bytes, std::size_t offset, const T& object) {
  std::memcpy(bytes.data() + offset, &object, sizeof(T));
}

/// Rights the checksums of everything that looks like a frame, one after the other; returns where
/// that ends.
std::size_t seal_frames(std::span<std::uint8_t> bytes) {
  std::size_t offset = kPackHeaderSize;
  while (bytes.size() - offset >= kPackFrameHeaderSize) {
    auto header = load<PackFrameHeader>(bytes, offset);
    const std::size_t room = bytes.size() - offset - kPackFrameHeaderSize;
    if (!header.has_tag() || header.stored_size.value() > room) {
      break;
    }
    const auto stored = bytes.subspan(offset + kPackFrameHeaderSize, header.stored_size.value());
    if (header.codec_byte == 0) {
      header.hash = blake3(stored);
    }
    header.checksum = header.checksum_with(stored);
    store(bytes, offset, header);
    offset += kPackFrameHeaderSize + stored.size();
  }
  return offset;
}

/// Rights header and frames; a table and a trailer behind them are made anew.
void seal(std::vector<std::uint8_t>& bytes) {
  if (bytes.size() < kPackHeaderSize) {
    return;
  }
  store(bytes, 0, PackHeader::make());
  const std::size_t end = seal_frames(bytes);
  const std::size_t rest = bytes.size() - end;
  if (rest < kPackTableMagic.size() ||
      !std::equal(kPackTableMagic.begin(), kPackTableMagic.end(),
                  bytes.begin() + static_cast<std::ptrdiff_t>(end))) {
    return;
  }
  bytes.resize(end + kPackTableMagic.size());
  std::vector<PackEntry> entries;
  for (std::size_t offset = kPackHeaderSize; offset < end; offset = entries.back().end()) {
    entries.push_back({load<PackFrameHeader>(bytes, offset), offset});
    const auto header = bytes_of(entries.back().header);
    bytes.insert(bytes.end(), header.begin(), header.end());
  }
  const PackTrailer trailer = PackTrailer::make(entries);
  bytes.insert(bytes.end(), bytes_of(trailer).begin(), bytes_of(trailer).end());
}

/// Whole chunks of a finished pack, as its reader sees them; none when it does not open.
bool read_everything(const std::filesystem::path& file, std::uint64_t& n_read) {
  try {
    const PiecePack pack = PiecePack::open(file);
    for (const PackEntry& entry : pack.table().entries()) {
      try {
        pack.verify(entry);
        const std::vector<std::uint8_t> bytes = pack.read(entry.header.key.value());
        require(blake3(bytes) == entry.header.hash);
        require(bytes.size() == entry.header.original_size.value());
        ++n_read;
      } catch (const Error& error) {
        require(error.kind() == ErrorKind::kCorrupt);
      }
    }
    return true;
  } catch (const Error&) {
    return false;
  }
}

/// Takes every byte for the beginning of a frame; returns how many are one.
std::uint64_t read_frames_anywhere(const std::filesystem::path& file, std::uint64_t size) {
  const PackFrames frames = PackFrames::open(file);
  std::uint64_t n_read = 0;
  for (std::uint64_t offset = 0; offset <= size + 1; ++offset) {
    try {
      const PackEntry entry = frames.frame_at(offset);
      std::vector<std::uint8_t> bytes(entry.header.original_size.value());
      frames.read(entry, bytes);
      require(blake3(bytes) == entry.header.hash);
      ++n_read;
    } catch (const Error& error) {
      require(error.kind() == ErrorKind::kCorrupt);
    }
  }
  return n_read;
}

void reopen_and_finish(const std::filesystem::path& file) {
  const std::uint64_t size = std::filesystem::file_size(file);
  std::uint64_t n_frames = 0;
  try {
    const auto [writer, recovery] = PiecePackWriter::reopen(file);
    require(recovery.bytes_cut <= size);
    n_frames = recovery.frames_kept;
    require(writer->statistics().chunks == n_frames);
    writer->finish();
  } catch (const Error&) {
    require(std::filesystem::file_size(file) == size);
    return;
  }
  require(PiecePack::open(file).statistics().chunks == n_frames);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::filesystem::path file =
      std::filesystem::temp_directory_path() /
      ("furrow-piece-pack-fuzz-" + std::to_string(::getpid()));
  if (size == 0) {
    return 0;
  }
  std::vector<std::uint8_t> bytes(data + 1, data + size);
  if ((data[0] & 1) != 0) {
    seal(bytes);
  }
  std::filesystem::remove(file);
  File::create_new(file).write_at(0, bytes);

  std::uint64_t n_read = 0;
  const bool opens = read_everything(file, n_read);
  try {
    const PackReport report = verify_pack(file);
    require(report.is_finished == opens);
    require(!opens || report.intact_frames >= n_read);
    require(read_frames_anywhere(file, bytes.size()) >=
            report.intact_frames - std::min(report.intact_frames, report.statistics.references));
    require(report.broken.empty() == (opens && n_read == report.statistics.chunks));
  } catch (const Error&) {
    require(!opens);
  }
  reopen_and_finish(file);
  std::filesystem::remove(file);
  return 0;
}
