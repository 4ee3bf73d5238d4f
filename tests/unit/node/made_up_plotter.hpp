// SPDX-License-Identifier: Apache-2.0
// Plotters of a cluster in memory that send what a test wants them to send, at once.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "host/cluster/plotter_messages.hpp"
#include "host/cluster/stream_message.hpp"
#include "host/plotting/plotted_sector.hpp"
#include "host/primitives/sector_id.hpp"
#include "host/sector/sector_layout.hpp"
#include "tests/support/memory_bus.hpp"
#include "tools/vectors/golden_stream.hpp"

namespace furrow::test {

/// As large as a sector, and no sector.
inline std::vector<std::uint8_t> made_up_bytes(SectorIndex index, std::uint16_t pieces = 1) {
  return vectors::stream(7000 + index.value(), sector_size(Network::kAbundance, pieces));
}
inline PlottedSector made_up_plotted(SectorIndex index, std::uint16_t pieces = 1) {
  PlottedSector plotted;
  plotted.sector_index = index;
  plotted.sector_metadata.sector_index = index;
  plotted.sector_metadata.pieces_in_sector = pieces;
  plotted.piece_indexes.resize(pieces);
  return plotted;
}
/// What a plotter sends of it: finished, then its bytes in so many parts.
inline std::vector<cluster::Bytes> elements_of(const PlottedSector& plotted,
                                               const std::vector<std::uint8_t>& bytes,
                                               std::size_t parts = 2) {
  using Progress = cluster::PlottingProgress;
  std::vector<cluster::Bytes> elements = {
      encode_message(Progress{Progress::Downloading{}}),
      encode_message(Progress{Progress::Downloaded{{1, 500'000'000}}}),
      encode_message(Progress{Progress::Ping{}}),
      encode_message(Progress{Progress::Encoding{}}),
      encode_message(Progress{Progress::Encoded{{2, 0}}}),
      encode_message(Progress{Progress::Finished{plotted, {3, 0}}})};
  const std::size_t part = (bytes.size() + parts - 1) / parts;
  for (std::size_t at = 0; at < bytes.size(); at += part) {
    elements.push_back(cluster::encode_sector_chunk(
        std::span(bytes).subspan(at, std::min(part, bytes.size() - at))));
  }
  return elements;
}

/// Answers each request with one message of elements, none when the test gives none.
class MadeUpPlotter {
 public:
  using Elements =
      std::function<std::vector<cluster::Bytes>(const cluster::PlotSectorRequest& request)>;

  MadeUpPlotter(MemoryServer& server, std::string id, Elements elements) : id_(std::move(id)) {
    server.add_peer("ab.plotter." + id_ + ".plot-sector", [this, &server, elements](
                                                              const cluster::BusMessage& message) {
      requests_.push_back(cluster::decode_message<cluster::PlotSectorRequest>(message.payload));
      const std::vector<cluster::Bytes> answer = elements(requests_.back());
      if (!answer.empty()) {
        server.publish(message.reply_subject, cluster::encode_stream_message(0, answer, {}));
      }
    });
  }
  MadeUpPlotter(const MadeUpPlotter&) = delete;
  MadeUpPlotter& operator=(const MadeUpPlotter&) = delete;

  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] const std::vector<cluster::PlotSectorRequest>& requests() const {
    return requests_;
  }

 private:
  const std::string id_;
  std::vector<cluster::PlotSectorRequest> requests_;
};

}  // namespace furrow::test
