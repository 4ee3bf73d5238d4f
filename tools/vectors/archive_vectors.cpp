// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <string>

#include "host/archive/archiver.hpp"
#include "host/archive/piece_validation.hpp"
#include "host/archive/super_segment.hpp"
#include "host/crypto/blake3.hpp"
#include "host/primitives/merkle.hpp"
#include "tools/vectors/vector_file.hpp"
#include "tools/vectors/vector_input.hpp"

namespace furrow::vectors {
namespace {

const nlohmann::json& list_or_none(const nlohmann::json& object, const char* field) {
  static const nlohmann::json kNone = nlohmann::json::array();
  return object.contains(field) && !object.at(field).is_null() ? object.at(field) : kNone;
}

std::vector<std::uint8_t> block_bytes(const nlohmann::json& step) {
  return stream(seed(step, "seed"), number(step, "len"));
}

std::vector<BlockObject> block_objects(const nlohmann::json& step) {
  std::vector<BlockObject> objects;
  for (const nlohmann::json& object : list_or_none(step, "block_objects")) {
    objects.push_back({fixed_bytes_at<Hash>(object, "hash"),
                       static_cast<std::uint32_t>(number(object, "offset"))});
  }
  return objects;
}

void check_objects(const nlohmann::json& step, const std::vector<GlobalObject>& actual,
                   const VectorReport::Fail& fail) {
  const nlohmann::json& expected = list_or_none(step, "global_objects");
  if (actual.size() != expected.size()) {
    fail("global_objects: expected " + std::to_string(expected.size()) + ", actual " +
         std::to_string(actual.size()));
    return;
  }
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const CaseChecker check(expected[i], fail, "global_objects[" + std::to_string(i) + "].");
    check.bytes("hash", actual[i].hash.bytes);
    check.number("piece_position", actual[i].piece_position.value());
    check.number("offset", actual[i].offset);
  }
}

void check_header(const nlohmann::json& expected, const SegmentHeader& header,
                  const VectorReport::Fail& fail) {
  const CaseChecker check(expected, fail, "segment_header.");
  check.number("index", header.index.value());
  check.bytes("root", header.root.bytes);
  check.bytes("prev_segment_header_hash", header.prev_segment_header_hash.bytes);
  check.number("last_archived_block_number", header.last_archived_block.number.value());
  check.number("last_archived_block_partial_bytes",
               header.last_archived_block.partial_bytes.value());
  check.bytes("bytes", bytes_of(header));
  check.bytes("hash", header.hash().bytes);
}

/// Roots of a piece, recomputed from its record.
struct Roots {
  Hash source_chunks;
  Hash record;
};

Roots roots_of(SimdMode mode, const Piece& piece) {
  return {balanced_merkle_root(mode, bytes_of(piece.record)),
          record_root(mode, piece.record, piece.header.parity_chunks_root)};
}

void check_piece(const nlohmann::json& expected, const Piece& piece, const Roots& roots,
                 const VectorReport::Fail& fail) {
  const CaseChecker check(expected, fail,
                          "piece " + std::to_string(number(expected, "position")) + ".");
  check.digest("piece_blake3", bytes_of(piece));
  check.bytes("record_root", roots.record.bytes);
  if (!expected.contains("header")) {
    return;
  }
  check.bytes("header", bytes_of(piece.header));
  check.digest("record_blake3", bytes_of(piece.record));
  check.bytes("source_chunks_root", roots.source_chunks.bytes);
  check.bytes("parity_chunks_root", piece.header.parity_chunks_root.bytes);
  check.bytes("record_first_64", bytes_of(piece.record).first(64));
  check.bytes("record_last_64", bytes_of(piece.record).last(64));
  const nlohmann::json& proof = expected.at("record_proof");
  for (std::size_t i = 0; i < proof.size(); ++i) {
    check.is_true(fixed_bytes<Hash>(proof.at(i), "record_proof") == piece.header.record_proof.at(i),
                  "record_proof[" + std::to_string(i) + "] differs");
  }
}

void check_segment(const nlohmann::json& expected, const ArchivedSegment& segment,
                   const VectorOptions& options, const VectorReport::Fail& fail) {
  check_header(expected.at("segment_header"), segment.header, fail);
  std::vector<Roots> roots(kNumPieces);
  parallel_for(kNumPieces, options.threads,
               [&](std::size_t i) { roots[i] = roots_of(options.mode, segment.pieces[i]); });
  Blake3Hasher sources;
  Blake3Hasher parities;
  Blake3Hasher record_roots;
  Blake3Hasher record_proofs;
  Blake3Hasher parity_chunks_roots;
  for (std::size_t i = 0; i < kNumPieces; ++i) {
    const Piece& piece = segment.pieces[i];
    (i < kNumRawRecords ? sources : parities).update(bytes_of(piece.record));
    record_roots.update(roots[i].record.bytes);
    record_proofs.update(bytes_of(piece.header.record_proof));
    parity_chunks_roots.update(piece.header.parity_chunks_root.bytes);
    if (!verify_balanced_merkle_proof(segment.header.root, piece.header.record_proof, i,
                                      roots[i].record)) {
      fail("record proof of piece " + std::to_string(i) + " does not verify");
    }
  }
  const CaseChecker check(expected, fail);
  check.bytes("source_records_blake3", sources.finalize().bytes);
  check.bytes("parity_records_blake3", parities.finalize().bytes);
  check.bytes("record_roots_blake3", record_roots.finalize().bytes);
  check.bytes("record_proofs_blake3", record_proofs.finalize().bytes);
  check.bytes("parity_chunks_roots_blake3", parity_chunks_roots.finalize().bytes);
  for (const nlohmann::json& piece : expected.at("pieces")) {
    const std::size_t position = number(piece, "position");
    check_piece(piece, segment.pieces.all()[position % kNumPieces], roots.at(position), fail);
  }
}

/// The change to a piece that a check names.
void modify(const std::string& change, Piece& piece) {
  std::size_t index = 0;
  std::size_t byte = 0;
  unsigned value = 0;
  unsigned long long number_in_text = 0;
  if (scan_all(change, "record bit flipped (chunk %zu, byte %zu, ^= %u)%n", &index, &byte,
               &value)) {
    piece.record.at(index).bytes.at(byte) ^= static_cast<std::uint8_t>(value);
  } else if (scan_all(change, "parity_chunks_root[%zu] ^= %u%n", &index, &value)) {
    piece.header.parity_chunks_root.bytes.at(index) ^= static_cast<std::uint8_t>(value);
  } else if (scan_all(change, "super_segment_index = %llu%n", &number_in_text)) {
    piece.header.super_segment_index = number_in_text;
  } else if (scan_all(change, "segment_proof[%zu] = 32 bytes of 0x%x (after zero padding)%n",
                      &index, &value)) {
    piece.header.segment_proof.at(index).bytes.fill(static_cast<std::uint8_t>(value));
  } else if (change == "segment_root zeroed") {
    piece.header.segment_root = Hash{};
  } else if (change != "as is" && change != "piece_position + 1" && change != "num_segments + 1") {
    // The last two are carried by the members piece_position and num_segments.
    throw MalformedData("unknown change of a piece: '" + change + "'");
  }
}

void check_super_segment(const nlohmann::json& expected, const ArchivedSegment& segment,
                         const VectorOptions& options, const VectorReport::Fail& fail) {
  const CaseChecker check(expected, fail);
  std::vector<Hash> leaves;
  for (const nlohmann::json& leaf : expected.at("leaves")) {
    ShardSegmentRootWithPosition bytes;
    from_hex(leaf.at("bytes").get<std::string>(), mutable_bytes_of(bytes), "leaf");
    leaves.push_back(bytes.hash());
    CaseChecker(leaf, fail, "leaf.").bytes("hash", leaves.back().bytes);
  }
  const PieceHeader& first = segment.pieces[0].header;
  const SegmentPosition position(static_cast<std::uint32_t>(number(expected, "segment_position")));
  const ShardSegmentRootWithPosition own{first.shard_index, position.value(),
                                         first.local_segment_index, first.segment_root};
  check.is_true(own.hash() == leaves.at(position.value()), "our leaf differs");

  const Hash root = super_segment_root(leaves).value();
  check.bytes("root", root.bytes);
  SuperSegmentHeader previous;
  from_hex(expected.at("previous_header").get<std::string>(), mutable_bytes_of(previous),
           "previous_header");
  const SuperSegmentHeader header =
      next_super_segment(previous, root, static_cast<std::uint32_t>(leaves.size()),
                         number(expected, "target_beacon_chain_block_number"));
  check.bytes("header", bytes_of(header));
  check.number("num_segments", header.num_segments.value());
  check.number("max_segment_index", header.max_segment_index.value());
  const SegmentProof proof = super_segment_proof(leaves, position);
  for (std::size_t i = 0; i < proof.size(); ++i) {
    check.is_true(
        fixed_bytes<Hash>(expected.at("segment_proof").at(i), "segment_proof") == proof[i],
        "segment_proof[" + std::to_string(i) + "] differs");
  }

  const auto filled_in = [&](std::size_t piece_position) {
    auto piece = std::make_unique<Piece>(segment.pieces.all()[piece_position % kNumPieces]);
    piece->header.super_segment_index = header.index;
    piece->header.segment_position = position.value();
    piece->header.segment_proof = proof;
    return piece;
  };
  for (const nlohmann::json& piece : expected.at("pieces")) {
    const PiecePtr actual = filled_in(number(piece, "position"));
    const CaseChecker one(piece, fail, "pieces.");
    one.bytes("header", bytes_of(actual->header));
    one.digest("piece_blake3", bytes_of(*actual));
  }
  for (const nlohmann::json& one : expected.at("checks")) {
    const auto piece = filled_in(number(one, "piece"));
    const std::string change = one.at("check").get<std::string>();
    modify(change, *piece);
    CaseChecker(one, fail, "check '" + change + "': ")
        .boolean(
            "valid",
            is_valid_piece(
                options.mode, *piece, root, static_cast<std::uint32_t>(number(one, "num_segments")),
                PiecePosition(static_cast<std::uint8_t>(number(one, "piece_position")))));
  }
}

/// A restarted archiver, given the rest of the blocks, goes on with the same segments.
void check_restart(const nlohmann::json& expected, const std::vector<ArchivedSegment>& segments,
                   const ComputeOptions& compute, const VectorReport::Fail& fail) {
  const nlohmann::json& restart = expected.at("restart_check");
  const nlohmann::json& steps = expected.at("steps");
  const std::size_t from = number(restart, "from_segment");
  const std::size_t given = number(restart, "block_given");
  Archiver archiver =
      Archiver::restart(ShardIndex(static_cast<std::uint32_t>(number(expected, "shard_index"))),
                        segments.at(from).header, block_bytes(steps.at(given)), compute);
  std::size_t next = from + 1;
  for (std::size_t i = given + 1; i < steps.size(); ++i) {
    for (const ArchivedSegment& segment : archiver.add_block(block_bytes(steps[i])).segments) {
      const ArchivedSegment& original = segments.at(next++);
      const bool same =
          segment.header == original.header &&
          std::equal(segment.pieces.all().begin(), segment.pieces.all().end(),
                     original.pieces.all().begin(), [](const Piece& a, const Piece& b) {
                       return a.header == b.header && a.record == b.record;
                     });
      if (!same) {
        fail("the restarted archiver gives another segment " + std::to_string(next - 1));
      }
    }
  }
  if (next != segments.size()) {
    fail("the restarted archiver gives " + std::to_string(next - from - 1) + " segments");
  }
}

void run_archive_case(const nlohmann::json& expected, const VectorOptions& options,
                      VectorReport& report, const std::string& name) {
  const ComputeOptions compute{.threads = options.threads, .simd_mode = options.mode};
  std::vector<ArchivedSegment> segments;
  report.run_case(name + ", blocks", [&](const VectorReport::Fail& fail) {
    Archiver archiver(ShardIndex(static_cast<std::uint32_t>(number(expected, "shard_index"))),
                      compute);
    for (const nlohmann::json& step : expected.at("steps")) {
      std::vector<std::uint8_t> block = block_bytes(step);
      const CaseChecker check(step, fail, "block " + std::to_string(number(step, "block")) + ".");
      check.digest("block_blake3", block);
      BlockOutcome outcome = archiver.add_block(std::move(block), block_objects(step));
      check.number("segments_produced", outcome.segments.size());
      check_objects(step, outcome.objects, fail);
      std::move(outcome.segments.begin(), outcome.segments.end(), std::back_inserter(segments));
    }
  });
  const nlohmann::json& expected_segments = expected.at("segments");
  for (std::size_t i = 0; i < expected_segments.size(); ++i) {
    report.run_case(name + ", segment " + std::to_string(i), [&](const VectorReport::Fail& fail) {
      check_segment(expected_segments[i], segments.at(i), options, fail);
    });
  }
  for (const nlohmann::json& one : list_or_none(expected, "super_segments")) {
    report.run_case(name + ", super segment of " + std::to_string(number(one, "num_segments")) +
                        ", position " + std::to_string(number(one, "segment_position")),
                    [&](const VectorReport::Fail& fail) {
                      check_super_segment(one, segments.at(0), options, fail);
                    });
  }
  if (expected.contains("restart_check")) {
    report.run_case(name + ", restart", [&](const VectorReport::Fail& fail) {
      check_restart(expected, segments, compute, fail);
    });
  }
}

}  // namespace

void run_archive_vectors(const nlohmann::json& file, const VectorOptions& options,
                         VectorReport& report) {
  for (const nlohmann::json& expected : file.at("cases")) {
    run_archive_case(expected, options, report,
                     "archive, " + expected.value("name", "case without a name"));
  }
}

}  // namespace furrow::vectors
