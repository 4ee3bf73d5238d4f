// SPDX-License-Identifier: Apache-2.0
// Messages of Autonomys about sectors and pieces against that network's own vectors
// (docs/spec/09-autonomys.md, section 13): bytes, subjects, queue groups, and what must be refused.
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "furrow/core/bits.hpp"

#include "host/base/hex.hpp"
#include "host/cluster/piece_messages.hpp"
#include "host/cluster/plotter_messages.hpp"
#include "host/cluster/stream_message.hpp"
#include "host/crypto/blake3.hpp"
#include "nlohmann/json.hpp"
#include "tools/vectors/vector_input.hpp"

namespace furrow::cluster {
namespace {

constexpr Network kNetwork = Network::kAutonomys;
using P = AutonomysPiece;

const nlohmann::json& golden() {
  static const nlohmann::json messages = [] {
    std::ifstream file(FURROW_SOURCE_DIR "/tests/golden/autonomys/autonomys_cluster.json");
    return nlohmann::json::parse(file).at("messages");
  }();
  return messages;
}

const nlohmann::json& golden(const std::string& name) {
  for (const nlohmann::json& message : golden()) {
    if (message.at("name") == name) {
      return message;
    }
  }
  throw MalformedData("no vector has the name " + name);
}

void expect_bytes(const std::string& name, const Bytes& bytes) {
  const nlohmann::json& message = golden(name);
  EXPECT_EQ(bytes.size(), message.at("length").get<std::size_t>()) << name;
  EXPECT_EQ(to_hex(blake3(bytes).bytes), message.at("bytes_blake3").get<std::string>()) << name;
}

/// Decodes and encodes the bytes of the vector, and tries every shorter message.
template <class T>
T expect_same_again(const std::string& name) {
  const Bytes bytes = from_hex(golden(name).at("bytes").get<std::string>(), "bytes");
  const T message = decode_message<T>(bytes, kNetwork);
  EXPECT_EQ(encode_message(message, kNetwork), bytes) << name;
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_THROW((void)decode_message<T>(std::span(bytes).first(length), kNetwork),
                 MalformedMessage)
        << name << ", " << length << " bytes";
  }
  return message;
}

std::shared_ptr<const P> golden_piece() {
  auto piece = std::make_shared<P>();
  vectors::fill_stream(0x0000000200009200, mutable_bytes_of(*piece));
  return piece;
}

TEST(AutonomysMessages, APlotRequestHasNoRootAndCounts) {
  const auto request = expect_same_again<PlotSectorRequest>("plot sector request 0");
  EXPECT_EQ(golden("plot sector request 0").at("length"), 78);
  EXPECT_EQ(request.public_key.bytes[0], 0xAA);
  EXPECT_EQ(request.sector_index, SectorIndex(7));
  const FarmerProtocolInfo& info = request.farmer_protocol_info;
  EXPECT_EQ(info.history_size, HistorySize::from_count(42));
  EXPECT_EQ(info.recent_segments, HistorySize::from_count(5));
  EXPECT_EQ(info.recent_history_denominator, HistorySize::from_count(10));
  EXPECT_EQ(info.min_sector_lifetime, HistorySize::from_count(4));
  EXPECT_EQ(request.pieces_in_sector, 1000);
  expect_same_again<PlotSectorRequest>("plot sector request 1");
  const auto largest = expect_same_again<PlotSectorRequest>("plot sector request 2");
  EXPECT_EQ(largest.farmer_protocol_info.history_size.count(), ~std::uint64_t{0});
}

/// A history of no segments is none here, and one of Abundance's; each of the numbers counts.
TEST(AutonomysMessages, NoNumberOfSegmentsMayBeZero) {
  const Bytes bytes = from_hex(golden("plot sector request 0").at("bytes").get<std::string>(), "");
  for (const std::size_t at : {34U, 44U, 52U, 60U, 68U}) {
    Bytes changed = bytes;
    std::fill_n(changed.begin() + static_cast<std::ptrdiff_t>(at), 8, std::uint8_t{0});
    try {
      (void)decode_message<PlotSectorRequest>(changed, kNetwork);
      FAIL() << at;
    } catch (const MalformedMessage& error) {
      EXPECT_EQ(error.fields().offset, at);
      EXPECT_EQ(error.fields().expected, "at least 1 segment");
    }
  }
  PlotSectorRequest first;
  first.farmer_protocol_info.history_size = HistorySize::from_count(1);
  EXPECT_EQ(decode_message<PlotSectorRequest>(encode_message(first)), first);
  EXPECT_EQ(encode_message(first).size(), 110U);
}

TEST(AutonomysMessages, ProgressIsAsInTheOtherNetwork) {
  for (const char* name : {"Occupied", "Ping", "Downloading", "Downloaded", "Encoding", "Encoded",
                           "SectorChunk ok", "SectorChunk err", "Error"}) {
    expect_same_again<PlottingProgress>(name);
  }
}

TEST(AutonomysMessages, AFinishedSectorHasTheCountInItsMetadata) {
  const nlohmann::json& fields = golden("Finished 0").at("fields").at("plotted_sector");
  PlottedSector sector;
  from_hex(fields.at("sector_id").get<std::string>(), sector.sector_id.bytes, "sector id");
  sector.sector_index = SectorIndex(7);
  SectorMetadata& metadata = sector.sector_metadata;
  metadata.network = kNetwork;
  metadata.sector_index = sector.sector_index;
  metadata.pieces_in_sector = 1000;
  metadata.history_size = HistorySize::from_count(42);
  const Bytes sizes = vectors::stream(0x0000000200009101, 2 * kNumSBuckets);
  for (std::size_t s = 0; s < kNumSBuckets; ++s) {
    metadata.s_bucket_sizes[s] = static_cast<std::uint16_t>(sizes[2 * s] | sizes[2 * s + 1] << 8);
  }
  const Bytes indexes = vectors::stream(0x0000000200009102, 8000);
  for (std::size_t i = 0; i < 1000; ++i) {
    sector.piece_indexes.emplace_back(core::load_le64(indexes.data() + 8 * i));
  }
  const PlottingProgress finished{PlottingProgress::Finished{sector, {3, 250'000'000}}};
  const Bytes bytes = encode_message(finished, kNetwork);
  expect_bytes("Finished 0", bytes);
  EXPECT_EQ(decode_message<PlottingProgress>(bytes, kNetwork), finished);
}

TEST(AutonomysMessages, PiecesHaveTheirOwnLength) {
  const SharedPieceOf<P> piece{golden_piece()};
  const IndexedPieceOf<P> indexed{PieceIndex(300), piece};
  expect_bytes("read piece ok", encode_message(ReadPieceResponseOf<P>{{indexed}}, kNetwork));
  expect_bytes(
      "read pieces element",
      encode_message(ReadPiecesElementOf<P>{CacheSlotOf<P>{CacheOffset(5), indexed}}, kNetwork));
  expect_bytes("controller piece response", encode_message(PieceResponseOf<P>{piece}, kNetwork));
  const Bytes element = encode_message(PiecesElementOf<P>{indexed}, kNetwork);
  expect_bytes("controller pieces element", element);
  EXPECT_EQ(decode_message<PiecesElementOf<P>>(element, kNetwork).piece, indexed);
  EXPECT_THROW((void)decode_message<PiecesElement>(element), MalformedMessage);
}

TEST(AutonomysMessages, SmallAnswersAboutPieces) {
  expect_same_again<FindPieceResponse>("find piece found");
  expect_same_again<FindPieceResponse>("find piece none");
  expect_same_again<FoundPiece>("find pieces element");
  expect_same_again<ReadPieceResponseOf<P>>("read piece empty");
  expect_same_again<ReadPieceResponseOf<P>>("read piece error");
  expect_same_again<ReadPiecesElementOf<P>>("read pieces element missing");
  expect_same_again<FreeInstanceResponse>("free instance none");
  expect_same_again<FreeInstanceResponse>("free instance some");
}

TEST(AutonomysMessages, SubjectsAndGroupsHaveThePrefixOfTheNetwork) {
  const std::map<std::string, SubjectTemplate> templates = {
      {"free instance request", FreeInstanceRequest::kSubject},
      {"plot sector request 0", PlotSectorRequest::kSubject},
      {"find piece request", FindPieceRequest::kSubject},
      {"find pieces request", FindPiecesRequest::kSubject},
      {"read piece request", ReadPieceRequestOf<P>::kSubject},
      {"read pieces request", ReadPiecesRequestOf<P>::kSubject},
      {"controller piece request", PieceRequestOf<P>::kSubject},
      {"controller pieces request", PiecesRequestOf<P>::kSubject}};
  for (const auto& [name, known] : templates) {
    const nlohmann::json& message = golden(name);
    const std::string subject = message.at("subject").get<std::string>();
    std::optional<SubjectToken> instance;
    if (known.has_instance()) {
      instance = known.instance_in(subject, kNetwork);
      ASSERT_TRUE(instance) << subject;
      EXPECT_EQ(known.with(*instance, kNetwork), subject);
      EXPECT_FALSE(known.instance_in(subject)) << "not one of Abundance";
    } else {
      EXPECT_EQ(known.without_instance(kNetwork), subject);
    }
    EXPECT_EQ(known.queue_group(instance, kNetwork), message.at("queue_group").get<std::string>());
  }
  const SubjectToken ulid("01ARZ3NDEKTSV4RRFFQ69G5FAV", "test");
  EXPECT_EQ(kStreamResponse.with(ulid, kNetwork), kStreamResponse.with(ulid));
}

}  // namespace
}  // namespace furrow::cluster
