// The archiver against the golden vectors of archive.json. Every segment takes seconds, hence a
// program of its own.
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "host/archive/archiver.hpp"
#include "host/archive/piece_validation.hpp"
#include "host/archive/super_segment.hpp"
#include "host/crypto/blake3.hpp"
#include "host/crypto/hex.hpp"
#include "host/primitives/merkle.hpp"
#include "tests/support/golden_stream.hpp"

namespace furrow {
namespace {

using Json = nlohmann::json;

constexpr ComputeOptions kTwoThreads{2, SimdMode::kBest};

const Json& golden_case(const std::string& name) {
  static const Json golden = Json::parse(std::ifstream(FURROW_GOLDEN_DIR "/archive.json"));
  for (const Json& one : golden.at("cases")) {
    if (one.at("name") == name) {
      return one;
    }
  }
  throw std::runtime_error("archive.json has no case '" + name + "'");
}

std::string hash_hex(std::span<const std::uint8_t> bytes) {
  return to_hex(blake3(bytes).bytes);
}

std::vector<BlockObject> block_objects(const Json& step) {
  std::vector<BlockObject> objects;
  for (const Json& object : step.value("block_objects", Json::array())) {
    BlockObject& added = objects.emplace_back();
    from_hex(object.at("hash").get<std::string>(), added.hash.bytes, "object");
    added.offset = object.at("offset");
  }
  return objects;
}

void expect_objects(const Json& step, const std::vector<GlobalObject>& actual) {
  const Json expected = step.value("global_objects", Json::array());
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    EXPECT_EQ(to_hex(actual[i].hash.bytes), expected[i].at("hash")) << "object " << i;
    EXPECT_EQ(actual[i].piece_position.value(), expected[i].at("piece_position")) << "object " << i;
    EXPECT_EQ(actual[i].offset, expected[i].at("offset")) << "object " << i;
  }
}

void expect_piece(const Json& expected, const Piece& piece, SimdMode mode) {
  const auto position = expected.at("position").get<unsigned>();
  SCOPED_TRACE("position " + std::to_string(position));
  ASSERT_EQ(hash_hex(bytes_of(piece)), expected.at("piece_blake3"));
  if (expected.contains("header")) {
    EXPECT_EQ(to_hex(bytes_of(piece.header)), expected.at("header"));
    EXPECT_EQ(hash_hex(bytes_of(piece.record)), expected.at("record_blake3"));
    EXPECT_EQ(to_hex(piece.header.parity_chunks_root.bytes), expected.at("parity_chunks_root"));
    EXPECT_EQ(to_hex(balanced_merkle_root(mode, bytes_of(piece.record)).bytes),
              expected.at("source_chunks_root"));
    EXPECT_EQ(to_hex(record_root(mode, piece.record, piece.header.parity_chunks_root).bytes),
              expected.at("record_root"));
    EXPECT_EQ(to_hex(bytes_of(piece.record).first(64)), expected.at("record_first_64"));
    EXPECT_EQ(to_hex(bytes_of(piece.record).last(64)), expected.at("record_last_64"));
  }
}

void expect_segment(const Json& expected, const ArchivedSegment& segment) {
  const Json& header = expected.at("segment_header");
  ASSERT_EQ(to_hex(bytes_of(segment.header)), header.at("bytes"));
  EXPECT_EQ(to_hex(segment.header.hash().bytes), header.at("hash"));

  Blake3Hasher sources;
  Blake3Hasher parities;
  Blake3Hasher parity_chunks_roots;
  Blake3Hasher record_proofs;
  for (std::size_t i = 0; i < kNumPieces; ++i) {
    const Piece& piece = segment.pieces[i];
    (i < kNumRawRecords ? sources : parities).update(bytes_of(piece.record));
    parity_chunks_roots.update(piece.header.parity_chunks_root.bytes);
    record_proofs.update(bytes_of(piece.header.record_proof));
  }
  EXPECT_EQ(to_hex(sources.finalize().bytes), expected.at("source_records_blake3"));
  EXPECT_EQ(to_hex(parities.finalize().bytes), expected.at("parity_records_blake3"));
  EXPECT_EQ(to_hex(parity_chunks_roots.finalize().bytes),
            expected.at("parity_chunks_roots_blake3"));
  EXPECT_EQ(to_hex(record_proofs.finalize().bytes), expected.at("record_proofs_blake3"));
  for (const Json& piece : expected.at("pieces")) {
    expect_piece(piece, segment.pieces[piece.at("position").get<std::size_t>()], SimdMode::kBest);
  }
}

/// Adds the blocks of a case and checks all that comes out; returns the segments.
std::vector<ArchivedSegment> run_case(const Json& golden) {
  Archiver archiver(ShardIndex(golden.at("shard_index")), kTwoThreads);
  std::vector<ArchivedSegment> segments;
  for (const Json& step : golden.at("steps")) {
    SCOPED_TRACE("block " + step.at("block").dump());
    std::vector<std::uint8_t> block =
        test::stream(test::parse_seed(step.at("seed")), step.at("len").get<std::size_t>());
    EXPECT_EQ(hash_hex(block), step.at("block_blake3"));
    BlockOutcome outcome = archiver.add_block(std::move(block), block_objects(step));
    EXPECT_EQ(outcome.segments.size(), step.at("segments_produced"));
    expect_objects(step, outcome.objects);
    for (ArchivedSegment& segment : outcome.segments) {
      segments.push_back(std::move(segment));
    }
  }
  const Json& expected = golden.at("segments");
  EXPECT_EQ(segments.size(), expected.size());
  for (std::size_t i = 0; i < std::min(segments.size(), expected.size()); ++i) {
    SCOPED_TRACE("segment " + std::to_string(i));
    expect_segment(expected[i], segments[i]);
  }
  return segments;
}

class ArchiveGolden : public testing::TestWithParam<const char*> {};

TEST_P(ArchiveGolden, BlocksGiveTheSameSegments) {
  run_case(golden_case(GetParam()));
}

constexpr const char* kRestartedCase = "three blocks, then a big one; two segments";

INSTANTIATE_TEST_SUITE_P(
    Cases, ArchiveGolden,
    testing::Values(
        "one block of exactly segment size",
        "one block that fills the segment exactly, then a small one",
        "one block leaving three bytes of padding",
        "one block leaving five bytes of padding, next segment exactly filled including "
        "parent header",
        "200 blocks of 700001 bytes"));

void expect_super_segment(const Json& golden, const ArchivedSegment& segment) {
  std::vector<Hash> leaves;
  for (const Json& leaf : golden.at("leaves")) {
    ShardSegmentRootWithPosition bytes;
    from_hex(leaf.at("bytes").get<std::string>(), mutable_bytes_of(bytes), "leaf");
    leaves.push_back(bytes.hash());
    EXPECT_EQ(to_hex(leaves.back().bytes), leaf.at("hash"));
  }
  const auto position = SegmentPosition(golden.at("segment_position"));
  const auto num_segments = golden.at("num_segments").get<std::uint32_t>();
  const SuperSegmentMember member{
      ShardIndex(segment.pieces[0].header.shard_index.value()),
      LocalSegmentIndex(segment.pieces[0].header.local_segment_index.value()),
      segment.pieces[0].header.segment_root};
  std::vector<SuperSegmentMember> members(position.value() + 1, member);
  EXPECT_EQ(super_segment_leaves(members).back(), leaves.at(position.value()));

  const std::optional<Hash> root = super_segment_root(leaves);
  ASSERT_TRUE(root);
  EXPECT_EQ(to_hex(root->bytes), golden.at("root"));
  SuperSegmentHeader previous;
  SuperSegmentHeader expected_header;
  from_hex(golden.at("previous_header").get<std::string>(), mutable_bytes_of(previous), "header");
  from_hex(golden.at("header").get<std::string>(), mutable_bytes_of(expected_header), "header");
  const SuperSegmentHeader header = next_super_segment(
      previous, *root, num_segments, expected_header.target_beacon_chain_block_number.value());
  EXPECT_EQ(header, expected_header);
  EXPECT_EQ(std::to_string(header.max_segment_index.value()), golden.at("max_segment_index"));

  const SegmentProof proof = super_segment_proof(leaves, position);
  const Json& expected_proof = golden.at("segment_proof");
  ASSERT_EQ(expected_proof.size(), proof.size());
  for (std::size_t i = 0; i < proof.size(); ++i) {
    EXPECT_EQ(to_hex(proof[i].bytes), expected_proof[i]);
  }

  for (const Json& check : golden.at("checks")) {
    SCOPED_TRACE(check.dump());
    auto piece = std::make_unique<Piece>(segment.pieces[check.at("piece").get<std::size_t>()]);
    piece->header.super_segment_index = header.index;
    piece->header.segment_position = position.value();
    piece->header.segment_proof = proof;
    const auto what = check.at("check").get<std::string>();
    if (what.starts_with("record bit flipped")) {
      piece->record[12345].bytes[3] ^= 1;
    } else if (what == "parity_chunks_root[0] ^= 1") {
      piece->header.parity_chunks_root.bytes[0] ^= 1;
    } else if (what == "segment_root zeroed") {
      piece->header.segment_root = Hash{};
    } else if (what == "super_segment_index = 99999") {
      piece->header.super_segment_index = 99999;
    } else if (what.starts_with("segment_proof[19] = ")) {
      piece->header.segment_proof[19].bytes.fill(1);
    } else if (what != "as is" && what != "piece_position + 1" && what != "num_segments + 1") {
      FAIL() << "a check that this test does not know";
    }
    EXPECT_EQ(is_valid_piece(SimdMode::kBest, *piece, *root, check.at("num_segments"),
                             PiecePosition(check.at("piece_position"))),
              check.at("valid").get<bool>());
  }
  for (const Json& expected : golden.at("pieces")) {
    auto piece =
        std::make_unique<Piece>(segment.pieces[expected.at("position").get<std::size_t>()]);
    piece->header.super_segment_index = header.index;
    piece->header.segment_position = position.value();
    piece->header.segment_proof = proof;
    EXPECT_EQ(to_hex(bytes_of(piece->header)), expected.at("header"));
    EXPECT_EQ(hash_hex(bytes_of(*piece)), expected.at("piece_blake3"));
  }
}

TEST(ArchiveGoldenRestart, SuperSegmentsAndRestartOfTheTwoSegmentCase) {
  const Json& golden = golden_case(kRestartedCase);
  const std::vector<ArchivedSegment> segments = run_case(golden);
  ASSERT_EQ(segments.size(), 2U);
  ASSERT_FALSE(golden.at("super_segments").empty());
  for (const Json& super_segment : golden.at("super_segments")) {
    SCOPED_TRACE("super segment of " + super_segment.at("num_segments").dump());
    expect_super_segment(super_segment, segments[0]);
  }

  const Json& steps = golden.at("steps");
  const auto block = [&](std::size_t i) {
    return test::stream(test::parse_seed(steps[i].at("seed")),
                        steps[i].at("len").get<std::size_t>());
  };
  const auto given = golden.at("restart_check").at("block_given").get<std::size_t>();
  ASSERT_EQ(segments[0].header.last_archived_block.number.value(), given);
  const ShardIndex shard(golden.at("shard_index"));
  Archiver archiver = Archiver::restart(shard, segments[0].header, block(given), kTwoThreads);
  const BlockOutcome outcome =
      archiver.add_block(block(given + 1), block_objects(steps[given + 1]));
  ASSERT_EQ(outcome.segments.size(), 1U);
  expect_objects(steps[given + 1], outcome.objects);
  expect_segment(golden.at("segments")[1], outcome.segments[0]);
}

}  // namespace
}  // namespace furrow
