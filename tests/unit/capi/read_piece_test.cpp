// SPDX-License-Identifier: Apache-2.0
// furrow_sector_read_piece: pieces out of a golden sector, damage by its name, and callbacks that
// fail wherever they are asked.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "host/plotting/cpu_records_encoder.hpp"
#include "host/plotting/encode_sector.hpp"
#include "host/sector/sector_layout.hpp"
#include "host/sector/sector_metadata.hpp"
#include "tests/unit/capi/capi_support.hpp"
#include "tests/unit/capi/golden_vectors.hpp"

namespace furrow {
namespace {

using nlohmann::json;
using test::expect_null_refused;
using test::expect_overlap_refused;
using test::expect_refused;
using test::make_library;
using test::OddBuffer;

constexpr std::uint16_t kPieces = 2;

/// The golden sector of two pieces.
struct GoldenSector {
  std::vector<std::uint8_t> bytes;
  std::vector<std::uint8_t> metadata;
  std::vector<std::uint8_t> sector_id;
  std::vector<std::vector<std::uint8_t>> pieces;

  static const GoldenSector& instance() {
    static const GoldenSector sector;
    return sector;
  }

 private:
  GoldenSector() {
    const json entry = test::golden("sector").at("cases").at(1);
    sector_id = test::from_hex(entry.at("sector_id"));
    DownloadedSector downloaded{{},
                                SectorIndex(entry.at("sector_index").get<std::uint16_t>()),
                                {},
                                RawSector(Network::kAbundance, kPieces),
                                HistorySize::from_count(test::number(entry.at("history_size")))};
    std::ranges::copy(sector_id, downloaded.sector_id.bytes.begin());
    for (std::uint16_t i = 0; i < kPieces; ++i) {
      std::vector<std::uint8_t> piece =
          test::seeded(entry.at("first_header_seed"), kPieceHeaderSize, i);
      const std::vector<std::uint8_t> record =
          test::seeded(entry.at("first_record_seed"), kRecordSize, i);
      piece.insert(piece.end(), record.begin(), record.end());
      downloaded.raw_sector.put(i, *reinterpret_cast<const Piece*>(piece.data()), blake3(piece));
      pieces.push_back(std::move(piece));
      downloaded.piece_indexes.emplace_back(i);
    }
    CpuRecordsEncoder encoder({.threads = 2});
    const auto encoded = encode_sector(std::move(downloaded), encoder, {});
    lay_out_sector(*encoded, bytes);
    metadata = encoded->plotted_sector.sector_metadata.encode();
    EXPECT_EQ(test::digest(bytes), entry.at("sector_blake3"));
    EXPECT_EQ(test::digest(metadata), entry.at("sector_metadata_blake3"));
  }
};

/// A request for a piece of the sector, whose bytes come from `read`.
struct Request {
  using Read = std::function<furrow_status(std::uint64_t, std::span<std::uint8_t>)>;

  explicit Request(std::size_t piece_offset) {
    furrow_read_piece_request_init(&request, sizeof(request));
    request.sector_id = sector_id.data();
    request.sector_metadata = metadata.data();
    request.piece_offset = piece_offset;
    request.piece = piece.data();
    request.user = &read;
    request.read_at = [](void* user, std::uint64_t offset, std::uint8_t* out, std::size_t size) {
      return (*static_cast<Read*>(user))(offset, {out, size});
    };
  }
  void set_metadata(const SectorMetadata& other) {
    metadata = OddBuffer(other.encode());
    request.sector_metadata = metadata.data();
  }
  furrow_status run(const test::LibraryHandle& library) {
    return furrow_sector_read_piece(library.get(), &request);
  }

