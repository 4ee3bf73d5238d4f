// SPDX-License-Identifier: Apache-2.0
#include "host/plotting/encode_sector.hpp"

#include <exception>
#include <string>
#include <utility>

#include "host/base/foreign_error.hpp"
#include "host/plotting/verified_encoder.hpp"
#include "host/sector/sector_layout.hpp"
#include "host/sector/sector_writer.hpp"

namespace furrow {

std::optional<EncodedSector> encode_sector(DownloadedSector downloaded, RecordsEncoder& encoder,
                                           std::stop_token stop, const Observer<>& on_record_done) {
  const SectorIndex sector_index = downloaded.sector_index;
  const Network network = downloaded.raw_sector.network();
  const std::uint16_t pieces = downloaded.raw_sector.pieces_in_sector();
  SectorContentsMap map(pieces, network);
  EncodeOutcome outcome = EncodeOutcome::kCancelled;
  try {
    EncodingJob job(downloaded.sector_id, downloaded.raw_sector.all_records(), map.bitmaps(),
                    PieceOffset(0), network);
    EncodingJob told = job.watched({.on_done = [&](PieceOffset) { on_record_done(); }});
    outcome = encoder.encode_all(told, std::move(stop));
  } catch (const WrongEncoding&) {
    throw;  // the caller can do something about it
  } catch (const Error& error) {
    ErrorFields fields = error.fields();
    fields.sector_index = sector_index.value();
    throw RecordsEncoderError(error.what(), std::move(fields));
  } catch (...) {
    throw RecordsEncoderError(message_of(std::current_exception()),
                              {.sector_index = sector_index.value()});
  }
  if (outcome == EncodeOutcome::kCancelled) {
    return std::nullopt;
  }
  SectorMetadata metadata;
  metadata.network = network;
  metadata.sector_index = sector_index;
  metadata.pieces_in_sector = pieces;
  metadata.s_bucket_sizes = map.s_bucket_sizes();
  metadata.history_size = downloaded.history_size;
  return EncodedSector{{downloaded.sector_id, sector_index, std::move(metadata),
                        std::move(downloaded.piece_indexes)},
                       std::move(downloaded.raw_sector),
                       std::move(map)};
}

void lay_out_sector(const EncodedSector& encoded, std::vector<std::uint8_t>& output) {
  const std::uint64_t expected =
      sector_size(encoded.raw_sector.network(), encoded.contents_map.pieces_in_sector());
  if (!output.empty() && output.size() != expected) {
    throw BadSectorOutputSize(output.size(), expected);
  }
  output.resize(expected);
  assemble_sector(encoded.contents_map, encoded.raw_sector.all_records(),
                  encoded.raw_sector.all_metadata(), output);
}

}  // namespace furrow
