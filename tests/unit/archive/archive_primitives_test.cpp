// SPDX-License-Identifier: Apache-2.0
// Small parts of archiving: items, commitments, super segments, the tree of known nodes.
#include <atomic>
#include <cstring>
#include <random>

#include <gtest/gtest.h>

#include "host/archive/known_tree.hpp"
#include "host/archive/segment_builder.hpp"
#include "host/archive/segment_item.hpp"
#include "host/archive/store_layout.hpp"
#include "host/archive/store_place.hpp"
#include "host/archive/super_segment.hpp"
#include "host/base/hex.hpp"
#include "host/base/parallel_for.hpp"
#include "host/base/utf8.hpp"
#include "host/primitives/merkle.hpp"

namespace furrow {
namespace {

using Bytes = std::vector<std::uint8_t>;

Hash filled(std::uint8_t byte) {
  Hash hash;
  hash.bytes.fill(byte);
  return hash;
}

SegmentHeader sample_header() {
  SegmentHeader header;
  header.index = 5;
  header.root = filled(0x11);
  header.prev_segment_header_hash = filled(0x22);
  header.last_archived_block = {9, 1234};
  return header;
}

TEST(SegmentHeader, KnownHashes) {
  EXPECT_EQ(to_hex(sample_header().hash().bytes),
            "74df94b7f77841fbbdd56538b7e5459d9c7c5e771766c76bf2ac73058170da77");
  EXPECT_EQ(to_hex(ShardSegmentRootWithPosition{7, 3, 5, filled(0x11)}.hash().bytes),
            "9e536a78f181dec6a06365fbdd1d278b6644a6699b2816cd7e2dd55d76789948");
}

TEST(SegmentItem, EncodingsComeBack) {
  Bytes segment;
  const auto append = [&](auto&& bytes) {
    segment.insert(segment.end(), bytes.begin(), bytes.end());
  };
  append(encode_parent_header_item(sample_header()));
  const Bytes data = {9, 8, 7};
  for (const auto kind : {SegmentItemKind::kBlock, SegmentItemKind::kBlockStart,
                          SegmentItemKind::kBlockContinuation}) {
    append(encode_item_prefix(kind, 3));
    append(data);
  }
  append(Bytes(5));
  append(encode_item_prefix(SegmentItemKind::kBlock, 0));
  EXPECT_EQ(to_hex(std::span(segment).subspan(85, 8)), "0103000000090807");

  SegmentItemReader reader(segment);
  auto item = reader.next();
  ASSERT_EQ(item->kind, SegmentItemKind::kParentSegmentHeader);
  EXPECT_EQ(item->parent_header, sample_header());
  EXPECT_EQ(item->encoded_size, 85U);
  for (const auto kind : {SegmentItemKind::kBlock, SegmentItemKind::kBlockStart,
                          SegmentItemKind::kBlockContinuation}) {
    item = reader.next();
    ASSERT_EQ(item->kind, kind);
    EXPECT_EQ(Bytes(item->data.begin(), item->data.end()), data);
  }
  EXPECT_EQ(item->offset, 85U + 16U);
  item = reader.next();
  ASSERT_EQ(item->kind, SegmentItemKind::kPadding);
  EXPECT_EQ(item->encoded_size, 5U);
  item = reader.next();
  ASSERT_EQ(item->kind, SegmentItemKind::kBlock);
  EXPECT_TRUE(item->data.empty());
  EXPECT_FALSE(reader.next());
}

TEST(SegmentItem, EveryCutIsRefusedOrEndsBetweenItems) {
  Bytes segment;
  const auto append = [&](auto&& bytes) {
    segment.insert(segment.end(), bytes.begin(), bytes.end());
  };
  append(encode_item_prefix(SegmentItemKind::kBlock, 20));
  append(Bytes(20, 0xFF));
  append(encode_parent_header_item(sample_header()));
  for (std::size_t length = 0; length <= segment.size(); ++length) {
    SegmentItemReader reader{std::span(segment).first(length)};
    const auto read_all = [&] {
      while (reader.next()) {
      }
    };
    if (length == 0 || length == 25 || length == segment.size()) {
      EXPECT_NO_THROW(read_all()) << length;
    } else {
      EXPECT_THROW(read_all(), MalformedSegment) << length;
    }
  }
}

TEST(SegmentItem, RefusesUnknownKindsAndLengthsAboveTheLimit) {
  for (unsigned kind = 5; kind < 256; ++kind) {
    const Bytes segment = {static_cast<std::uint8_t>(kind), 0, 0, 0, 0, 0};
    EXPECT_THROW(SegmentItemReader(segment).next(), MalformedSegment) << kind;
  }
  // More bytes than a segment, so that only the limit on the length itself can refuse.
  Bytes segment(kSegmentSize + 16);
  const auto set_length = [&](std::size_t length) {
    const auto prefix =
        encode_item_prefix(SegmentItemKind::kBlock, static_cast<std::uint32_t>(length));
    std::copy(prefix.begin(), prefix.end(), segment.begin());
  };
  set_length(kSegmentSize - 4);
  EXPECT_EQ(SegmentItemReader(segment).next()->data.size(), kSegmentSize - 4);
  set_length(kSegmentSize - 3);
  EXPECT_THROW(SegmentItemReader(segment).next(), MalformedSegment);
  set_length(0xFFFFFFFF);
  EXPECT_THROW(SegmentItemReader(segment).next(), MalformedSegment);
}

TEST(SegmentItem, RandomBytesAreReadOrRefusedWithinBounds) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  unsigned n_refused = 0;
  for (int round = 0; round < 2000; ++round) {
    Bytes segment(random() % 400);
    for (std::uint8_t& byte : segment) {
      byte = static_cast<std::uint8_t>(random() % 3 == 0 ? random() : random() % 5);
    }
    SegmentItemReader reader(segment);
    std::size_t end = 0;
    try {
      while (const auto item = reader.next()) {
        ASSERT_EQ(item->offset, end);
        ASSERT_GT(item->encoded_size, 0U);
        end += item->encoded_size;
        ASSERT_LE(end, segment.size());
      }
      ASSERT_EQ(end, segment.size());
    } catch (const MalformedSegment& error) {
      ASSERT_EQ(error.offset(), end);
      ++n_refused;
    }
  }
  EXPECT_GT(n_refused, 0U);
}

TEST(RecordCommitment, ZeroRecordAndZeroSegment) {
  const auto record = std::make_unique<Record>();
  for (const SimdMode mode : {SimdMode::kScalar, SimdMode::kBest}) {
    const RecordCommitment commitment = commit_record(mode, ErasureCoding(mode), *record);
    EXPECT_EQ(to_hex(commitment.parity_chunks_root.bytes),
              "f725a0a7a44b3f55447f0764f94cb2238474c9504be4d41c3e9c018eff57186a");
    EXPECT_EQ(to_hex(commitment.record_root.bytes),
              "7e92f659f6c51d9fb5185d4b62d47ed4d8c71c65cf033ef3ab1c906aae837c16");
    const std::vector<Hash> roots(kNumPieces, commitment.record_root);
    EXPECT_EQ(to_hex(BalancedMerkleTree(mode, roots).root().bytes),
              "d4614cce4c734cada05958ed6c18f8ea6d832b784b7a9d56d7ec3f1114e8c0dd");
  }
}

TEST(SuperSegment, HeadersFollowOneAnother) {
  const SuperSegmentHeader genesis = genesis_super_segment(filled(1));
  EXPECT_EQ(genesis.index.value(), 0U);
  EXPECT_EQ(genesis.max_segment_index.value(), 0U);
  EXPECT_EQ(genesis.prev_super_segment_header_hash, Hash{});
  EXPECT_EQ(genesis.target_beacon_chain_block_number.value(), 1U);
  EXPECT_EQ(genesis.num_segments.value(), 1U);
  EXPECT_EQ(segment_index_in(genesis, SegmentPosition(0)), SegmentIndex(0));

  const SuperSegmentHeader second = next_super_segment(genesis, filled(2), 3, 77);
  EXPECT_EQ(second.index.value(), 1U);
  EXPECT_EQ(second.root, filled(2));
  EXPECT_EQ(second.prev_super_segment_header_hash, genesis.hash());
  EXPECT_EQ(second.max_segment_index.value(), 3U);
  EXPECT_EQ(second.target_beacon_chain_block_number.value(), 77U);
  EXPECT_EQ(segment_index_in(second, SegmentPosition(0)), SegmentIndex(1));
  EXPECT_EQ(segment_index_in(second, SegmentPosition(2)), SegmentIndex(3));

  EXPECT_THROW(next_super_segment(genesis, filled(2), 0, 1), InvalidArgument);
  EXPECT_NO_THROW(next_super_segment(genesis, filled(2), kMaxSegmentsInSuperSegment, 1));
  EXPECT_THROW(next_super_segment(genesis, filled(2), kMaxSegmentsInSuperSegment + 1, 1),
               InvalidArgument);
}

TEST(SuperSegment, RootExistsForOneToTheMostSegments) {
  EXPECT_FALSE(super_segment_root({}));
  std::vector<Hash> leaves(kMaxSegmentsInSuperSegment + std::size_t{1});
  EXPECT_FALSE(super_segment_root(leaves));
  EXPECT_EQ(super_segment_root(std::span(leaves).first(1)), Hash{});
}

TEST(SuperSegment, ProofEndsAtItsFirstZeroElement) {
  SegmentProof proof{};
  EXPECT_EQ(used_part(proof).size(), 0U);
  proof[0] = filled(1);
  proof[2] = filled(1);
  EXPECT_EQ(used_part(proof).size(), 1U);
  proof.fill(filled(1));
  EXPECT_EQ(used_part(proof).size(), kSegmentProofHashes);
}

TEST(SuperSegment, LoneOnesCarryTheIndexOfTheirSegment) {
  SegmentHeader segment;
  segment.root = filled(3);
  std::optional<SuperSegmentHeader> previous;
  for (std::uint64_t i = 0; i < 4; ++i) {
    segment.index = i;
    const SuperSegmentHeader header = lone_super_segment(ShardIndex(0), segment, previous);
    EXPECT_EQ(header.index.value(), i);
    EXPECT_EQ(header.max_segment_index.value(), i);
    EXPECT_EQ(header.num_segments.value(), 1U);
    EXPECT_EQ(header.target_beacon_chain_block_number.value(), i + 1);
    EXPECT_EQ(header.prev_super_segment_header_hash, previous ? previous->hash() : Hash{});
    EXPECT_EQ(header.root, (ShardSegmentRootWithPosition{0, 0, i, filled(3)}.hash()));
    EXPECT_EQ(segment_index_in(header, SegmentPosition(0)), SegmentIndex(i));
    previous = header;
  }
}

// Whatever subset of leaves is verified, filling in the rest gives every proof of the whole tree,
// and a wrong leaf among the rest shows in the root.
TEST(KnownTree, RandomSubsetsGiveTheWholeTree) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::vector<Hash> leaves(kNumPieces);
  for (std::size_t i = 0; i < kNumPieces; ++i) {
    leaves[i] = blake3({reinterpret_cast<const std::uint8_t*>(&i), sizeof i});
  }
  const BalancedMerkleTree whole(SimdMode::kBest, leaves);
  for (const unsigned percent : {1U, 10U, 50U, 90U, 99U}) {
    KnownTree tree(whole.root());
    std::vector<std::uint8_t> positions_missing;
    for (std::size_t i = 0; i < kNumPieces; ++i) {
      if (random() % 100 < percent) {
        const std::vector<Hash> proof = whole.proof(i);
        tree.add_verified(PiecePosition(static_cast<std::uint8_t>(i)), leaves[i],
                          std::span<const Hash, kRecordProofHashes>(proof));
      } else {
        positions_missing.push_back(static_cast<std::uint8_t>(i));
      }
    }
    const std::span<const Hash, kNumPieces> all(leaves);
    for (const std::uint8_t position : positions_missing) {
      const std::size_t node = tree.lowest_known(PiecePosition(position));
      const auto [first, last] = KnownTree::positions_below(node);
      ASSERT_LE(first, position);
      ASSERT_GT(last, position);
      KnownTree damaged = tree;
      std::vector<Hash> wrong = leaves;
      wrong[position].bytes[31] ^= 1;
      ASSERT_NE(damaged.fill_below(node, std::span<const Hash, kNumPieces>(wrong)), whole.root());
      ASSERT_EQ(tree.fill_below(node, all), whole.root());
    }
    for (std::size_t i = 0; i < kNumPieces; ++i) {
      const auto proof = tree.proof(PiecePosition(static_cast<std::uint8_t>(i)));
      ASSERT_EQ(std::vector<Hash>(proof.begin(), proof.end()), whole.proof(i)) << i;
    }
  }
}

