// SPDX-License-Identifier: Apache-2.0
#include <functional>
#include <limits>
#include <random>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "host/archive/manifest.hpp"
#include "host/archive/super_segment.hpp"
#include "host/base/hex.hpp"
#include "host/crypto/blake3.hpp"

namespace furrow {
namespace {

using Json = nlohmann::ordered_json;

Hash hash_of(const std::string& text) {
  return blake3({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

ManifestEntry file_entry(const std::string& path, std::uint64_t size, std::uint64_t first_block) {
  ManifestEntry entry;
  entry.path = path;
  entry.mode = 0644;
  entry.mtime_seconds = 1'700'000'000;
  entry.mtime_nanoseconds = 999'999'999;
  entry.size = size;
  entry.first_block = first_block;
  entry.n_blocks = block_count(size);
  entry.contents = hash_of(path);
  return entry;
}

ManifestEntry directory_entry(const std::string& path) {
  ManifestEntry entry;
  entry.path = path;
  entry.type = EntryType::kDirectory;
  entry.mode = 01777;
  entry.mtime_seconds = -5;
  return entry;
}

ManifestEntry symlink_entry(const std::string& path, const std::string& target) {
  ManifestEntry entry;
  entry.path = path;
  entry.type = EntryType::kSymlink;
  entry.symlink_target = target;
  return entry;
}

Manifest sample() {
  Manifest manifest;
  manifest.shard = ShardIndex(3);
  Hash previous;
  std::optional<SuperSegmentHeader> super_segment;
  for (std::uint64_t i = 0; i < 3; ++i) {
    SegmentHeader header;
    header.index = i;
    header.root = hash_of(std::string("root ").append(1, static_cast<char>('0' + i)));
    header.prev_segment_header_hash = previous;
    header.last_archived_block = {i == 2 ? 3 : i, i == 2 ? 0U : 17U};
    previous = header.hash();
    super_segment = lone_super_segment(manifest.shard, header, super_segment);
    manifest.segments.push_back({header, *super_segment});
  }
  manifest.entries = {directory_entry("d"),
                      file_entry("d/a", kArchiveBlockSize + 1, 0),
                      file_entry("d/empty", 0, 2),
                      directory_entry("d/e"),
                      symlink_entry("d/e/link \" \\ \xC3\xA9", "../../outside"),
                      file_entry("d/e/z", kArchiveBlockSize, 2),
                      file_entry("top", 1, 3)};
  return manifest;
}

/// The text with its body changed and the checksum made right again.
std::string with_body(const std::function<void(Json&)>& change) {
  Json document = Json::parse(sample().to_json());
  change(document["manifest"]);
  document["checksum"] = to_hex(hash_of(document["manifest"].dump()).bytes);
  return document.dump();
}

TEST(Manifest, ComesBackFromItsText) {
  const Manifest manifest = sample();
  EXPECT_EQ(Manifest::parse(manifest.to_json(), "test"), manifest);
  // Only the values count, not how the text is laid out.
  EXPECT_EQ(Manifest::parse(Json::parse(manifest.to_json()).dump(7), "test"), manifest);
}

TEST(Manifest, SaysWhatTheArchiveIs) {
  const Manifest manifest = sample();
  EXPECT_EQ(manifest.history_size().count(), 3U);
  EXPECT_EQ(manifest.genesis_root(), hash_of("root 0"));
  const SegmentIdentity identity = manifest.segment_identity(SegmentIndex(1));
  EXPECT_EQ(identity.root, hash_of("root 1"));
  EXPECT_EQ(identity.shard, ShardIndex(3));
  EXPECT_EQ(identity.local_index, LocalSegmentIndex(1));
  EXPECT_EQ(identity.super_segment, manifest.segments[1].super_segment);
  EXPECT_THROW((void)manifest.segment_identity(SegmentIndex(3)), InvalidArgument);
}

TEST(Manifest, NamesTheChainOfItsPiecesInVersionTwoOnly) {
  Manifest manifest = sample();
  const std::string without = manifest.to_json();
  EXPECT_EQ(Json::parse(without)["manifest"]["version"], 1);
  EXPECT_FALSE(Json::parse(without)["manifest"].contains("genesis_root"));
  EXPECT_EQ(manifest.genesis_root(hash_of("chain")), hash_of("chain"));

  manifest.chain_genesis_root = hash_of("chain");
  const Json body = Json::parse(manifest.to_json())["manifest"];
  EXPECT_EQ(body["version"], 2);
  EXPECT_EQ(body["genesis_root"], to_hex(hash_of("chain").bytes));
  EXPECT_EQ(Manifest::parse(manifest.to_json(), "test"), manifest);
  EXPECT_EQ(manifest.genesis_root(), hash_of("chain"));
  EXPECT_EQ(manifest.genesis_root({}), hash_of("chain"));
  EXPECT_EQ(manifest.genesis_root(hash_of("chain")), hash_of("chain"));
  EXPECT_THROW((void)manifest.genesis_root(hash_of("root 0")), GenesisRootMismatch);

  // A member of the other version is missing, or one too many.
  const auto refused = [](const std::function<void(Json&)>& change) {
    EXPECT_THROW(Manifest::parse(with_body(change), "test"), InvalidManifest);
  };
  refused([](Json& changed) { changed["version"] = 2; });
  refused([](Json& changed) { changed["genesis_root"] = to_hex(hash_of("chain").bytes); });
}

// Every byte of the text with one bit flipped: either it is refused, or it means the same (white
// space between values).
TEST(Manifest, EveryFlippedByteIsNoticed) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const Manifest manifest = sample();
  const std::string text = manifest.to_json();
  std::size_t n_refused = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string damaged = text;
    damaged[i] = static_cast<char>(damaged[i] ^ (1 << (random() % 8)));
    try {
      EXPECT_EQ(Manifest::parse(damaged, "test"), manifest) << "byte " << i;
      EXPECT_TRUE(std::isspace(static_cast<unsigned char>(text[i]))) << "byte " << i;
    } catch (const Error&) {
      ++n_refused;
    }
  }
  EXPECT_GT(n_refused, text.size() / 2);
}

TEST(Manifest, EveryCutIsRefused) {
  const std::string text = sample().to_json();
  const std::size_t end = text.find_last_of('}');
  for (std::size_t length = 0; length <= end; ++length) {
    EXPECT_THROW(Manifest::parse(std::string_view(text).substr(0, length), "test"), InvalidManifest)
        << length;
  }
}

TEST(Manifest, WrongChecksumIsNamed) {
  Json document = Json::parse(sample().to_json());
  document["manifest"]["entries"][1]["size"] = 5;
  EXPECT_THROW(Manifest::parse(document.dump(), "test"), ChecksumMismatch);
}

TEST(Manifest, OtherVersionIsNamed) {
  EXPECT_THROW(Manifest::parse(with_body([](Json& body) { body["version"] = 3; }), "test"),
               ManifestVersionMismatch);
}

TEST(Manifest, WrongTypesRangesAndMembersAreRefused) {
  const std::vector<std::pair<const char*, std::function<void(Json&)>>> changes = {
      {"version as text", [](Json& b) { b["version"] = "1"; }},
      {"version missing", [](Json& b) { b.erase("version"); }},
      {"unknown member", [](Json& b) { b["more"] = 1; }},
      {"unknown member of entry", [](Json& b) { b["entries"][0]["more"] = 1; }},
      {"unknown member of segment", [](Json& b) { b["segments"][0]["more"] = 1; }},
      {"shard too large", [](Json& b) { b["shard_index"] = std::uint64_t{1} << 32; }},
      {"shard negative", [](Json& b) { b["shard_index"] = -1; }},
      {"other block size", [](Json& b) { b["block_size"] = 1; }},
      {"segments no array", [](Json& b) { b["segments"] = Json::object(); }},
      {"segment no object", [](Json& b) { b["segments"][1] = 5; }},
      {"entries no array", [](Json& b) { b["entries"] = "x"; }},
      {"entry null", [](Json& b) { b["entries"][1] = nullptr; }},
      {"header no hex", [](Json& b) { b["segments"][0]["header"] = std::string(168, 'g'); }},
      {"header too short", [](Json& b) { b["segments"][0]["header"] = "00"; }},
      {"super segment header too long",
       [](Json& b) { b["segments"][0]["super_segment_header"] = std::string(186, '0'); }},
      {"unknown type", [](Json& b) { b["entries"][0]["type"] = "door"; }},
      {"mode above", [](Json& b) { b["entries"][0]["mode"] = 010000; }},
      {"mode fraction", [](Json& b) { b["entries"][0]["mode"] = 1.5; }},
      {"nanoseconds", [](Json& b) { b["entries"][0]["mtime_nanoseconds"] = 1'000'000'000; }},
      {"seconds", [](Json& b) { b["entries"][0]["mtime_seconds"] = std::uint64_t{1} << 63; }},
      {"size negative", [](Json& b) { b["entries"][1]["size"] = -1; }},
      {"path missing", [](Json& b) { b["entries"][1].erase("path"); }},
      {"hash missing", [](Json& b) { b["entries"][1].erase("blake3"); }},
      {"directory with size", [](Json& b) { b["entries"][0]["size"] = 0; }},
  };
  for (const auto& [what, change] : changes) {
    EXPECT_THROW(Manifest::parse(with_body(change), "test"), Error) << what;
    EXPECT_NO_THROW(Manifest::parse(with_body([](Json&) {}), "test"));
  }
}

TEST(Manifest, DeepNestingIsRefusedWithoutRunningOutOfStack) {
  const std::string deep = std::string("{\"checksum\":\"\",\"manifest\":").append(1'000'000, '[');
  EXPECT_THROW(Manifest::parse(deep, "test"), InvalidManifest);
  EXPECT_THROW(Manifest::parse(deep + std::string(1'000'000, ']') + "}", "test"), InvalidManifest);
}

TEST(Manifest, RefusesWhatIsNoJson) {
  for (const char* text :
       {"", "[]", "5", "{}", "{\"checksum\":1,\"manifest\":{}}", "\xFF", "{\"checksum\":\"\"}"}) {
    EXPECT_THROW(Manifest::parse(text, "test"), Error) << text;
  }
}

void expect_invalid(const char* what, const std::function<void(Manifest&)>& change) {
  Manifest manifest = sample();
  manifest.validate();
  change(manifest);
  EXPECT_THROW(manifest.validate(), InvalidManifest) << what;
  EXPECT_THROW((void)manifest.to_json(), InvalidManifest) << what;
}

TEST(Manifest, RefusesBadPaths) {
  for (const char* path :
       {"", "/etc/passwd", "/", "..", ".", "d/..", "d/.", "d/../x", "d//x", "d/", "./d", "../x",
        "missing/x", "d/a/x", "d/e/link \" \\ \xC3\xA9/x", "d/a", "top", "\xFF", "d/\xC0\xAF"}) {
    expect_invalid(path, [&](Manifest& m) { m.entries.push_back(directory_entry(path)); });
  }
  expect_invalid("zero byte", [](Manifest& m) {
    m.entries.push_back(directory_entry(std::string("d/x\0y", 5)));
  });
  expect_invalid("content before its directory",
                 [](Manifest& m) { std::swap(m.entries[0], m.entries[2]); });
}

TEST(Manifest, RefusesBlocksThatDoNotTile) {
  expect_invalid("gap", [](Manifest& m) { m.entries[5].first_block = 3; });
  expect_invalid("overlap", [](Manifest& m) { m.entries[5].first_block = 1; });
  expect_invalid("too many", [](Manifest& m) { m.entries[6].n_blocks = 2; });
  expect_invalid("too few", [](Manifest& m) { m.entries[1].n_blocks = 1; });
  expect_invalid("empty file in the wrong place",
                 [](Manifest& m) { m.entries[2].first_block = 0; });
  expect_invalid("last file missing", [](Manifest& m) { m.entries.pop_back(); });
  expect_invalid("one more file", [](Manifest& m) { m.entries.push_back(file_entry("x", 1, 4)); });
  expect_invalid("no contents", [](Manifest& m) { m.entries.clear(); });
  expect_invalid("last block incomplete", [](Manifest& m) {
    SegmentHeader& header = m.segments[2].header;
    header.last_archived_block.partial_bytes = 1;
    m.segments[2].super_segment = lone_super_segment(m.shard, header, m.segments[1].super_segment);
  });
  expect_invalid("sizes overflow", [](Manifest& m) {
    m.entries[1].size = std::numeric_limits<std::uint64_t>::max();
    m.entries[1].n_blocks = block_count(m.entries[1].size);
  });
}

TEST(Manifest, RefusesBrokenChains) {
  expect_invalid("no segments", [](Manifest& m) { m.segments.clear(); });
  expect_invalid("segment missing", [](Manifest& m) { m.segments.erase(m.segments.begin() + 1); });
  expect_invalid("first segment missing",
                 [](Manifest& m) { m.segments.erase(m.segments.begin()); });
  expect_invalid("swapped", [](Manifest& m) { std::swap(m.segments[0], m.segments[1]); });
  expect_invalid("root", [](Manifest& m) { m.segments[1].header.root.bytes[0] ^= 1; });
  expect_invalid("previous hash",
                 [](Manifest& m) { m.segments[1].header.prev_segment_header_hash.bytes[9] ^= 1; });
  expect_invalid("super segment",
                 [](Manifest& m) { m.segments[1].super_segment.num_segments = 2; });
  expect_invalid("shard", [](Manifest& m) { m.shard = ShardIndex(4); });
}

TEST(Manifest, RefusesMembersThatDoNotBelongToTheType) {
  expect_invalid("directory with size", [](Manifest& m) { m.entries[0].size = 1; });
  expect_invalid("file with target",
                 [](Manifest& m) { m.entries[1].symlink_target = std::string("x"); });
  expect_invalid("symlink without target", [](Manifest& m) { m.entries[4].symlink_target = ""; });
  expect_invalid("target not UTF-8",
                 [](Manifest& m) { m.entries[4].symlink_target = std::string("\xFF"); });
  expect_invalid("target with zero byte",
                 [](Manifest& m) { m.entries[4].symlink_target = std::string(1, '\0'); });
  expect_invalid("mode", [](Manifest& m) { m.entries[1].mode = 010000; });
  expect_invalid("nanoseconds",
                 [](Manifest& m) { m.entries[1].mtime_nanoseconds = 1'000'000'000; });
}

}  // namespace
}  // namespace furrow
