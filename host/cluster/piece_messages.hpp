// SPDX-License-Identifier: Apache-2.0
// How pieces are found in caches, read from them and asked of a controller
// (docs/spec/07-cluster-protocol.md, section 8.1; docs/spec/09-autonomys.md, section 13.2). What carries
// pieces is a template over their type. Integers are little-endian.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "host/cluster/identifiers.hpp"
#include "host/cluster/message.hpp"
#include "host/cluster/subjects.hpp"
#include "host/cluster/wire_values.hpp"

namespace furrow::cluster {

/// Place of a piece in a cache.
using CacheOffset = Index<struct CacheOffsetTag, std::uint32_t>;

/// Where a piece is: cache, then u32 offset, 21 bytes.
struct CachedPlace {
  PieceCacheId piece_cache_id;
  CacheOffset offset;
  bool operator==(const CachedPlace&) const = default;
  static void visit(auto& self, auto& field) {
    field("piece cache id", self.piece_cache_id);
    field("offset", self.offset);
  }
};

struct FindPieceResponse {
  static constexpr std::string_view kName = "find piece in cache response";
  std::optional<CachedPlace> found;
  bool operator==(const FindPieceResponse&) const = default;
  static void visit(auto& self, auto& field) { field("found", self.found); }
};

/// The instance is a cache group.
struct FindPieceRequest {
  static constexpr std::string_view kName = "find piece in cache request";
  static constexpr SubjectTemplate kSubject{"controller.*.find-piece-in-cache", Sharing::kGroup,
                                            kControllerGroup};
  using Response = FindPieceResponse;
  PieceIndex piece_index;
  bool operator==(const FindPieceRequest&) const = default;
  static void visit(auto& self, auto& field) { field("piece index", self.piece_index); }
};

/// Of the pieces that were asked for, one that is in a cache.
struct FoundPiece {
  static constexpr std::string_view kName = "found piece";
  PieceIndex piece_index;
  CachedPlace place;
  bool operator==(const FoundPiece&) const = default;
  static void visit(auto& self, auto& field) {
    field("piece index", self.piece_index);
    field("place", self.place);
  }
};

/// The instance is a cache group.
struct FindPiecesRequest {
  static constexpr std::string_view kName = "find pieces in cache request";
  static constexpr SubjectTemplate kSubject{"controller.*.find-pieces-in-cache", Sharing::kGroup,
                                            kControllerGroup};
  using Element = FoundPiece;
  std::vector<PieceIndex> piece_indices;
  bool operator==(const FindPiecesRequest&) const = default;
  static void visit(auto& self, auto& field) { field("piece indices", self.piece_indices); }
};

/// Empty where the slot of the cache is.
template <class P>
struct ReadPieceResponseOf {
  static constexpr std::string_view kName = "read piece response";
  ResultOf<std::optional<IndexedPieceOf<P>>> result;
  bool operator==(const ReadPieceResponseOf&) const = default;
  static void visit(auto& self, auto& field) { field("result", self.result); }
};
using ReadPieceResponse = ReadPieceResponseOf<Piece>;

/// The instance is a piece cache.
template <class P>
struct ReadPieceRequestOf {
  static constexpr std::string_view kName = "read piece request";
  static constexpr SubjectTemplate kSubject{"cache.*.read-piece", Sharing::kInstance};
  using Response = ReadPieceResponseOf<P>;
  CacheOffset offset;
  bool operator==(const ReadPieceRequestOf&) const = default;
  static void visit(auto& self, auto& field) { field("offset", self.offset); }
};
using ReadPieceRequest = ReadPieceRequestOf<Piece>;

/// What a slot of a cache holds.
template <class P>
struct CacheSlotOf {
  CacheOffset offset;
  std::optional<IndexedPieceOf<P>> found;
  bool operator==(const CacheSlotOf&) const = default;
  static void visit(auto& self, auto& field) {
    field("offset", self.offset);
    field("found", self.found);
  }
};
using CacheSlot = CacheSlotOf<Piece>;

/// An error does not say which slot it is about.
template <class P>
struct ReadPiecesElementOf {
  static constexpr std::string_view kName = "read pieces element";
  ResultOf<CacheSlotOf<P>> result;
  bool operator==(const ReadPiecesElementOf&) const = default;
  static void visit(auto& self, auto& field) { field("result", self.result); }
};
using ReadPiecesElement = ReadPiecesElementOf<Piece>;

/// The instance is a piece cache.
template <class P>
struct ReadPiecesRequestOf {
  static constexpr std::string_view kName = "read pieces request";
  static constexpr SubjectTemplate kSubject{"cache.*.read-pieces", Sharing::kInstance};
  using Element = ReadPiecesElementOf<P>;
  std::vector<CacheOffset> offsets;
  bool operator==(const ReadPiecesRequestOf&) const = default;
  static void visit(auto& self, auto& field) { field("offsets", self.offsets); }
};
using ReadPiecesRequest = ReadPiecesRequestOf<Piece>;

struct ReadPieceIndexResponse {
  static constexpr std::string_view kName = "read piece index response";
  ResultOf<std::optional<PieceIndex>> result;
  bool operator==(const ReadPieceIndexResponse&) const = default;
  static void visit(auto& self, auto& field) { field("result", self.result); }
};

/// The instance is a piece cache.
struct ReadPieceIndexRequest {
  static constexpr std::string_view kName = "read piece index request";
  static constexpr SubjectTemplate kSubject{"cache.*.read-piece-index", Sharing::kInstance};
  using Response = ReadPieceIndexResponse;
  CacheOffset offset;
  bool operator==(const ReadPieceIndexRequest&) const = default;
  static void visit(auto& self, auto& field) { field("offset", self.offset); }
};

/// The index of the piece in a slot of a cache.
struct SlotIndex {
  CacheOffset offset;
  std::optional<PieceIndex> piece_index;
  bool operator==(const SlotIndex&) const = default;
  static void visit(auto& self, auto& field) {
    field("offset", self.offset);
    field("piece index", self.piece_index);
  }
};

struct ContentsElement {
  static constexpr std::string_view kName = "cache contents element";
  ResultOf<SlotIndex> result;
  bool operator==(const ContentsElement&) const = default;
  static void visit(auto& self, auto& field) { field("result", self.result); }
};

/// What is in a cache. The instance is a piece cache. No bytes.
struct ContentsRequest {
  static constexpr std::string_view kName = "cache contents request";
  static constexpr SubjectTemplate kSubject{"cache.*.contents", Sharing::kInstance};
  using Element = ContentsElement;
  bool operator==(const ContentsRequest&) const = default;
  static void visit(auto&, auto&) {}
};

struct WritePieceResponse {
  static constexpr std::string_view kName = "write piece response";
  ResultOf<Nothing> result;
  bool operator==(const WritePieceResponse&) const = default;
  static void visit(auto& self, auto& field) { field("result", self.result); }
};

/// Controllers alone write. The instance is a piece cache.
template <class P>
struct WritePieceRequestOf {
  static constexpr std::string_view kName = "write piece request";
  static constexpr SubjectTemplate kSubject{"cache.*.write-piece", Sharing::kInstance};
  using Response = WritePieceResponse;
  CacheOffset offset;
  IndexedPieceOf<P> piece;
  bool operator==(const WritePieceRequestOf&) const = default;
  static void visit(auto& self, auto& field) {
    field("offset", self.offset);
    field("indexed piece", self.piece);
  }
};
using WritePieceRequest = WritePieceRequestOf<Piece>;

/// None: searched for and not found.
template <class P>
struct PieceResponseOf {
  static constexpr std::string_view kName = "piece response";
  std::optional<SharedPieceOf<P>> piece;
  bool operator==(const PieceResponseOf&) const = default;
  static void visit(auto& self, auto& field) { field("piece", self.piece); }
};
using PieceResponse = PieceResponseOf<Piece>;

/// A piece by any means.
template <class P>
struct PieceRequestOf {
  static constexpr std::string_view kName = "piece request";
  static constexpr SubjectTemplate kSubject{"controller.piece", Sharing::kGroup, kControllerGroup};
  using Response = PieceResponseOf<P>;
  PieceIndex piece_index;
  bool operator==(const PieceRequestOf&) const = default;
  static void visit(auto& self, auto& field) { field("piece index", self.piece_index); }
};
using PieceRequest = PieceRequestOf<Piece>;

template <class P>
struct PiecesElementOf {
  static constexpr std::string_view kName = "pieces element";
  IndexedPieceOf<P> piece;
  bool operator==(const PiecesElementOf&) const = default;
  static void visit(auto& self, auto& field) { field("indexed piece", self.piece); }
};
using PiecesElement = PiecesElementOf<Piece>;

/// Pieces by any means; those that are not found are missing from the stream.
template <class P>
struct PiecesRequestOf {
  static constexpr std::string_view kName = "pieces request";
  static constexpr SubjectTemplate kSubject{"controller.pieces", Sharing::kGroup, kControllerGroup};
  using Element = PiecesElementOf<P>;
  std::vector<PieceIndex> piece_indices;
  bool operator==(const PiecesRequestOf&) const = default;
  static void visit(auto& self, auto& field) { field("piece indices", self.piece_indices); }
};
using PiecesRequest = PiecesRequestOf<Piece>;

}  // namespace furrow::cluster