TEST(ParallelFor, DoesEveryPartOnce) {
  for (const unsigned threads : {0U, 1U, 2U, 5U}) {
    for (const std::size_t n : {0UL, 1UL, 2UL, 100UL}) {
      std::vector<std::atomic<int>> calls(n);
      parallel_for(n, threads, [&](std::size_t i) { ++calls[i]; });
      for (std::size_t i = 0; i < n; ++i) {
        ASSERT_EQ(calls[i], 1) << "part " << i << " of " << n;
      }
    }
  }
}

TEST(ParallelFor, ThrowsTheFirstError) {
  for (const unsigned threads : {1U, 3U}) {
    EXPECT_THROW(parallel_for(10, threads,
                              [](std::size_t i) {
                                if (i == 4) {
                                  throw InvalidArgument("4");
                                }
                              }),
                 InvalidArgument);
  }
}

TEST(Utf8, KnownTexts) {
  for (const char* text :
       {"", "a", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xEF\xBF\xBF", "\xED\x9F\xBF",
        "\xEE\x80\x80", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(is_utf8(text)) << text;
  }
  for (const char* text :
       {"\x80", "\xC1\xBF", "\xC2", "\xC2z", "\xE0\x9F\xBF", "\xE1\x80", "\xED\xA0\x80",
        "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF8\x88\x80\x80", "ok\xFF"}) {
    EXPECT_FALSE(is_utf8(text)) << text;
  }
}

TEST(StoreLayout, Names) {
  EXPECT_EQ(segment_pack_name(SegmentIndex(0)), "segment-0000000000.pack");
  EXPECT_EQ(segment_pack_name(SegmentIndex(1234567890)), "segment-1234567890.pack");
  EXPECT_EQ(segment_pack_name(SegmentIndex(12345678901)), "segment-12345678901.pack");
  for (const char* name : {"segment-0000000000.pack", "segment-12345678901.pack",
                           ".manifest.json.0123456789abcdef.furrow-tmp"}) {
    EXPECT_TRUE(is_leftover_name(name)) << name;
  }
  for (const char* name : {"manifest.json", "segment-.pack", "segment-000000000.pack",
                           "segment-000000000x.pack", "segment-0000000000.pack.old",
                           "a-segment-0000000000.pack", "manifest.json.tmp", "index", ""}) {
    EXPECT_FALSE(is_leftover_name(name)) << name;
  }
}

// Written out once: the ids are in files.
TEST(StorePlace, IdsAreAsDrawn) {
  const StorePlace place{.segment = SegmentIndex(0x1234'5678), .offset = 0x9ABC'DEF0};
  EXPECT_EQ(place.id(), 0x1234'5678'9ABC'DEF0U);
  EXPECT_EQ(StorePlace::from_id(place.id()), place);
  const StorePlace shared{.segment = SegmentIndex(1), .offset = 32, .is_shared = true};
  EXPECT_EQ(shared.id(), 0x8000'0001'0000'0020U);
  EXPECT_EQ(StorePlace::from_id(shared.id()), shared);
  const StorePlace last{
      .segment = SegmentIndex(0x7FFF'FFFD), .offset = 0xFFFF'FFFF, .is_shared = true};
  EXPECT_LT(last.id(), kDeletedId);
  EXPECT_EQ(StorePlace::from_id(last.id()), last);
}

TEST(StorePlace, EntriesAreOfTheHistoryThatEndsWithTheSegment) {
  SegmentPlaces places;
  places[3] = {.segment = SegmentIndex(7), .offset = 32};
  places[255] = {.segment = SegmentIndex(7), .offset = 32, .is_shared = true};
  Hash root;
  root.bytes.fill(9);
  const std::vector<IndexEntry> entries = index_entries(places, SegmentIndex(7), root);
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].key, piece_key(root, 3));
  EXPECT_EQ(entries[0].height, 8);
  EXPECT_EQ(entries[0].id, places[3]->id());
  EXPECT_EQ(entries[1].key, piece_key(root, 255));
  EXPECT_EQ(entries[1].id, places[255]->id());
  EXPECT_NO_THROW(index_entries(places, SegmentIndex(0x7FFF'FFFD), root));
  EXPECT_THROW(index_entries(places, SegmentIndex(0x7FFF'FFFE), root), InvalidArgument);
}

}  // namespace
}  // namespace furrow
