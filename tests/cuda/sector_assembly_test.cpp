// SPDX-License-Identifier: Apache-2.0
// Sectors assembled on the device against the host's, byte for byte
// (docs/spec/03-record-encoding-and-sector.md, sections 3 and 4).
#include "cuda/sector_assembly.hpp"

#include <algorithm>
#include <numeric>

#include "furrow/errors.hpp"

#include "cuda/kernels/sector_layout.cuh"
#include "host/sector/contents_map.hpp"
#include "host/sector/sector_writer.hpp"
#include "tests/cuda/cuda_test.hpp"
#include "tests/reference/blake3_reference.hpp"
#include "tests/reference/sector_reference.hpp"

namespace furrow::cuda {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint8_t kGuard = 0x5A;

/// What a sector is made of, in host memory.
struct Parts {
  std::vector<FoundProofs> found_proofs;
  std::vector<Record> records;
  std::vector<RecordMetadata> metadata;

  [[nodiscard]] std::uint16_t n_pieces() const {
    return static_cast<std::uint16_t>(found_proofs.size());
  }
};

/// A random bitmap with `n_bits` of its bits set.
FoundProofs random_bitmap(std::size_t n_bits, std::mt19937_64& random) {
  std::vector<std::uint32_t> s_buckets(kNumSBuckets);
  std::iota(s_buckets.begin(), s_buckets.end(), 0U);
  std::shuffle(s_buckets.begin(), s_buckets.end(), random);
  FoundProofs bitmap;
  for (std::size_t i = 0; i < n_bits; ++i) {
    bitmap.bytes[s_buckets[i] / 8] =
        static_cast<std::uint8_t>(bitmap.bytes[s_buckets[i] / 8] | 1U << s_buckets[i] % 8);
  }
  return bitmap;
}

template <class T>
void fill(T& object, std::mt19937_64& random) {
  for (std::uint8_t& byte : mutable_bytes_of(object)) {
    byte = static_cast<std::uint8_t>(random());
  }
}

/// Records of 32768 proofs each, but for those whose numbers are given.
Parts random_parts(std::size_t n_pieces, std::uint64_t seed,
                   const std::vector<std::size_t>& n_proofs = {}) {
  std::mt19937_64 random(seed);
  Parts parts;
  parts.found_proofs.resize(n_pieces);
  parts.records.resize(n_pieces);
  parts.metadata.resize(n_pieces);
  for (std::size_t p = 0; p < n_pieces; ++p) {
    const std::size_t n_bits = p < n_proofs.size() ? n_proofs[p] : kNumChunks;
    parts.found_proofs[p] = random_bitmap(n_bits, random);
    fill(parts.records[p], random);
    fill(parts.metadata[p], random);
  }
  return parts;
}

struct Sector {
  Bytes bytes;
  std::vector<std::uint16_t> s_bucket_sizes;
  bool operator==(const Sector&) const = default;
};

Sector assemble_on_host(const Parts& parts) {
  SectorContentsMap map(parts.n_pieces());
  std::copy(parts.found_proofs.begin(), parts.found_proofs.end(), map.bitmaps().begin());
  Sector sector{Bytes(sector_size(parts.n_pieces())), map.s_bucket_sizes()};
  assemble_sector(map, parts.records, parts.metadata, sector.bytes);
  return sector;
}

template <class T>
DeviceBuffer<T> put(StreamView stream, const std::vector<T>& values) {
  return to_device<T>(stream, values);
}

/// Parts in device memory, and room for their sector with a guard behind it.
class OnDevice {
 public:
  OnDevice(StreamView stream, const Parts& parts)
      : stream_(stream),
        n_pieces_(parts.n_pieces()),
        found_proofs_(put(stream, parts.found_proofs)),
        records_(put(stream, parts.records)),
        metadata_(put(stream, parts.metadata)),
        sector_(bytes_to_device(stream, Bytes(sector_size(n_pieces_) + kHashSize, kGuard))),
        sizes_(put(stream, std::vector<std::uint16_t>(kNumSBuckets, kGuard))) {}

