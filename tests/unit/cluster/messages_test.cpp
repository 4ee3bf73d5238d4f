// SPDX-License-Identifier: Apache-2.0
// The examples of docs/spec/07, sections 4, 7 and 12, byte by byte, and what decoding refuses.
#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include "host/base/hex.hpp"
#include "host/cluster/chain_messages.hpp"
#include "host/cluster/farm_messages.hpp"
#include "host/cluster/piece_messages.hpp"
#include "host/cluster/plotter_messages.hpp"
#include "host/cluster/stream_message.hpp"
#include "tools/vectors/golden_stream.hpp"

namespace furrow::cluster {
namespace {

using namespace std::chrono_literals;

const std::string kUlid = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
const std::string kAckSubject = "stream-response-ack." + kUlid;
const std::string kIdBytes = "5bbd0293b9ef614c76d6d3b53a3e5601";

template <class T>
std::string hex_of(const T& message) {
  return to_hex(encode_message(message));
}

template <class T>
T decoded(const std::string& hex) {
  return decode_message<T>(from_hex(hex, "test"));
}

/// Both ways.
template <class T>
void expect_bytes(const T& message, const std::string& hex) {
  EXPECT_EQ(hex_of(message), hex) << T::kName;
  EXPECT_EQ(decoded<T>(hex), message) << T::kName;
}

std::string stream_hex(std::uint32_t index, const std::vector<PlottingProgress>& elements,
                       bool is_last) {
  std::vector<Bytes> encoded;
  for (const PlottingProgress& element : elements) {
    encoded.push_back(encode_message(element));
  }
  return to_hex(encode_stream_message(index, encoded, is_last ? "" : kAckSubject));
}

PieceCacheId cache_id() {
  return {Ulid::parse(kUlid)};
}

SharedPiece some_piece() {
  const auto piece = std::make_shared<Piece>();
  const std::vector<std::uint8_t> bytes = vectors::stream(7, sizeof(Piece));
  std::copy(bytes.begin(), bytes.end(), mutable_bytes_of(*piece).begin());
  return {piece};
}

FarmerProtocolInfo protocol_info() {
  FarmerProtocolInfo info;
  info.history_size = HistorySize::from_count(42);
  return info;
}

const std::string kProtocolInfo =
    "2900000000000000e8030400000000000000000000000000000009000000000000000300000000000000";

TEST(ClusterMessages, IdentifiersAreTheirBytesReversed) {
  expect_bytes(CacheIdentify{{Ulid::parse(kUlid)}}, "00" + kIdBytes);
  expect_bytes(FarmerIdentify{{Ulid::parse(kUlid)}}, kIdBytes);
  expect_bytes(CacheDetails{cache_id(), 1000}, "00" + kIdBytes + "e8030000");
  expect_bytes(FarmDetails{{Ulid::parse(kUlid)}, 945}, "00" + kIdBytes + "b103");
}

TEST(ClusterMessages, IdentifiersAreDrawnOnceAndBeginWithTheTime) {
  const Ulid one = draw_ulid();
  EXPECT_NE(one, draw_ulid());
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::system_clock::now().time_since_epoch());
  const Ulid from = Ulid::from_parts(static_cast<std::uint64_t>((now - 1h).count()), {});
  const Ulid to = Ulid::from_parts(static_cast<std::uint64_t>((now + 1h).count()), {});
  EXPECT_LT(from.bytes, one.bytes);
  EXPECT_LT(one.bytes, to.bytes);
}

TEST(ClusterMessages, FreeInstance) {
  EXPECT_EQ(hex_of(FreeInstanceRequest{}), "");
  expect_bytes(FreeInstanceResponse{}, "00");
  expect_bytes(FreeInstanceResponse{kUlid},
               "0168303141525a334e44454b54535634525246465136394735464156");
}

TEST(ClusterMessages, PlotSectorRequest) {
  PlotSectorRequest request;
  request.public_key.bytes.fill(0xAA);
  request.shard_commitments_root.bytes.fill(0xBB);
  request.sector_index = SectorIndex(7);
  request.farmer_protocol_info = protocol_info();
  request.pieces_in_sector = 1000;
  std::string hex;
  for (int i = 0; i < 32; ++i) {
    hex += "aa";
  }
  for (int i = 0; i < 32; ++i) {
    hex += "bb";
  }
  hex += "0700" + kProtocolInfo + "e803";
  EXPECT_EQ(hex.size(), 2U * 110);
  expect_bytes(request, hex);
}

TEST(ClusterMessages, PlottingProgress) {
  using P = PlottingProgress;
  const Duration time = Duration::from(3250ms);
  expect_bytes(P{P::Occupied{}}, "00");
  expect_bytes(P{P::Ping{}}, "01");
  expect_bytes(P{P::Downloading{}}, "02");
  expect_bytes(P{P::Downloaded{time}}, "03030000000000000080b2e60e");
  expect_bytes(P{P::Encoding{}}, "04");
  expect_bytes(P{P::Encoded{time}}, "05030000000000000080b2e60e");
  expect_bytes(P{P::SectorChunk{Bytes{0xDE, 0xAD, 0xBE}}}, "07000cdeadbe");
  expect_bytes(P{P::SectorChunk{RemoteFailure{"boom"}}}, "070110626f6f6d");
  expect_bytes(P{P::Failed{"boom"}}, "0810626f6f6d");
}

TEST(ClusterMessages, ChunksAreEncodedWithoutBeingCopiedFirst) {
  for (const std::size_t size : {0U, 3U, 63U, 64U, 16383U, 16384U, 1887436U}) {
    const Bytes data = vectors::stream(size, size);
    EXPECT_EQ(encode_sector_chunk(data),
              encode_message(PlottingProgress{PlottingProgress::SectorChunk{data}}));
  }
  const Bytes full = encode_sector_chunk(Bytes(1'887'436));
  EXPECT_EQ(to_hex(std::span(full).first(6)), "070032337300");
}

TEST(ClusterMessages, FinishedSectorHasItsFieldsWhereTheyBelong) {
  PlottedSector sector;
  sector.sector_id.bytes.fill(0xCC);
  sector.sector_index = SectorIndex(7);
  sector.sector_metadata.sector_index = SectorIndex(7);
  sector.sector_metadata.pieces_in_sector = 1000;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    sector.piece_indexes.emplace_back(i * i);
  }
  const PlottingProgress message{PlottingProgress::Finished{sector, Duration::from(3250ms)}};
  const Bytes bytes = encode_message(message);
  EXPECT_EQ(bytes.size(), 139'165U);
  EXPECT_EQ(to_hex(std::span(bytes).subspan(0, 2)), "06cc");
  EXPECT_EQ(to_hex(std::span(bytes).subspan(33, 4)), "07000700");
  EXPECT_EQ(to_hex(std::span(bytes).subspan(131'151, 10)), "a10f0000000000000000");
  EXPECT_EQ(to_hex(std::span(bytes).subspan(139'153)), "030000000000000080b2e60e");
  EXPECT_EQ(decode_message<PlottingProgress>(bytes), message);
  EXPECT_EQ(encode_stream_message(4, std::vector<Bytes>(1, bytes), kAckSubject).size(), 139'218U);
}

TEST(ClusterMessages, StreamMessages) {
  using P = PlottingProgress;
  const std::string ack =
      "b873747265616d2d726573706f6e73652d61636b2e"
      "303141525a334e44454b54535634525246465136394735464156";
  EXPECT_EQ(stream_hex(0, {P{P::Ping{}}, P{P::Downloading{}}}, false), "0000000000080102" + ack);
  EXPECT_EQ(stream_hex(1, {P{P::Downloaded{Duration::from(3250ms)}}}, false),
            "00010000000403030000000000000080b2e60e" + ack);
  EXPECT_EQ(stream_hex(563, {}, true), "013302000000");
  EXPECT_EQ(stream_hex(0, {P{P::Occupied{}}}, true), "01000000000400");
  EXPECT_EQ(stream_hex(2, {P{P::Failed{"boom"}}}, true), "0102000000040810626f6f6d");
  EXPECT_EQ(stream_hex(0, {}, true), "010000000000");
  expect_bytes(StreamAcknowledgement{0}, "00000000");
  expect_bytes(StreamAcknowledgement{1}, "01000000");
}

TEST(ClusterMessages, StreamMessageOfAFullChunkIsTheDataAnd59Bytes) {
  const Bytes chunk = encode_sector_chunk(Bytes(1'887'436));
  EXPECT_EQ(encode_stream_message(5, std::vector<Bytes>(1, chunk), kAckSubject).size(),
            1'887'436U + 59);
}

TEST(ClusterMessages, SizeOfAStreamMessageIsKnownBeforeItIsMade) {
  const std::string longer = "stream-response-ack." + std::string(64, 'A');
  for (const std::size_t n : {0U, 1U, 63U, 64U, 16383U, 16384U}) {
    const std::vector<Bytes> elements(n, Bytes{1});
    for (const std::string& ack_subject : {std::string(), kAckSubject, longer}) {
      EXPECT_EQ(encoded_stream_message_size(encoded_list_size(n, n), ack_subject),
                encode_stream_message(9, elements, ack_subject).size())
          << n;
    }
  }
}

TEST(ClusterMessages, FindPieces) {
  expect_bytes(FindPieceRequest{PieceIndex(300)}, "2c01000000000000");
  expect_bytes(FindPieceResponse{CachedPlace{cache_id(), CacheOffset(5)}},
               "0100" + kIdBytes + "05000000");
  expect_bytes(FindPieceResponse{}, "00");
  expect_bytes(FindPiecesRequest{{PieceIndex(1), PieceIndex(300)}},
               "0801000000000000002c01000000000000");
  expect_bytes(FoundPiece{PieceIndex(300), {cache_id(), CacheOffset(5)}},
               "2c0100000000000000" + kIdBytes + "05000000");
}

TEST(ClusterMessages, ReadPieces) {
  const SharedPiece piece = some_piece();
  const std::string piece_hex = "620f4000" + to_hex(bytes_of(*piece.piece));
  expect_bytes(ReadPieceRequest{CacheOffset(5)}, "05000000");
  expect_bytes(ReadPieceResponse{IndexedPiece{PieceIndex(300), piece}},
               "00012c01000000000000" + piece_hex);
  EXPECT_EQ(encode_message(ReadPieceResponse{IndexedPiece{PieceIndex(300), piece}}).size(),
            1'049'574U);
  expect_bytes(ReadPieceResponse{}, "0000");
  expect_bytes(ReadPieceResponse{RemoteFailure{"boom"}}, "0110626f6f6d");
  expect_bytes(ReadPiecesRequest{{CacheOffset(5), CacheOffset(6)}}, "080500000006000000");
  expect_bytes(ReadPiecesElement{CacheSlot{CacheOffset(5), IndexedPiece{PieceIndex(300), piece}}},
               "0005000000012c01000000000000" + piece_hex);
  expect_bytes(ReadPiecesElement{CacheSlot{CacheOffset(6), {}}}, "000600000000");
  expect_bytes(PieceRequest{PieceIndex(300)}, "2c01000000000000");
  expect_bytes(PieceResponse{piece}, "01" + piece_hex);
  expect_bytes(PieceResponse{}, "00");
  expect_bytes(PiecesElement{{PieceIndex(300), piece}}, "2c01000000000000" + piece_hex);
}

TEST(ClusterMessages, FarmerAppInfo) {
  FarmerAppInfo info;
  info.genesis_root.bytes.fill(0xCC);
  info.farming_timeout = Duration::from(3200ms);
  info.protocol_info = protocol_info();
  std::string hex = "00";
  for (int i = 0; i < 32; ++i) {
    hex += "cc";
  }
  hex += "0000030000000000000000c2eb0b" + kProtocolInfo;
  EXPECT_EQ(hex.size(), 2U * 89);
  expect_bytes(FarmerAppInfoResponse{info}, hex);
}

TEST(ClusterMessages, SuperSegments) {
  SuperSegmentHeader header;
  header.index = 5;
  expect_bytes(SuperSegmentHeadersRequest{{SuperSegmentIndex(5), SuperSegmentIndex(6)}},
               "0805000000000000000600000000000000");
  expect_bytes(SuperSegmentHeadersResponse{{header, {}}}, "0801" + to_hex(bytes_of(header)) + "00");
  expect_bytes(SuperSegmentRootRequest{SegmentIndex(41)}, "2900000000000000");
  expect_bytes(SuperSegmentRootResponse{Hash{}}, "01" + std::string(64, '0'));
  expect_bytes(SuperSegmentRootResponse{}, "00");
  EXPECT_EQ(NewSuperSegmentHeader{header}.message_id(), "new-super-segment-5");
}

TEST(ClusterMessages, DurationsRoundDownAndStayAboveZero) {
  EXPECT_EQ(Duration::from(-1s), Duration());
  EXPECT_EQ(Duration::from(1'999'999'999ns), (Duration{1, 999'999'999}));
}

// What decoding refuses names message and field, and says what was expected.

template <class T>
MalformedMessage refusal(const std::string& hex) {
  try {
    (void)decoded<T>(hex);
  } catch (const MalformedMessage& error) {
    return error;
  }
  ADD_FAILURE() << hex << " was accepted";
  return {"", "", 0, "", ""};
}

TEST(ClusterMessages, RefusalNamesMessageFieldPlaceExpectedAndActual) {
  const MalformedMessage error = refusal<PlottingProgress>("03000000000000000000ca9a3b");
  EXPECT_EQ(error.message(), "plotting progress");
  EXPECT_EQ(error.field(), "nanoseconds");
  EXPECT_EQ(error.fields().offset, 9U);
  EXPECT_EQ(error.fields().expected, "below 1000000000");
  EXPECT_EQ(error.fields().actual, "1000000000");
  EXPECT_STREQ(error.what(),
               "plotting progress: nanoseconds at byte 9: expected below 1000000000, actual "
               "1000000000");
}

TEST(ClusterMessages, CutInputIsRefusedByField) {
  const MalformedMessage error = refusal<PlotSectorRequest>(std::string(2 * 70, '0'));
  EXPECT_EQ(error.field(), "history size");
  EXPECT_EQ(error.fields().offset, 66U);
  EXPECT_EQ(error.fields().expected, "8 more bytes");
  EXPECT_EQ(error.fields().actual, "4");
}

TEST(ClusterMessages, ListsThatCannotBeThereAreRefusedBeforeTheyTakeMemory) {
  EXPECT_EQ(refusal<FindPiecesRequest>("13ffffffffffffffff").fields().actual, "0 bytes");
  // As many elements as there are bytes, but of eight bytes each.
  EXPECT_EQ(refusal<FindPiecesRequest>("0c010203").field(), "piece indices");
  ScaleWriter headers;
  headers.compact(1001);
  for (int i = 0; i < 1001; ++i) {
    headers.u8(0);
  }
  EXPECT_EQ(refusal<SuperSegmentHeadersResponse>(to_hex(headers.bytes())).fields().expected,
            "at most 1000 elements");
  ScaleWriter nodes;
  nodes.raw(Hash{}.bytes).compact(kMaxBootstrapNodes + 1).raw(Bytes(kMaxBootstrapNodes + 200));
  EXPECT_EQ(refusal<FarmerAppInfoResponse>("00" + to_hex(nodes.bytes())).field(),
            "bootstrap nodes");
}

TEST(ClusterMessages, TextThatIsNoUtf8IsShownSafely) {
  EXPECT_EQ(refusal<PlottingProgress>("080c1b0ac3").fields().actual, "'\\x1B\\n\\xC3'");
}

TEST(ClusterMessages, StreamsAreRefusedThatWantTheirAcknowledgementsAtNoSubject) {
  for (const std::string& subject :
       {std::string(), std::string("a b"), std::string("a.*"), std::string(">"),
        std::string("a\r\nPUB x 0\r\n\r\n"), std::string(1025, 'a')}) {
    ScaleWriter out;
    out.u8(0).u32(0).compact(1).u8(1).text(subject);
    EXPECT_THROW((void)decode_stream_message<PlottingProgress>(out.bytes()), MalformedMessage)
        << subject;
  }
}

template <class Element>
Element looked_at(const Bytes& bytes) {
  MessageReader in(Element::kName, bytes);
  in.look_only();
  Element element = decode_from<Element>(in);
  EXPECT_EQ(in.offset(), bytes.size());
  return element;
}

TEST(ClusterMessages, LookingAtBytesRefusesWhatReadingRefusesAndKeepsNoBytes) {
  using Chunk = PlottingProgress::SectorChunk;
  const Bytes chunk = encode_sector_chunk(Bytes(1000, 5));
  EXPECT_EQ(std::get<Chunk>(looked_at<PlottingProgress>(chunk).event), Chunk{Bytes()});
  EXPECT_THROW(looked_at<PlottingProgress>(Bytes(chunk.begin(), chunk.end() - 1)),
               MalformedMessage);

  const auto piece = std::make_shared<Piece>();
  const Bytes element = encode_message(PiecesElement{{PieceIndex(300), {piece}}});
  const PiecesElement looked = looked_at<PiecesElement>(element);
  EXPECT_EQ(looked.piece.piece_index, PieceIndex(300));
  EXPECT_EQ(looked.piece.piece.piece, nullptr);
  EXPECT_THROW(looked_at<PiecesElement>(Bytes(element.begin(), element.end() - 1)),
               MalformedMessage);
}

TEST(ClusterMessages, PlottedSectorsThatContradictThemselvesAreRefused) {
  PlottedSector sector;
  sector.sector_metadata.pieces_in_sector = 2;
  sector.piece_indexes = {PieceIndex(1)};
  EXPECT_EQ(refusal<PlottedSectorsElement>(hex_of(PlottedSectorsElement{sector})).field(),
            "plotted sector");
  sector.sector_metadata.pieces_in_sector = 1;
  Bytes bytes = encode_message(PlottedSectorsElement{sector});
  bytes[1 + 34 + 100] ^= 1;
  EXPECT_EQ(refusal<PlottedSectorsElement>(to_hex(bytes)).field(), "plotted sector");
}

}  // namespace
}  // namespace furrow::cluster
