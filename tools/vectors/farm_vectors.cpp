// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>

#include <stdlib.h>

#include "host/base/file.hpp"
#include "host/crypto/blake3.hpp"
#include "host/farm/farm_errors.hpp"
#include "host/farm/farm_info.hpp"
#include "host/farm/identity.hpp"
#include "host/farm/metadata_file.hpp"
#include "host/farm/space.hpp"
#include "host/primitives/piece_element.hpp"
#include "host/sector/sector_layout.hpp"
#include "host/sector/sector_metadata.hpp"
#include "tools/vectors/vector_file.hpp"
#include "tools/vectors/vector_input.hpp"

namespace furrow::vectors {
namespace {

std::uint16_t u16(const nlohmann::json& object, const char* field) {
  return static_cast<std::uint16_t>(number(object, field));
}

/// A file with the given contents in a directory of its own, gone at the end.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::span<const std::uint8_t> contents) {
    std::string name = (std::filesystem::temp_directory_path() / "furrow-vectors-XXXXXX").native();
    if (::mkdtemp(name.data()) == nullptr) {
      throw IoError("create directory", name, errno);
    }
    directory_ = name;
    File::create_new(path()).write_at(0, contents);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  [[nodiscard]] std::filesystem::path path() const { return directory_ / "file"; }

