// StorePieceGetter over sound and damaged stores.
#include <cstring>
#include <random>

#include <gtest/gtest.h>

#include "host/archive/store_layout.hpp"
#include "host/pieces/segment_download.hpp"
#include "host/pieces/store_piece_getter.hpp"
#include "host/store/file.hpp"
#include "tests/unit/archive_tree.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;
using test::example_store;

fs::path segment_file() {
  return example_store().store / segment_file_name(SegmentIndex(0));
}

PieceAnswer get(PieceGetter& getter, std::uint64_t index) {
  PieceAnswer result;
  int calls = 0;
  const PieceIndex wanted(index);
  getter.get_pieces({&wanted, 1},
                    [&](PieceIndex answered, PieceAnswer answer) {
                      EXPECT_EQ(answered, wanted);
                      result = std::move(answer);
                      ++calls;
                    },
                    {});
  EXPECT_EQ(calls, 1);
  return result;
}

template <class ErrorType>
void expect_failed(const PieceAnswer& answer, const std::string& named) {
  EXPECT_EQ(answer.piece, nullptr);
  ASSERT_TRUE(answer.error) << "not found instead of failed";
  try {
    std::rethrow_exception(answer.error);
  } catch (const ErrorType& error) {
    EXPECT_NE(std::string(error.what()).find(named), std::string::npos) << error.what();
  } catch (const std::exception& error) {
    ADD_FAILURE() << "another type: " << error.what();
  }
}

bool is_not_found(const PieceAnswer& answer) {
  return !answer.piece && !answer.error;
}

/// Changes bytes of the segment file until the end of the scope.
class Damage {
 public:
  Damage(std::uint64_t offset, std::span<const std::uint8_t> bytes) : offset_(offset) {
    const File file = File::open_or_create(segment_file());
    before_.resize(bytes.size());
    file.read_at(offset, before_);
    file.write_at(offset, bytes);
  }
  ~Damage() { File::open_or_create(segment_file()).write_at(offset_, before_); }
  Damage(const Damage&) = delete;
  Damage& operator=(const Damage&) = delete;

 private:
  std::uint64_t offset_;
  std::vector<std::uint8_t> before_;
};

std::vector<std::uint8_t> read(std::uint64_t offset, std::size_t size) {
  std::vector<std::uint8_t> bytes(size);
  File::open_read(segment_file()).read_at(offset, bytes);
  return bytes;
}

TEST(StorePieceGetter, GivesEveryPieceAndNoOther) {
  StorePieceGetter getter(example_store().store);
  std::vector<PieceIndex> indices;
  for (std::uint64_t i = 0; i < kNumPieces; ++i) {
    indices.emplace_back(kNumPieces - 1 - i);
  }
  std::size_t n_found = 0;
  getter.get_pieces(indices,
                    [&](PieceIndex index, PieceAnswer answer) {
                      ASSERT_NE(answer.piece, nullptr);
                      const auto stored = read(element_offset(position_of(index)) + 8, kPieceSize);
                      EXPECT_EQ(std::memcmp(answer.piece.get(), stored.data(), kPieceSize), 0);
                      ++n_found;
                    },
                    {});
  EXPECT_EQ(n_found, kNumPieces);
  for (const std::uint64_t beyond : {std::uint64_t{kNumPieces}, UINT64_MAX}) {
    EXPECT_TRUE(is_not_found(get(getter, beyond))) << beyond;
  }
  EXPECT_TRUE(getter.check_files().empty());
}

TEST(StorePieceGetter, StopEndsABatch) {
  StorePieceGetter getter(example_store().store);
  const std::vector<PieceIndex> indices = {PieceIndex(1), PieceIndex(2), PieceIndex(3)};
  std::stop_source stop;
  int calls = 0;
  getter.get_pieces(
      indices,
      [&](PieceIndex, PieceAnswer) {
        ++calls;
        stop.request_stop();
      },
      stop.get_token());
  EXPECT_EQ(calls, 1);
}

