// SPDX-License-Identifier: Apache-2.0
#include "tools/vectors/cluster_fields.hpp"

#include <string>

#include "tools/vectors/cluster_field_reader.hpp"

namespace furrow::vectors {
namespace {

using namespace furrow::cluster;
using nlohmann::json;

// Encoding and decoding, of messages and of those of streams.

template <class T>
struct Coded {
  static Bytes encode(const T& message) { return encode_message(message); }
  static T decode(std::span<const std::uint8_t> payload) { return decode_message<T>(payload); }
};
template <class Element>
struct Coded<StreamOf<Element>> {
  static Bytes encode(const StreamOf<Element>& message) {
    std::vector<Bytes> elements;
    for (const Element& element : message.elements) {
      elements.push_back(encode_message(element));
    }
    return encode_stream_message(message.index, elements, message.ack_subject);
  }
  static StreamOf<Element> decode(std::span<const std::uint8_t> payload) {
    const StreamMessage message = decode_stream_message<Element>(payload);
    StreamOf<Element> result{message.is_last, message.index, {}, message.ack_subject};
    MessageReader in(Element::kName, payload.subspan(message.elements_offset));
    for (std::size_t i = 0; i < message.n_elements; ++i) {
      result.elements.push_back(decode_from<Element>(in));
    }
    return result;
  }
};

template <class T>
constexpr ClusterType type_of(std::string_view name) {
  return {name,
          [](const json& fields) {
            T message;
            ClusterFieldReader::read(fields, message);
            return Coded<T>::encode(message);
          },
          [](std::span<const std::uint8_t> payload, const json& fields) {
            T message;
            ClusterFieldReader::read(fields, message);
            return Coded<T>::decode(payload) == message;
          },
          [](std::span<const std::uint8_t> payload) {
            return Coded<T>::encode(Coded<T>::decode(payload));
          }};
}

constexpr ClusterType kTypes[] = {
    type_of<Plain<PieceCacheId>>("piece_cache_id"),
    type_of<Plain<FarmId>>("farm_id"),
    type_of<Plain<ClusterFarmerId>>("cluster_farmer_id"),
    type_of<Plain<Duration>>("duration"),
    type_of<Empty>("empty"),
    type_of<FreeInstanceResponse>("free_instance_response"),
    type_of<PlotSectorRequest>("plot_sector_request"),
    type_of<PlottingProgress>("progress"),
    type_of<StreamOf<PlottingProgress>>("stream<progress>"),
    type_of<StreamAcknowledgement>("ack"),
    type_of<PieceRequest>("piece_index"),
    type_of<FindPieceResponse>("find_piece_response"),
    type_of<FindPiecesRequest>("piece_indices"),
    type_of<FoundPiece>("find_pieces_element"),
    type_of<StreamOf<FoundPiece>>("stream<find_pieces_element>"),
    type_of<ReadPieceRequest>("offset"),
    type_of<ReadPieceResponse>("read_piece_response"),
    type_of<ReadPiecesRequest>("offsets"),
    type_of<ReadPiecesElement>("read_pieces_element"),
    type_of<ReadPieceIndexResponse>("read_piece_index_response"),
    type_of<ContentsElement>("contents_element"),
    type_of<WritePieceRequest>("write_piece_request"),
    type_of<WritePieceResponse>("unit_response"),
    type_of<PieceResponse>("piece_response"),
    type_of<PiecesElement>("pieces_element"),
    type_of<FarmerAppInfoResponse>("farmer_app_info_response"),
    type_of<SuperSegmentHeadersRequest>("super_segment_indices"),
    type_of<SuperSegmentHeadersResponse>("super_segment_headers_response"),
    type_of<SuperSegmentRootRequest>("segment_index"),
    type_of<SuperSegmentRootResponse>("super_segment_root_response"),
    type_of<NewSuperSegmentHeader>("super_segment_header"),
    type_of<SlotInfoBroadcast>("slot_info_broadcast"),
    type_of<BlockSealingInfo>("block_sealing_info"),
    type_of<BlockSeal>("block_seal"),
    type_of<SolutionNotification>("solution_notification"),
    type_of<CacheDetails>("cache_details"),
    type_of<FarmDetails>("farm_details"),
    type_of<PlottedSectorsElement>("plotted_sectors_element"),
    type_of<FarmReadPieceRequest>("farm_read_piece_request"),
    type_of<FarmReadPieceResponse>("farm_read_piece_response"),
    type_of<SectorUpdateBroadcast>("sector_update_broadcast"),
    type_of<FarmingNotificationBroadcast>("farming_notification_broadcast"),
    type_of<SolutionBroadcast>("solution_broadcast"),
};

}  // namespace

const ClusterType& cluster_type(std::string_view name) {
  for (const ClusterType& type : kTypes) {
    if (type.name == name) {
      return type;
    }
  }
  throw MalformedData("unknown type of message: " + std::string(name));
}

}  // namespace furrow::vectors