 private:
  std::filesystem::path directory_;
};

void check_identity(const nlohmann::json& expected, const VectorReport::Fail& fail) {
  const CaseChecker check(expected, fail);
  const TemporaryFile file(hex(expected, "file"));
  const Identity identity = Identity::open(file.path());
  check.bytes("public_key", identity.public_key().bytes);
  check.bytes("public_key_hash", identity.public_key_hash().bytes);
  check.bytes("shard_commitments_seed", identity.shard_commitments_seed().bytes);
  check.bytes("seal_signature",
              identity.seal(fixed_bytes_at<Hash>(expected, "pre_seal_hash")).bytes);
}

/// The header is read from a file and written back to it.
void check_metadata_header(const nlohmann::json& expected, const VectorReport::Fail& fail) {
  const CaseChecker check(expected, fail);
  const std::vector<std::uint8_t> bytes = hex(expected, "bytes");
  const TemporaryFile temporary(bytes);
  const MetadataFile file(File::open_or_create(temporary.path()));
  if (number(expected, "version") != MetadataFile::kVersion) {
    try {
      fail("accepted with " + std::to_string(file.read_plotted_sector_count()) + " sectors");
    } catch (const UnsupportedMetadataVersion&) {
      return;
    }
  }
  const std::uint16_t count = file.read_plotted_sector_count();
  check.number("plotted_sector_count", count);
  file.write_header(count);
  check.bytes("bytes", read_whole_file(temporary.path()));
}

SectorMetadata slot_fields(const nlohmann::json& fields) {
  SectorMetadata metadata;
  metadata.sector_index = SectorIndex(u16(fields, "sector_index"));
  metadata.pieces_in_sector = u16(fields, "pieces_in_sector");
  metadata.history_size = HistorySize::from_count(number(fields, "history_size"));
  const nlohmann::json& sizes = fields.at("s_bucket_sizes");
  if (sizes.is_object()) {
    const std::vector<std::uint8_t> bytes = stream(seed(sizes, "stream"), number(sizes, "len"));
    for (std::size_t s = 0; s < kNumSBuckets; ++s) {
      metadata.s_bucket_sizes[s] =
          static_cast<std::uint16_t>(bytes.at(2 * s) | (bytes.at(2 * s + 1) << 8));
    }
  } else if (sizes != "zero") {
    throw MalformedData("unknown description of s-bucket sizes: " + sizes.dump());
  }
  return metadata;
}

void check_slot(const nlohmann::json& expected, const VectorReport::Fail& fail) {
  const CaseChecker check(expected, fail);
  const SectorMetadata metadata = slot_fields(expected.at("fields"));
  const std::vector<std::uint8_t> bytes = metadata.encode();
  check.number("length", bytes.size());
  check.digest("bytes_blake3", bytes);
  check.bytes("first_64", std::span(bytes).first(64));
  check.bytes("last_64", std::span(bytes).last(64));
  check.bytes("checksum", std::span(bytes).last(kHashSize));
  check.number("offset_in_metadata_file", MetadataFile::slot_offset(metadata.sector_index.value()));
  check.is_true(SectorMetadata::decode(Network::kAbundance, bytes, "slot") == metadata,
                "slot changes when decoded");
  if (expected.value("name", "").starts_with("dummy")) {
    check.is_true(SectorMetadata::expired_dummy(Network::kAbundance, metadata.sector_index,
                                                metadata.pieces_in_sector) == metadata,
                  "the dummy expired sector differs");
  }
}

void check_info(const nlohmann::json& expected, const VectorReport::Fail& fail) {
  const std::string text = expected.at("text").get<std::string>();
  const FarmInfo info = FarmInfo::parse(text, "info");
  const CaseChecker check(expected, fail);
  check.number("length", text.size());
  check.text("text", info.to_text());
  const CaseChecker fields(expected.at("fields"), fail, "fields.");
  fields.text("id", info.id.to_string());
  fields.bytes("genesis_root", info.genesis_root.bytes);
  fields.bytes("public_key", info.public_key.bytes);
  fields.bytes("shard_commitments_seed", info.shard_commitments_seed.bytes);
  fields.number("pieces_in_sector", info.pieces_in_sector);
  fields.number("allocated_space", info.allocated_space);
}

void check_refused_info(const nlohmann::json& expected, const VectorReport::Fail& fail) {
  try {
    FarmInfo::parse(expected.at("text").get<std::string>(), "info");
  } catch (const Error&) {
    return;
  }
  fail("accepted, though: " + expected.value("why", "it must be refused"));
}

void check_cache_element(const nlohmann::json& expected, const VectorReport::Fail& fail) {
  const CaseChecker check(expected, fail);
  const nlohmann::json& fields = expected.at("fields");
  const auto element = std::make_unique<PieceElement>();
  element->piece_index = number(fields, "piece_index");
  fill_stream(seed(fields.at("piece"), "stream"), mutable_bytes_of(element->piece));
  element->seal();
  element->verify_checksum("element");
  check.bytes("checksum", element->checksum.bytes);
  check.number("length", sizeof(PieceElement));
  check.digest("bytes_blake3", bytes_of(*element));
  check.bytes("first_64", bytes_of(*element).first(64));
  check.bytes("last_64", bytes_of(*element).last(64));
}

/// The reference's estimate of the smallest space, which the file carries (docs/spec/06, section
/// 4).
std::uint64_t reference_minimum(std::uint16_t pieces_in_sector, unsigned cache_percentage) {
  constexpr std::uint64_t kFixed = 3'058'468;
  const std::uint64_t sector =
      sector_size(Network::kAbundance, pieces_in_sector) + kSectorMetadataSize;
  const std::uint64_t share = 100 - cache_percentage;
  const std::uint64_t x = (sector + share - 1) / share * 100;
  return kFixed + (x - sector < kPieceElementSize ? sector + kPieceElementSize : x);
}

bool is_accepted(std::uint64_t space, std::uint16_t pieces_in_sector, unsigned cache_percentage) {
  try {
    SpaceDistribution::compute(space, pieces_in_sector, cache_percentage);
    return true;
  } catch (const InsufficientSpace&) {
    return false;
  }
}

void check_space_ok(const nlohmann::json& expected, const SpaceDistribution& actual,
                    std::uint64_t allocated_space, bool reference_truncates,
                    const VectorReport::Fail& fail) {
  const CaseChecker check(expected, fail);
  check.number("sectors", actual.sector_count);
  check.number("plot_file_size", actual.plot_file_size);
  check.number("metadata_file_size", actual.metadata_file_size);
  if (!reference_truncates) {
    check.number("piece_cache_capacity", actual.piece_cache_capacity);
    check.number("piece_cache_file_size", actual.piece_cache_file_size);
    return;
  }
  // Of a capacity above 2^32 the reference kept the low bits; the specification asks for 2^32 - 1.
  const std::uint64_t fixed = 3'058'468;
  const std::uint64_t capacity = (allocated_space - fixed - actual.plot_file_size -
                                  actual.sector_count * std::uint64_t{kSectorMetadataSize}) /
                                 kPieceElementSize;
  check.is_true(actual.piece_cache_capacity == std::numeric_limits<std::uint32_t>::max(),
                "piece_cache_capacity is not 2^32 - 1");
  check.number("piece_cache_capacity", static_cast<std::uint32_t>(capacity));
}

void check_space(const nlohmann::json& expected, const VectorReport::Fail& fail) {
  const std::uint64_t space = number(expected, "allocated_space");
  const std::uint16_t pieces = u16(expected, "pieces_in_sector");
  const auto cache = static_cast<unsigned>(number(expected, "cache_percentage"));
  const nlohmann::json& result = expected.at("result");
  try {
    const SpaceDistribution actual = SpaceDistribution::compute(space, pieces, cache);
    if (!result.contains("ok")) {
      fail("accepted, expected " + result.dump());
      return;
    }
    check_space_ok(result.at("ok"), actual, space,
                   result.value("reference_truncates_capacity", false), fail);
  } catch (const InsufficientSpace& error) {
    const nlohmann::json& wanted = result.at("insufficient");
    CaseChecker(wanted, fail).number("minimum", reference_minimum(pieces, cache));
    CaseChecker(wanted, fail)
        .is_true(is_accepted(error.minimum(), pieces, cache) &&
                     !is_accepted(error.minimum() - 1, pieces, cache),
                 "our minimum " + std::to_string(error.minimum()) + " is not exact");
  } catch (const FarmTooLarge& error) {
    const CaseChecker check(result.at("too_large"), fail);
    check.number("allocated_sectors", error.allocated_sectors());
    check.number("allocated_space", error.allocated_space());
    check.number("max_sectors", error.max_sectors());
    check.number("max_space", error.max_space());
  }
}

void check_sector_size(const nlohmann::json& expected, const VectorReport::Fail& fail) {
  CaseChecker(expected, fail)
      .number("sector_size", sector_size(Network::kAbundance, u16(expected, "pieces_in_sector")));
}

}  // namespace

