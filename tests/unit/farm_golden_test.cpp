// Files of a farm against tests/golden/farm.vectors.
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "host/crypto/hex.hpp"
#include "host/farm/farm_info.hpp"
#include "host/farm/identity.hpp"
#include "host/farm/metadata_file.hpp"
#include "host/farm/space.hpp"
#include "host/sector/sector_layout.hpp"
#include "tests/support/golden_stream.hpp"
#include "tests/support/made_up_farm.hpp"
#include "tests/support/temp_directory.hpp"

namespace furrow {
namespace {

using nlohmann::json;

const json& vectors() {
  static const json parsed = json::parse(std::ifstream(FURROW_GOLDEN_DIR "/farm.vectors"));
  return parsed;
}

/// Small numbers stand in the vectors as such, others as text.
std::uint64_t number(const json& value) {
  return value.is_string() ? std::stoull(value.get<std::string>()) : value.get<std::uint64_t>();
}

void write_hex_file(const std::filesystem::path& path, const std::string& hex) {
  const std::vector<std::uint8_t> bytes = from_hex(hex, "test data");
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

template <class Bytes>
Bytes bytes_from(const json& hex) {
  Bytes bytes;
  from_hex(hex.get<std::string>(), bytes.bytes, "vector");
  return bytes;
}

TEST(FarmGolden, Identity) {
  const test::TempDirectory directory;
  const std::filesystem::path path = directory.path() / "identity.bin";
  for (const json& entry : vectors().at("identity")) {
    for (const std::string extra : {"", "00", "ffffff"}) {
      write_hex_file(path, entry.at("file").get<std::string>() + extra);
      const Identity identity = Identity::open(path);
      EXPECT_EQ(to_hex(identity.public_key().bytes), entry.at("public_key"));
      EXPECT_EQ(to_hex(identity.public_key_hash().bytes), entry.at("public_key_hash"));
      EXPECT_EQ(to_hex(identity.shard_commitments_seed().bytes),
                entry.at("shard_commitments_seed"));
      const Hash hash = bytes_from<Hash>(entry.at("pre_seal_hash"));
      EXPECT_EQ(to_hex(identity.seal(hash).bytes), entry.at("seal_signature"));
    }
  }
}

TEST(FarmIdentity, ShortFileIsRefused) {
  const test::TempDirectory directory;
  const std::filesystem::path path = directory.path() / "identity.bin";
  for (const std::size_t size : {0UL, 1UL, 31UL}) {
    write_hex_file(path, std::string(2 * size, 'a'));
    try {
      Identity::open(path);
      FAIL() << size << " bytes were accepted";
    } catch (const InvalidBytesLength& error) {
      EXPECT_EQ(error.expected(), 32U);
      EXPECT_EQ(error.actual(), size);
    }
  }
  EXPECT_THROW(Identity::open(directory.path() / "absent.bin"), IoError);
}

TEST(FarmIdentity, CreatedKeyIsPrivateLastingAndNeverReplaced) {
  const test::TempDirectory directory;
  const std::filesystem::path path = directory.path() / "identity.bin";
  const Identity created = Identity::create(path);
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_EQ(status.st_size, 32);
  EXPECT_EQ(Identity::open_or_create(path).public_key(), created.public_key());
  EXPECT_THROW(Identity::create(path), InvalidArgument);
  EXPECT_EQ(Identity::open(path).public_key(), created.public_key());
  EXPECT_NE(Identity::create(directory.path() / "other.bin").public_key(), created.public_key());
  EXPECT_FALSE(std::filesystem::exists(directory.path() / "identity.bin.tmp"));
}

TEST(FarmIdentity, MovedKeyStillSigns) {
  const test::TempDirectory directory;
  Identity first = Identity::create(directory.path() / "identity.bin");
  const Signature signature = first.seal(Hash{});
  Identity second = std::move(first);
  EXPECT_EQ(second.seal(Hash{}), signature);
  Identity third = Identity::create(directory.path() / "other.bin");
  third = std::move(second);
  EXPECT_EQ(third.seal(Hash{}), signature);
}

TEST(FarmGolden, MetadataHeaders) {
  const test::TempDirectory directory;
  const std::filesystem::path path = directory.path() / "metadata.bin";
  const MetadataFile file(File::open_or_create(path));
  for (const json& entry : vectors().at("metadata_headers")) {
    ASSERT_EQ(entry.at("version"), 0);
    const auto count = entry.at("plotted_sector_count").get<std::uint16_t>();
    file.write_header(count);
    std::array<std::uint8_t, 3> bytes{};
    file.file().read_at(0, bytes);
    EXPECT_EQ(to_hex(bytes), entry.at("bytes"));
    EXPECT_EQ(file.read_plotted_sector_count(), count);
  }
}

TEST(FarmGolden, Slots) {
  const test::TempDirectory directory;
  const std::filesystem::path path = directory.path() / "metadata.bin";
  for (const json& entry : vectors().at("slots")) {
    SCOPED_TRACE(entry.at("name").get<std::string>());
    const json& fields = entry.at("fields");
    SectorMetadata metadata;
    metadata.sector_index = SectorIndex(fields.at("sector_index").get<std::uint16_t>());
    metadata.pieces_in_sector = fields.at("pieces_in_sector").get<std::uint16_t>();
    metadata.history_size = HistorySize::from_count(number(fields.at("history_size")));
    if (fields.at("s_bucket_sizes") != "zero") {
      const json& sizes = fields.at("s_bucket_sizes");
      const std::vector<std::uint8_t> bytes =
          test::stream(test::parse_seed(sizes.at("stream")), sizes.at("len").get<std::size_t>());
      for (std::size_t i = 0; i < kNumSBuckets; ++i) {
        metadata.s_bucket_sizes[i] =
            static_cast<std::uint16_t>(bytes[2 * i] | (bytes[2 * i + 1] << 8));
      }
    } else if (entry.at("name") == "dummy") {
      EXPECT_EQ(metadata,
                SectorMetadata::expired_dummy(metadata.sector_index, metadata.pieces_in_sector));
    }

    const MetadataFile file(File::open_or_create(path));
    file.write_slot(metadata);
    const std::uint64_t offset = number(entry.at("offset_in_metadata_file"));
    EXPECT_EQ(MetadataFile::slot_offset(metadata.sector_index.value()), offset);
    std::vector<std::uint8_t> slot(entry.at("length").get<std::size_t>());
    file.file().read_at(offset, slot);
    EXPECT_EQ(file.file().size(), offset + slot.size());
    EXPECT_EQ(to_hex(blake3(slot).bytes), entry.at("bytes_blake3"));
    EXPECT_EQ(to_hex(std::span(slot).last(kHashSize)), entry.at("checksum"));
    EXPECT_EQ(to_hex(std::span(slot).first(64)), entry.at("first_64"));
    EXPECT_EQ(to_hex(std::span(slot).last(64)), entry.at("last_64"));
    EXPECT_EQ(SectorMetadata::decode(slot, "slot"), metadata);
    std::filesystem::remove(path);
  }
}

FarmInfo info_from(const json& fields) {
  FarmInfo info;
  info.id = Ulid::parse(fields.at("id").get<std::string>());
  info.genesis_root = bytes_from<Hash>(fields.at("genesis_root"));
  info.public_key = bytes_from<PublicKey>(fields.at("public_key"));
  info.shard_commitments_seed = bytes_from<Hash>(fields.at("shard_commitments_seed"));
  info.pieces_in_sector = fields.at("pieces_in_sector").get<std::uint16_t>();
  info.allocated_space = number(fields.at("allocated_space"));
  return info;
}

TEST(FarmGolden, Info) {
  for (const json& entry : vectors().at("info")) {
    const FarmInfo info = info_from(entry.at("fields"));
    const auto text = entry.at("text").get<std::string>();
    EXPECT_EQ(info.to_text(), text);
    EXPECT_EQ(text.size(), entry.at("length").get<std::size_t>());
    EXPECT_EQ(FarmInfo::parse(text, "info"), info);
  }
  for (const json& entry : vectors().at("info_refused")) {
    EXPECT_THROW(FarmInfo::parse(entry.at("text").get<std::string>(), "info"), MalformedData)
        << entry.at("why");
  }
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t place = text.find(from);
  EXPECT_NE(place, std::string::npos) << from;
  return text.replace(place, from.size(), to);
}

TEST(FarmInfo, AcceptsWhatReadersMustAccept) {
  const json& entry = vectors().at("info").front();
  const FarmInfo info = info_from(entry.at("fields"));
  const auto text = entry.at("text").get<std::string>();

  const json parsed = json::parse(text);  // keys come out sorted, hence in another order
  EXPECT_EQ(FarmInfo::parse(parsed.dump(), "info"), info);
  EXPECT_EQ(FarmInfo::parse(" \n\t" + parsed.dump(4) + "\r\n ", "info"), info);

  json other = parsed;
  for (const char* key : {"genesisRoot", "publicKey", "shardCommitmentsSeed"}) {
    std::string hex = other["v0"][key];
    std::transform(hex.begin(), hex.end(), hex.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    other["v0"][key] = hex;
  }
  std::string id = other["v0"]["id"];
  std::transform(id.begin(), id.end(), id.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  other["v0"]["id"] = id;
  other["v0"]["unknown"] = {{"id", 1}, {"v0", {1, 2}}};
  EXPECT_EQ(FarmInfo::parse(other.dump(), "info"), info);
}

TEST(FarmInfo, RefusesEverythingElse) {
  const auto text = vectors().at("info").front().at("text").get<std::string>();
  const json parsed = json::parse(text);
  std::vector<std::pair<std::string, std::string>> cases = {
      {"second version tag", replaced(text, "{\"v0\"", "{\"v1\":{},\"v0\"")},
      {"the same version tag twice", replaced(text, "{\"v0\"", "{\"v0\":{},\"v0\"")},
      {"no object", "[" + text + "]"},
      {"version tag without object", "{\"v0\":7}"},
      {"zero byte behind", text + std::string(1, '\0')},
      {"comment", "/**/" + text},
      {"u16 overflow", replaced(text, "\"piecesInSector\":1000", "\"piecesInSector\":65536")},
      {"fraction", replaced(text, "\"piecesInSector\":1000", "\"piecesInSector\":1000.0")},
      {"exponent", replaced(text, "\"piecesInSector\":1000", "\"piecesInSector\":1e3")},
      {"number as text", replaced(text, "\"piecesInSector\":1000", "\"piecesInSector\":\"1000\"")},
      {"null", replaced(text, "\"piecesInSector\":1000", "\"piecesInSector\":null")},
      {"u64 overflow", replaced(text, "\"allocatedSpace\":100000000000",
                                "\"allocatedSpace\":18446744073709551616")},
      {"unknown key twice", replaced(text, "\"id\":", "\"x\":1,\"x\":1,\"id\":")},
      {"text as number", replaced(text, "\"id\":\"01ARZ3NDEKTSV4RRFFQ69G5FAV\"", "\"id\":1")},
      {"ULID too long", replaced(text, "01ARZ3", "001ARZ3")},
      {"invalid UTF-8", replaced(text, "01ARZ3",
                                 "\xff\xff"
                                 "ARZ3")},
  };
  for (const auto& [key, value] : parsed.at("v0").items()) {
    json other = parsed;
    other["v0"].erase(key);
    cases.emplace_back("no " + key, other.dump());
    if (value.is_string() && key != "id") {
      const auto hex = value.get<std::string>();
      for (const std::string& bad :
           {hex + "00", hex.substr(2), hex.substr(1), hex.substr(1) + "g"}) {
        other = parsed;
        other["v0"][key] = bad;
        cases.emplace_back(std::string(key).append(" = ").append(bad), other.dump());
      }
    }
  }
  for (std::size_t size = 0; size < text.size(); ++size) {
    cases.emplace_back("cut at " + std::to_string(size), text.substr(0, size));
  }
  for (const auto& [why, bad] : cases) {
    EXPECT_THROW(FarmInfo::parse(bad, "info"), MalformedData) << why;
  }
}

TEST(FarmInfo, DeeplyNestedTextIsRefusedWithoutHarm) {
  const std::string open(500'000, '[');
  EXPECT_THROW(FarmInfo::parse("{\"v0\":" + open, "info"), MalformedData);
  EXPECT_THROW(FarmInfo::parse("{\"v0\":" + open + std::string(open.size(), ']') + "}", "info"),
               MalformedData);
}

TEST(FarmInfo, OldAndNewTextAreTheOnlyOnesAFileEverHolds) {
  const test::TempDirectory directory;
  FarmInfo info = info_from(vectors().at("info").front().at("fields"));
  for (const std::uint64_t new_space : {std::uint64_t{5}, ~std::uint64_t{0}}) {
    FarmInfo changed = info;
    changed.allocated_space = new_space;
    const File file = File::open_or_create(directory.path() / "info.json");
    info.write_to(file);
    std::vector<FarmInfo> seen;
    set_file_fault_hook([&](FileOperation, const std::filesystem::path&) {
      seen.push_back(FarmInfo::read_from(file));
    });
    changed.write_to(file);
    set_file_fault_hook(nullptr);
    ASSERT_EQ(seen.size(), 3U);  // before writing, cutting and syncing
    EXPECT_EQ(seen[0], info);
    EXPECT_EQ(seen[1], changed);
    EXPECT_EQ(seen[2], changed);
    EXPECT_EQ(test::file_text(file.path()), changed.to_text());
    std::filesystem::remove(file.path());
  }
}

TEST(FarmGolden, SectorSizes) {
  for (const json& entry : vectors().at("sector_sizes")) {
    EXPECT_EQ(sector_size(entry.at("pieces_in_sector").get<std::uint16_t>()),
              number(entry.at("sector_size")));
  }
}

/// The minimum as the reference estimates it (docs/spec/06, section 4).
std::uint64_t reference_minimum(std::uint16_t pieces_in_sector, unsigned cache_percentage) {
  const std::uint64_t fixed = number(vectors().at("meta").at("fixed"));
  const std::uint64_t one_sector = sector_size(pieces_in_sector) + 131'116;
  const std::uint64_t share = 100 - cache_percentage;
  const std::uint64_t x = (one_sector + share - 1) / share * 100;
  return fixed + (x - one_sector < 1'049'600 ? one_sector + 1'049'600 : x);
}

void expect_smallest(std::uint64_t space, std::uint16_t sectors, std::uint16_t pieces_in_sector,
                     unsigned cache_percentage) {
  EXPECT_EQ(SpaceDistribution::compute(space, pieces_in_sector, cache_percentage).sector_count,
            sectors);
  if (sectors == 1) {
    EXPECT_THROW(SpaceDistribution::compute(space - 1, pieces_in_sector, cache_percentage),
                 InsufficientSpace);
  } else {
    EXPECT_EQ(
        SpaceDistribution::compute(space - 1, pieces_in_sector, cache_percentage).sector_count,
        sectors - 1);
  }
}

TEST(FarmGolden, Space) {
  for (const json& entry : vectors().at("space")) {
    SCOPED_TRACE(entry.dump());
    const std::uint64_t space = number(entry.at("allocated_space"));
    const auto pieces = entry.at("pieces_in_sector").get<std::uint16_t>();
    const auto cache = entry.at("cache_percentage").get<unsigned>();
    const json& result = entry.at("result");
    if (result.contains("insufficient")) {
      EXPECT_EQ(number(result.at("insufficient").at("minimum")), reference_minimum(pieces, cache));
      try {
        SpaceDistribution::compute(space, pieces, cache);
        ADD_FAILURE() << "accepted";
      } catch (const InsufficientSpace& error) {
        EXPECT_EQ(error.allocated_space(), space);
        EXPECT_GT(error.minimum(), space);
        expect_smallest(error.minimum(), 1, pieces, cache);
      }
    } else if (result.contains("too_large")) {
      const json& expected = result.at("too_large");
      try {
        SpaceDistribution::compute(space, pieces, cache);
        ADD_FAILURE() << "accepted";
      } catch (const FarmTooLarge& error) {
        EXPECT_EQ(error.allocated_sectors(), number(expected.at("allocated_sectors")));
        EXPECT_EQ(error.allocated_space(), number(expected.at("allocated_space")));
        EXPECT_EQ(error.max_sectors(), number(expected.at("max_sectors")));
        EXPECT_EQ(error.max_space(), number(expected.at("max_space")));
      }
    } else {
      const json& expected = result.at("ok");
      const SpaceDistribution actual = SpaceDistribution::compute(space, pieces, cache);
      EXPECT_EQ(actual.sector_count, number(expected.at("sectors")));
      EXPECT_EQ(actual.plot_file_size, number(expected.at("plot_file_size")));
      EXPECT_EQ(actual.metadata_file_size, number(expected.at("metadata_file_size")));
      const auto capacity = expected.at("piece_cache_capacity").get<std::uint32_t>();
      if (result.contains("reference_truncates_capacity")) {
        const std::uint64_t whole = (space - number(vectors().at("meta").at("fixed")) -
                                     actual.plot_file_size - 131'116UL * actual.sector_count) /
                                    1'049'600;
        EXPECT_EQ(static_cast<std::uint32_t>(whole), capacity);
        EXPECT_GT(whole, 0xFFFFFFFFU);
        EXPECT_EQ(actual.piece_cache_capacity, 0xFFFFFFFFU);
      } else {
        EXPECT_EQ(actual.piece_cache_capacity, capacity);
        EXPECT_EQ(actual.piece_cache_file_size, number(expected.at("piece_cache_file_size")));
      }
    }
  }
}

TEST(FarmSpace, SmallestSpaceForANumberOfSectorsIsExact) {
  for (const std::uint16_t pieces : std::initializer_list<std::uint16_t>{1, 2, 7, 1000}) {
    for (const std::uint16_t sectors :
         std::initializer_list<std::uint16_t>{1, 2, 3, 100, 65533, 65534}) {
      expect_smallest(allocated_space_for_sectors(sectors, pieces), sectors, pieces, 0);
    }
  }
}

TEST(FarmSpace, RefusesImpossibleRequests) {
  EXPECT_THROW(SpaceDistribution::compute(1'000'000'000, 0), InvalidArgument);
  EXPECT_THROW(SpaceDistribution::compute(1'000'000'000, 1, 100), InvalidArgument);
  EXPECT_THROW(allocated_space_for_sectors(0, 1), InvalidArgument);
  EXPECT_THROW(allocated_space_for_sectors(65535, 1), InvalidArgument);
  EXPECT_THROW(allocated_space_for_sectors(1, 0), InvalidArgument);
  EXPECT_THROW(SpaceDistribution::compute(~std::uint64_t{0}, 1000), FarmTooLarge);
}

}  // namespace
}  // namespace furrow