// A byte in each region of the element: index, each field of the header, record, checksum.
TEST(StorePieceGetter, FlippedBytesOfAnElementAreNoticedAndThePieceRecovered) {
  StorePieceGetter getter(example_store().store);
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::vector<std::size_t> places = {0,
                                     7,
                                     8,
                                     8 + 4,
                                     8 + 12,
                                     8 + 20,
                                     8 + 24,
                                     8 + 56,
                                     8 + 695,
                                     704,
                                     736,
                                     992,
                                     8 + kPieceSize - 1,
                                     8 + kPieceSize,
                                     kPieceElementSize - 1};
  for (int i = 0; i < 20; ++i) {
    places.push_back(random() % kPieceElementSize);
  }
  const std::uint64_t element = element_offset(PiecePosition(201));
  for (const std::size_t place : places) {
    std::vector<std::uint8_t> byte = read(element + place, 1);
    byte[0] ^= static_cast<std::uint8_t>(1U << (random() % 8));
    const Damage damage(element + place, byte);
    expect_failed<ChecksumMismatch>(get(getter, 201), "piece 201 (segment 0, position 201)");
    EXPECT_TRUE(get(getter, 200).piece && get(getter, 202).piece) << "byte " << place;
  }
  const Piece sound = *get(getter, 201).piece;
  std::vector<std::uint8_t> byte = read(element + 5000, 1);
  byte[0] ^= 1;
  const Damage damage(element + 5000, byte);
  const PiecePtr recovered = recover_missing_piece(
      getter, ErasureCoding(), PieceIndex(201), getter.manifest().segment_identity(SegmentIndex(0)),
      {}, {1, std::chrono::milliseconds(1)}, test::kTwoThreads);
  ASSERT_NE(recovered, nullptr);
  EXPECT_EQ(std::memcmp(recovered.get(), &sound, sizeof(Piece)), 0);
}

TEST(StorePieceGetter, ElementsInTheWrongPlaceAreNoticed) {
  StorePieceGetter getter(example_store().store);
  const Damage damage(element_offset(PiecePosition(9)),
                      read(element_offset(PiecePosition(10)), kPieceElementSize));
  expect_failed<WrongElementIndex>(get(getter, 9), "actual piece index 10");
}

/// The element at position 9 with a change and a checksum that fits it.
template <class Change>
std::vector<std::uint8_t> resealed(Change change) {
  const auto bytes = read(element_offset(PiecePosition(9)), kPieceElementSize);
  auto element = std::make_unique<PieceElement>();
  std::memcpy(element.get(), bytes.data(), bytes.size());
  change(*element);
  element->seal();
  const auto changed = bytes_of(*element);
  return {changed.begin(), changed.end()};
}

TEST(StorePieceGetter, ForgedElementsWithGoodChecksumsAreNoticed) {
  StorePieceGetter getter(example_store().store);
  const std::uint64_t element = element_offset(PiecePosition(9));
  {
    const Damage damage(element,
                        resealed([](PieceElement& e) { e.piece.record[7].bytes[0] ^= 1; }));
    expect_failed<InvalidRecordProof>(get(getter, 9), "position 9");
  }
  {
    const Damage damage(element,
                        resealed([](PieceElement& e) { e.piece.header.super_segment_index = 1; }));
    expect_failed<MisplacedPiece>(get(getter, 9), "super segment index");
  }
  {
    const Damage damage(
        element, resealed([](PieceElement& e) { e.piece.header.segment_proof[0].bytes[0] = 1; }));
    expect_failed<InvalidSegmentProof>(get(getter, 9), "position 9");
  }
  EXPECT_NE(get(getter, 9).piece, nullptr);
}

TEST(StorePieceGetter, CutAndMissingFilesAreNoticed) {
  StorePieceGetter getter(example_store().store);
  const fs::path path = segment_file();
  const fs::path copy = path.native() + ".kept";
  fs::copy_file(path, copy);
  const std::uint64_t third_end = 3 * kPieceElementSize;
  for (const std::uint64_t size :
       {third_end, third_end - 1, 2 * kPieceElementSize + 1, std::uint64_t{1}, std::uint64_t{0}}) {
    fs::resize_file(path, size);
    for (std::uint64_t i = 0; i < 5; ++i) {
      if ((i + 1) * kPieceElementSize <= size) {
        EXPECT_NE(get(getter, i).piece, nullptr) << "piece " << i << " of " << size << " bytes";
      } else {
        expect_failed<InvalidBytesLength>(get(getter, i), path.native());
      }
    }
    ASSERT_EQ(getter.check_files().size(), 1U);
    EXPECT_NE(getter.check_files()[0].message.find(path.native()), std::string::npos);
  }
  fs::remove(path);
  EXPECT_TRUE(is_not_found(get(getter, 3)));
  EXPECT_EQ(getter.check_files().size(), 1U);

  fs::create_directory(path);  // something that cannot be read
  expect_failed<Error>(get(getter, 3), path.native());
  fs::remove(path);
  fs::rename(copy, path);
  EXPECT_NE(get(getter, 3).piece, nullptr);

  fs::resize_file(path, kSegmentFileSize + 1);
  EXPECT_NE(get(getter, 255).piece, nullptr);
  EXPECT_EQ(getter.check_files().size(), 1U);
  fs::resize_file(path, kSegmentFileSize);
  EXPECT_TRUE(getter.check_files().empty());
}

TEST(StorePieceGetter, NeedsAManifest) {
  const test::TemporaryDirectory directory;
  EXPECT_THROW(StorePieceGetter(directory.path()), IoError);
  test::write_file(directory.path() / kManifestFileName, "{}");
  EXPECT_THROW(StorePieceGetter(directory.path()), InvalidManifest);
}

}  // namespace
}  // namespace furrow