  std::vector<std::uint8_t> bytes = GoldenSector::instance().bytes;
  OddBuffer sector_id{GoldenSector::instance().sector_id};
  OddBuffer metadata{GoldenSector::instance().metadata};
  OddBuffer piece{FURROW_PIECE_SIZE};
  Read read = [this](std::uint64_t offset, std::span<std::uint8_t> out) {
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
    return FURROW_OK;
  };
  furrow_read_piece_request request{};
};

TEST(CReadPiece, GivesThePiecesBackOnTheCallingThread) {
  const auto library = make_library();
  for (std::size_t i = 0; i < kPieces; ++i) {
    Request request(i);
    const Request::Read read = request.read;
    std::size_t n_read = 0;
    request.read = [&](std::uint64_t offset, std::span<std::uint8_t> out) {
      n_read += out.size();
      EXPECT_EQ(::gettid(), ::getpid()) << "of the thread that tests";
      return read(offset, out);
    };
    ASSERT_EQ(request.run(library), FURROW_OK) << furrow_last_error();
    EXPECT_TRUE(std::ranges::equal(request.piece.bytes(), GoldenSector::instance().pieces[i]));
    EXPECT_GT(n_read, kRecordSize);
    EXPECT_LT(n_read, request.bytes.size() + 2 * 65'536 * kChunkSize);
  }
}

TEST(CReadPiece, TwoThreadsOfOneLibraryReadAtTheSameTime) {
  const auto library = make_library();
  Request first(0);
  Request second(1);
  {
    const std::jthread other([&] { EXPECT_EQ(second.run(library), FURROW_OK); });
    EXPECT_EQ(first.run(library), FURROW_OK);
  }
  EXPECT_TRUE(std::ranges::equal(first.piece.bytes(), GoldenSector::instance().pieces[0]));
  EXPECT_TRUE(std::ranges::equal(second.piece.bytes(), GoldenSector::instance().pieces[1]));
}

void expect_failure(Request& request, furrow_status status, furrow_error_kind kind) {
  static const auto library = make_library();
  EXPECT_EQ(request.run(library), status) << furrow_last_error();
  EXPECT_EQ(test::last_error().kind, kind) << furrow_last_error();
  EXPECT_TRUE(request.piece.is_untouched());
}

TEST(CReadPiece, DamageHasItsName) {
  {
    Request request(0);
    request.bytes[100] ^= 1;  // the contents map
    expect_failure(request, FURROW_CORRUPT, FURROW_ERROR_SECTOR_DAMAGED);
  }
  {
    Request request(1);
    request.bytes[record_metadata_offset(kPieces) + kRecordMetadataSize] ^= 1;
    expect_failure(request, FURROW_CORRUPT, FURROW_ERROR_SECTOR_DAMAGED);
    EXPECT_EQ(test::last_error().fields & FURROW_HAS_PIECE_OFFSET, FURROW_HAS_PIECE_OFFSET);
    EXPECT_EQ(test::last_error().piece_offset, 1);
    EXPECT_EQ(std::string(test::last_error().expected).size(), 64U);
  }
  {
    Request request(0);
    request.metadata.data()[5] ^= 1;
    expect_failure(request, FURROW_CORRUPT, FURROW_ERROR_CHECKSUM);
  }
  SectorMetadata metadata = SectorMetadata::decode(
      Network::kAbundance, GoldenSector::instance().metadata, "the golden one");
  {
    Request request(0);
    std::ranges::fill(metadata.s_bucket_sizes, std::uint16_t{65'535});
    request.set_metadata(metadata);
    expect_failure(request, FURROW_CORRUPT, FURROW_ERROR_SECTOR_DAMAGED);
  }
  {
    Request request(0);
    request.metadata = OddBuffer(
        SectorMetadata::expired_dummy(Network::kAbundance, SectorIndex(77), kPieces).encode());
    request.request.sector_metadata = request.metadata.data();
    expect_failure(request, FURROW_UNAVAILABLE, FURROW_ERROR_SECTOR_EMPTY);
    EXPECT_EQ(test::last_error().fields & FURROW_HAS_SECTOR_INDEX, FURROW_HAS_SECTOR_INDEX);
    EXPECT_EQ(test::last_error().sector_index, 77);
  }
}

TEST(CReadPiece, ACallbackThatFailsIsNamedWhereverItIsAsked) {
  // In the contents map, among the chunks, in the record metadata.
  const std::uint64_t chunks = record_chunks_offset(kPieces);
  const std::uint64_t metadata = record_metadata_offset(kPieces);
  for (const auto& [first, last] : {std::pair<std::uint64_t, std::uint64_t>{0, chunks},
                                    {chunks, metadata},
                                    {chunks + (metadata - chunks) / 2, metadata},
                                    {metadata, UINT64_MAX}}) {
    Request request(1);
    const Request::Read read = request.read;
    std::uint64_t failed_at = UINT64_MAX;
    request.read = [&](std::uint64_t offset, std::span<std::uint8_t> out) {
      if (offset < first || offset >= last) {
        return read(offset, out);
      }
      failed_at = offset;
      furrow_set_callback_error("the disk is\nnot there");
      return FURROW_IO_ERROR;
    };
    furrow_set_callback_error("of a callback long ago");
    expect_failure(request, FURROW_CALLBACK_FAILED, FURROW_ERROR_CALLBACK);
    const std::string text = furrow_last_error();
    EXPECT_NE(text.find("the disk is\\nnot there"), std::string::npos) << text;
    EXPECT_NE(text.find("FURROW_IO_ERROR"), std::string::npos) << text;
    EXPECT_NE(text.find("offset " + std::to_string(failed_at)), std::string::npos) << text;
    EXPECT_EQ(test::last_error().fields & FURROW_HAS_BYTE_OFFSET, FURROW_HAS_BYTE_OFFSET);
    EXPECT_EQ(test::last_error().byte_offset, failed_at);
  }
}

TEST(CReadPiece, WhatAnEarlierCallbackSaidIsNotRepeated) {
  Request request(0);
  request.read = [](std::uint64_t, std::span<std::uint8_t>) {
    return static_cast<furrow_status>(6);
  };
  furrow_set_callback_error("of a callback long ago");
  expect_failure(request, FURROW_CALLBACK_FAILED, FURROW_ERROR_CALLBACK);
  EXPECT_EQ(std::string(furrow_last_error()).find("long ago"), std::string::npos);
  EXPECT_NE(std::string(furrow_last_error()).find("FURROW_RESOURCE_EXHAUSTED"), std::string::npos);
}

TEST(CReadPiece, CallsInsideACallbackLeaveNoErrorBehind) {
  const auto library = make_library();
  Request request(0);
  const Request::Read read = request.read;
  request.read = [&](std::uint64_t offset, std::span<std::uint8_t> out) {
    EXPECT_EQ(furrow_public_key_hash(nullptr, nullptr), FURROW_INVALID_ARGUMENT);
    return read(offset, out);
  };
  ASSERT_EQ(request.run(library), FURROW_OK);
  EXPECT_STREQ(furrow_last_error(), "");
  EXPECT_EQ(test::last_error().kind, FURROW_ERROR_NONE);
}

TEST(CReadPiece, StructAndPointersAreChecked) {
  const auto library = make_library();
  Request request(0);
  test::expect_struct_rules(request.request, [&](const furrow_read_piece_request* given) {
    return furrow_sector_read_piece(library.get(), given);
  });
  Request other(0);
  expect_null_refused(furrow_sector_read_piece(nullptr, &other.request), "library");
  const furrow_read_piece_request valid = other.request;
  const auto refused_without = [&](const char* name, auto member) {
    other.request = valid;
    other.request.*member = nullptr;
    expect_null_refused(other.run(library), name);
  };
  refused_without("sector_id", &furrow_read_piece_request::sector_id);
  refused_without("sector_metadata", &furrow_read_piece_request::sector_metadata);
  refused_without("read_at", &furrow_read_piece_request::read_at);
  refused_without("piece", &furrow_read_piece_request::piece);
  other.request = valid;
  for (const std::size_t offset : {std::size_t{kPieces}, std::size_t{65'536}, SIZE_MAX}) {
    other.request.piece_offset = offset;
    expect_refused(other.run(library), "piece offset");
  }
  other.request = valid;
  other.request.sector_id = other.piece.data() + FURROW_PIECE_SIZE - FURROW_HASH_SIZE;
  expect_overlap_refused(other.run(library));
  other.request = valid;
  other.request.sector_metadata = other.piece.data();
  expect_overlap_refused(other.run(library));
  EXPECT_TRUE(other.piece.is_untouched());
}

}  // namespace
}  // namespace furrow
