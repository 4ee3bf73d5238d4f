// SPDX-License-Identifier: Apache-2.0
// All messages of cluster.vectors: as they are, cut at every length, with every byte changed. And their
// subjects and queue groups, from the types that we have for them.
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "host/cluster/chain_messages.hpp"
#include "host/cluster/farm_messages.hpp"
#include "host/cluster/piece_messages.hpp"
#include "host/cluster/plotter_messages.hpp"
#include "host/cluster/subjects.hpp"
#include "nlohmann/json.hpp"
#include "tools/vectors/cluster_fields.hpp"
#include "tools/vectors/vector_file.hpp"

namespace furrow::cluster {
namespace {

const std::string kVectors = FURROW_SOURCE_DIR "/tests/golden/cluster.vectors";

nlohmann::json golden_messages() {
  std::ifstream file(kVectors);
  return nlohmann::json::parse(file).at("messages");
}

TEST(GoldenClusterMessages, AllOfThemPass) {
  vectors::VectorReport report;
  vectors::run_vector_file(kVectors, {}, report);
  EXPECT_EQ(report.failures(), std::vector<std::string>());
  EXPECT_EQ(report.passed(), 142U + 29 + 12);
}

/// Either an error, or another value: the encoding is canonical, so that what decodes encodes to what
/// was read, and bytes that differ are values that differ.
void expect_error_or_another_value(const vectors::ClusterType& type, const Bytes& bytes,
                                   const Bytes& before, const std::string& where) {
  try {
    const Bytes again = type.recode(bytes);
    ASSERT_LE(again.size(), bytes.size()) << where;
    EXPECT_TRUE(std::equal(again.begin(), again.end(), bytes.begin())) << where;
    EXPECT_NE(again, before) << where;
  } catch (const MalformedMessage& error) {
    EXPECT_FALSE(error.field().empty()) << where;
  }
}

TEST(GoldenClusterMessages, EveryChangedByteIsAnErrorOrAnotherValue) {
  for (const nlohmann::json& message : golden_messages()) {
    const auto name = message.at("name").get<std::string>();
    const vectors::ClusterType& type = vectors::cluster_type(message.at("type").get<std::string>());
    const Bytes bytes = type.encode_fields(message.at("fields"));
    // All bytes of short messages; of long ones those at both ends, where the lengths are.
    const std::size_t all = 4096;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      if (bytes.size() > all && i >= 64 && i + 64 < bytes.size()) {
        i = bytes.size() - 64;
      }
      for (const unsigned mask : {0x01U, 0x02U, 0x80U, 0xFFU}) {
        if (bytes.size() > all && mask != 0x01U) {
          continue;
        }
        Bytes changed = bytes;
        changed[i] = static_cast<std::uint8_t>(changed[i] ^ mask);
        expect_error_or_another_value(type, changed, bytes, name + ", byte " + std::to_string(i));
      }
    }
  }
}

/// Template and queue group of a request or broadcast, by the name of the vector without what follows.
struct Known {
  std::string_view name;
  SubjectTemplate subject;
};
constexpr Known kKnown[] = {
    {"free_instance_request", FreeInstanceRequest::kSubject},
    {"plot_sector_request", PlotSectorRequest::kSubject},
    {"find_piece_request", FindPieceRequest::kSubject},
    {"find_pieces_request", FindPiecesRequest::kSubject},
    {"read_piece_request", ReadPieceRequest::kSubject},
    {"read_pieces_request", ReadPiecesRequest::kSubject},
    {"read_piece_index_request", ReadPieceIndexRequest::kSubject},
    {"contents_request", ContentsRequest::kSubject},
    {"write_piece_request", WritePieceRequest::kSubject},
    {"piece_request", PieceRequest::kSubject},
    {"pieces_request", PiecesRequest::kSubject},
    {"farmer_app_info_request", FarmerAppInfoRequest::kSubject},
    {"super_segment_headers_request", SuperSegmentHeadersRequest::kSubject},
    {"super_segment_root_request", SuperSegmentRootRequest::kSubject},
    {"new_super_segment_header", NewSuperSegmentHeader::kSubject},
    {"slot_info", SlotInfoBroadcast::kSubject},
    {"block_sealing_info", BlockSealingInfo::kSubject},
    {"block_seal", BlockSeal::kSubject},
    {"solution_broadcast", SolutionBroadcast::kSubject},
    {"solution", SolutionNotification::kSubject},
    {"farmer_identify_request", FarmerIdentifyRequest::kSubject},
    {"farmer_identify", FarmerIdentify::kSubject},
    {"cache_identify_request", CacheIdentifyRequest::kSubject},
    {"cache_identify", CacheIdentify::kSubject},
    {"cache_details_request", CacheDetailsRequest::kSubject},
    {"farm_details_request", FarmDetailsRequest::kSubject},
    {"plotted_sectors_request", PlottedSectorsRequest::kSubject},
    {"farm_read_piece_request", FarmReadPieceRequest::kSubject},
    {"sector_update", SectorUpdateBroadcast::kSubject},
    {"farming_notification", FarmingNotificationBroadcast::kSubject},
    {"ack_", kStreamAcknowledgement},
};

const SubjectTemplate* known_subject(const std::string& name) {
  const Known* best = nullptr;
  for (const Known& known : kKnown) {
    if (name.starts_with(known.name) &&
        (best == nullptr || known.name.size() > best->name.size())) {
      best = &known;
    }
  }
  return best == nullptr ? nullptr : &best->subject;
}

TEST(GoldenClusterMessages, SubjectsAndQueueGroupsAreThoseOfOurTypes) {
  std::size_t n_subjects = 0;
  for (const nlohmann::json& message : golden_messages()) {
    if (!message.contains("subject")) {
      continue;
    }
    ++n_subjects;
    const auto name = message.at("name").get<std::string>();
    const auto subject = message.at("subject").get<std::string>();
    const SubjectTemplate* known = known_subject(name);
    ASSERT_NE(known, nullptr) << name;
    std::optional<SubjectToken> instance;
    if (known->has_instance()) {
      instance = known->instance_in(subject);
      ASSERT_TRUE(instance) << name << ": " << subject;
      EXPECT_EQ(known->with(*instance), subject);
    } else {
      EXPECT_EQ(known->without_instance(), subject);
    }
    if (!message.contains("queue_group")) {
      continue;
    }
    const nlohmann::json& group = message.at("queue_group");
    if (!instance && known->sharing == Sharing::kInstance) {
      instance = SubjectToken(group.get<std::string>(), "instance");
    }
    EXPECT_EQ(known->queue_group(instance), group.is_null() ? "" : group.get<std::string>())
        << name;
  }
  EXPECT_EQ(n_subjects, 57U);
}

TEST(GoldenClusterMessages, MessageIdsOfBroadcasts) {
  for (const nlohmann::json& message : golden_messages()) {
    if (!message.contains("nats_msg_id") || message.at("nats_msg_id").is_null()) {
      continue;
    }
    const auto type = message.at("type").get<std::string>();
    const Bytes bytes = vectors::cluster_type(type).encode_fields(message.at("fields"));
    const std::string id = type == "slot_info_broadcast"
                               ? decode_message<SlotInfoBroadcast>(bytes).message_id()
                               : decode_message<NewSuperSegmentHeader>(bytes).message_id();
    EXPECT_EQ(id, message.at("nats_msg_id").get<std::string>());
  }
}

}  // namespace
}  // namespace furrow::cluster