  [[nodiscard]] SectorParts parts() const {
    return {.n_pieces = n_pieces_,
            .d_found_proofs = found_proofs_.data(),
            .d_records = records_.data(),
            .d_metadata = metadata_.data(),
            .d_sector = sector_.data(),
            .d_s_bucket_sizes = sizes_.data()};
  }
  [[nodiscard]] Sector read() const {
    Sector sector{to_host(stream_, sector_.data(), sector_.size()),
                  to_host(stream_, sizes_.data(), sizes_.size())};
    const auto end = sector.bytes.end() - kHashSize;
    EXPECT_TRUE(
        std::all_of(end, sector.bytes.end(), [](std::uint8_t byte) { return byte == kGuard; }));
    sector.bytes.erase(end, sector.bytes.end());
    return sector;
  }

 private:
  StreamView stream_;
  std::uint16_t n_pieces_;
  DeviceBuffer<FoundProofs> found_proofs_;
  DeviceBuffer<Record> records_;
  DeviceBuffer<RecordMetadata> metadata_;
  DeviceBuffer<std::uint8_t> sector_;
  DeviceBuffer<std::uint16_t> sizes_;
};

Sector assemble_on_device(const Parts& parts, std::uint16_t max_pieces) {
  const Stream stream(0);
  SectorAssembly assembly(stream, max_pieces);
  const OnDevice on_device(stream, parts);
  assembly.enqueue(on_device.parts());
  return on_device.read();
}

/// A comparison whose failure does not print a megabyte.
void expect_same(const Sector& actual, const Sector& expected) {
  EXPECT_EQ(actual.s_bucket_sizes, expected.s_bucket_sizes);
  ASSERT_EQ(actual.bytes.size(), expected.bytes.size());
  const auto difference =
      std::mismatch(actual.bytes.begin(), actual.bytes.end(), expected.bytes.begin()).first;
  EXPECT_TRUE(difference == actual.bytes.end())
      << "first difference at byte " << difference - actual.bytes.begin();
}

TEST(CudaSectorAssembly, NumbersOfPiecesAroundGroups) {
  const RandomSeed seed;
  for (const std::size_t n_pieces : {1U, 2U, 31U, 32U, 33U}) {
    SCOPED_TRACE(std::to_string(n_pieces) + " pieces");
    const Parts parts = random_parts(n_pieces, seed.value());
    expect_same(assemble_on_device(parts, 40), assemble_on_host(parts));
  }
}

TEST(CudaSectorAssembly, EverySchedule) {
  const RandomSeed seed;
  const Parts parts = random_parts(3, seed.value());
  const Sector expected = assemble_on_host(parts);
  for_each_schedule([&] { expect_same(assemble_on_device(parts, 3), expected); });
}

// What the specification says about records with too few proofs: bits and chunks for those found,
// zeros at the end of the region.
TEST(CudaSectorAssembly, TooFewProofs) {
  const RandomSeed seed;
  for (const std::vector<std::size_t>& n_proofs : {std::vector<std::size_t>{0},
                                                   {kNumChunks - 1},
                                                   {0, 1, 20'000},
                                                   {kNumChunks, 0, kNumChunks}}) {
    const Parts parts = random_parts(n_proofs.size(), seed.value(), n_proofs);
    expect_same(assemble_on_device(parts, 3), assemble_on_host(parts));
  }
}

// Bits at the ends of words, columns and bitmaps.
TEST(CudaSectorAssembly, LowerHalfUpperHalfAndStripes) {
  const RandomSeed seed;
  Parts parts = random_parts(5, seed.value());
  const auto set = [&](std::size_t piece, auto is_set) {
    parts.found_proofs[piece] = {};
    for (std::size_t s = 0; s < kNumSBuckets; ++s) {
      if (is_set(s)) {
        std::uint8_t& byte = parts.found_proofs[piece].bytes[s / 8];
        byte = static_cast<std::uint8_t>(byte | 1U << s % 8);
      }
    }
  };
  set(0, [](std::size_t s) { return s < kNumChunks; });
  set(1, [](std::size_t s) { return s >= kNumChunks; });
  set(2, [](std::size_t s) { return s % 2 == 0; });
  set(3, [](std::size_t s) { return s % 64 < 32; });
  set(4, [](std::size_t s) { return s % 32 == 0 || s % 32 == 31 || s == 12'345; });
  expect_same(assemble_on_device(parts, 5), assemble_on_host(parts));
}

/// Map, chunks, record metadata and both checksums as the specification puts them together.
Bytes sector_by_reference(const Parts& parts) {
  const auto bytes = [](const auto& objects) {
    std::vector<Bytes> result;
    result.reserve(objects.size());
    for (const auto& object : objects) {
      result.emplace_back(bytes_of(object).begin(), bytes_of(object).end());
    }
    return result;
  };
  Bytes sector;
  const auto append = [&](const auto& more) {
    sector.insert(sector.end(), more.begin(), more.end());
  };
  for (const Bytes& bitmap : bytes(parts.found_proofs)) {
    append(bitmap);
  }
  append(reference::blake3(sector));
  append(reference::sector_chunks(bytes(parts.found_proofs), bytes(parts.records)));
  for (const Bytes& metadata : bytes(parts.metadata)) {
    append(metadata);
  }
  append(reference::blake3(sector));
  return sector;
}

TEST(CudaSectorAssembly, EqualsTheReference) {
  const RandomSeed seed;
  const Parts parts = random_parts(3, seed.value(), {kNumChunks, 20'000, kNumChunks});
  const Bytes expected = sector_by_reference(parts);
  for_each_schedule([&] { EXPECT_TRUE(assemble_on_device(parts, 3).bytes == expected); });
}

TEST(CudaSectorAssembly, OneAssemblyServesSectorsOfAnySizeUpToItsOwn) {
  const RandomSeed seed;
  const Stream stream(0);
  SectorAssembly assembly(stream, 33);
  for (const std::size_t n_pieces : {33U, 1U, 5U}) {
    const Parts parts = random_parts(n_pieces, seed.value() + n_pieces);
    const OnDevice on_device(stream, parts);
    assembly.enqueue(on_device.parts());
    expect_same(on_device.read(), assemble_on_host(parts));
  }
}

/// Kernels of the same shape as the library's, compiled here.
struct TestShape : SectorShape {};

TEST(CudaSectorAssembly, SmallGridsReachEverything) {
  const RandomSeed seed;
  const Parts parts = random_parts(33, seed.value(), {100, kNumChunks, 7});
  const Sector expected = assemble_on_host(parts);
  const Stream stream(0);
  const OnDevice on_device(stream, parts);
  const SectorParts d_parts = on_device.parts();
  const DeviceBuffer<std::uint16_t> earlier(stream, 2 * kNumSBuckets);
  const DeviceBuffer<std::uint32_t> offsets(stream, kNumSBuckets + 1);
  const DeviceBuffer<std::uint16_t> before(stream, 33 * SectorShape::kColumns);
  const auto* const bitmaps = reinterpret_cast<const std::uint32_t*>(d_parts.d_found_proofs);
  const SectorLayoutView view{
      .bitmaps = bitmaps,
      .earlier = earlier.data(),
      .offsets = offsets.data(),
      .before = before.data(),
      .records = reinterpret_cast<const uint4*>(d_parts.d_records),
      .chunks = reinterpret_cast<uint4*>(d_parts.d_sector + record_chunks_offset(33)),
      .n_records = 33};
  const cudaStream_t queue = stream.view().get();
  launch(count_s_buckets<TestShape>, {.grid = dim3(2), .block = dim3(32)}, queue,
         SectorCountsView{bitmaps, 33, earlier.data(), d_parts.d_s_bucket_sizes});
  launch(sum_s_buckets<TestShape>, {.grid = dim3(1), .block = dim3(SectorShape::kScanThreads)},
         queue, d_parts.d_s_bucket_sizes, offsets.data());
  launch(count_chunks_before<TestShape>, {.grid = dim3(4), .block = dim3(SectorShape::kThreads)},
         queue, bitmaps, 33U, before.data());
  launch(place_chunks<TestShape>, {.grid = dim3(3, 1), .block = dim3(64)}, queue, view);
  launch(clear_unused_chunks<TestShape>, {.grid = dim3(2), .block = dim3(31)}, queue, view);
  const Sector actual = on_device.read();
  EXPECT_EQ(actual.s_bucket_sizes, expected.s_bucket_sizes);
  const auto first = static_cast<std::ptrdiff_t>(record_chunks_offset(33));
  const auto last = static_cast<std::ptrdiff_t>(record_metadata_offset(33));
  EXPECT_TRUE(std::equal(actual.bytes.begin() + first, actual.bytes.begin() + last,
                         expected.bytes.begin() + first));
}

#if !defined(__CUDACC__)
// That all of them do all the work would not change the sector.
TEST(CudaSectorAssembly, BlocksOfOneGroupPlaceNothingOfAnother) {
  const RandomSeed seed;
  const Parts parts = random_parts(33, seed.value(), std::vector<std::size_t>(32, 0));
  const Stream stream(0);
  const OnDevice on_device(stream, parts);
  SectorAssembly assembly(stream, 33);
  {
    const simt::ScopedBlocks first_group({.first = {0, 0, 0}, .end = {~0U, 1, ~0U}});
    assembly.enqueue(on_device.parts());
    stream.view().synchronize();
  }
  const Sector sector = on_device.read();
  const auto begin = sector.bytes.begin() + static_cast<std::ptrdiff_t>(record_chunks_offset(33));
  // Zeros are put behind the chunks that are placed: 32768 of the last record, which this leaves out.
  EXPECT_TRUE(std::all_of(begin, begin + static_cast<std::ptrdiff_t>(kRecordSize),
                          [](std::uint8_t byte) { return byte == kGuard; }));
}
#endif

TEST(CudaSectorAssembly, DeviceMemoryIsAsStated) {
  EXPECT_EQ(SectorAssembly::device_bytes(1000), 41'608'228U);
  const Stream stream(0);
  const SectorAssembly assembly(stream, 10);
  EXPECT_GT(SectorAssembly::device_bytes(10), SectorAssembly::device_bytes(9));
#if !defined(__CUDACC__)
  EXPECT_EQ(simt::FakeCuda::used_bytes(0), SectorAssembly::device_bytes(10));
#endif
}

TEST(CudaSectorAssembly, RefusesWhatBreaksTheRules) {
  const RandomSeed seed;
  const Stream stream(0);
  SectorAssembly assembly(stream, 1);
  const OnDevice on_device(stream, random_parts(1, seed.value()));
  const auto refuses = [&](auto change) {
    SectorParts parts = on_device.parts();
    change(parts);
    EXPECT_THROW(assembly.enqueue(parts), InvalidArgument);
  };
  refuses([](SectorParts& p) { p.n_pieces = 0; });
  refuses([](SectorParts& p) { p.n_pieces = 2; });
  refuses([](SectorParts& p) { p.d_sector += 16; });
  const auto shifted = [](const auto* pointer, std::size_t n_bytes) {
    return reinterpret_cast<decltype(pointer)>(reinterpret_cast<const std::byte*>(pointer) +
                                               n_bytes);
  };
  refuses([&](SectorParts& p) { p.d_records = shifted(p.d_records, 8); });
  refuses([&](SectorParts& p) { p.d_found_proofs = shifted(p.d_found_proofs, 2); });
  const Sector untouched = on_device.read();
  EXPECT_TRUE(std::all_of(untouched.bytes.begin(), untouched.bytes.end(),
                          [](std::uint8_t byte) { return byte == kGuard; }));
}

}  // namespace
}  // namespace furrow::cuda