void run_farm_vectors(const nlohmann::json& file, const VectorOptions&, VectorReport& report) {
  using Check = void (*)(const nlohmann::json&, const VectorReport::Fail&);
  const std::pair<const char*, Check> lists[] = {{"identity", check_identity},
                                                 {"metadata_headers", check_metadata_header},
                                                 {"slots", check_slot},
                                                 {"info", check_info},
                                                 {"info_refused", check_refused_info},
                                                 {"cache_elements", check_cache_element},
                                                 {"sector_sizes", check_sector_size},
                                                 {"space", check_space}};
  for (const auto& [list, check] : lists) {
    if (!file.contains(list)) {
      continue;
    }
    std::size_t index = 0;
    for (const nlohmann::json& expected : file.at(list)) {
      report.run_case("farm, " + std::string(list) + " " + std::to_string(index++),
                      [&, run = check](const VectorReport::Fail& fail) { run(expected, fail); });
    }
  }
  const char* zero_body = "checksum_of_an_all_zero_element_body";
  if (file.contains(zero_body)) {
    report.run_case("farm, all-zero cache element", [&](const VectorReport::Fail& fail) {
      const auto element = std::make_unique<PieceElement>();
      element->seal();
      CaseChecker(file, fail).bytes(zero_body, element->checksum.bytes);
    });
  }
}

}  // namespace furrow::vectors
