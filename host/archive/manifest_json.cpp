// SPDX-License-Identifier: Apache-2.0
// The JSON form of manifests: {"checksum": BLAKE3 of the compact form of the other member,
// "manifest": ...}.
#include <algorithm>
#include <limits>

#include <nlohmann/json.hpp>

#include "host/archive/manifest.hpp"
#include "host/base/file.hpp"
#include "host/base/hex.hpp"
#include "host/crypto/blake3.hpp"

namespace furrow {
namespace {

using Json = nlohmann::ordered_json;

// The deepest value of a sound manifest is a member of an entry. Refusing more keeps functions of
// the JSON library that call themselves from using up the stack.
constexpr int kMaxDepth = 8;

constexpr std::array<std::pair<EntryType, std::string_view>, 3> kTypeNames = {
    {{EntryType::kFile, "file"},
     {EntryType::kDirectory, "directory"},
     {EntryType::kSymlink, "symlink"}}};

std::span<const std::uint8_t> as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// Reads the members of one object and sees to it that there are no others.
class ObjectReader {
 public:
  ObjectReader(const Json& object, std::string what) : object_(object), what_(std::move(what)) {
    if (!object.is_object()) {
      throw InvalidManifest(what_ + ": expected an object, actual " + object.type_name());
    }
  }

  const Json& member(const char* name) {
    const auto found = object_.find(name);
    if (found == object_.end()) {
      throw InvalidManifest(what_ + ": member '" + name + "' is missing");
    }
    ++n_read_;
    return *found;
  }

  const Json& array(const char* name) {
    const Json& value = member(name);
    require_type(value.is_array(), name, "an array", value);
    return value;
  }

  std::string text(const char* name) {
    const Json& value = member(name);
    require_type(value.is_string(), name, "a text", value);
    return value.get<std::string>();
  }

  std::uint64_t unsigned_integer(const char* name, std::uint64_t max) {
    const Json& value = member(name);
    require_type(value.is_number_unsigned(), name, "an unsigned integer", value);
    const auto number = value.get<std::uint64_t>();
    if (number > max) {
      throw InvalidManifest(what_ + ": member '" + name + "': expected at most " +
                            std::to_string(max) + ", actual " + std::to_string(number));
    }
    return number;
  }

  std::int64_t signed_integer(const char* name) {
    const Json& value = member(name);
    require_type(value.is_number_integer() &&
                     !(value.is_number_unsigned() &&
                       value.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max()),
                 name, "a signed integer of 64 bits", value);
    return value.get<std::int64_t>();
  }

  template <class T>
  T bytes(const char* name) {
    T result;
    from_hex(text(name), mutable_bytes_of(result),
             "manifest: " + what_ + ": member '" + name + "'");
    return result;
  }

  void require_no_others() const {
    if (n_read_ != object_.size()) {
      throw InvalidManifest(what_ + ": expected " + std::to_string(n_read_) + " members, actual " +
                            std::to_string(object_.size()));
    }
  }

 private:
  void require_type(bool is_right, const char* name, const char* expected,
                    const Json& value) const {
    if (!is_right) {
      throw InvalidManifest(what_ + ": member '" + name + "': expected " + expected + ", actual " +
                            value.type_name());
    }
  }

  const Json& object_;
  std::string what_;
  std::size_t n_read_ = 0;
};

Json entry_to_json(const ManifestEntry& entry) {
  const auto type = std::find_if(kTypeNames.begin(), kTypeNames.end(),
                                 [&](const auto& name) { return name.first == entry.type; });
  Json json = {{"path", entry.path},
               {"type", type->second},
               {"mode", entry.mode},
               {"mtime_seconds", entry.mtime_seconds},
               {"mtime_nanoseconds", entry.mtime_nanoseconds}};
  if (entry.type == EntryType::kSymlink) {
    json["symlink_target"] = entry.symlink_target;
  }
  if (entry.type == EntryType::kFile) {
    json["size"] = entry.size;
    json["first_block"] = entry.first_block;
    json["blocks"] = entry.n_blocks;
    json["blake3"] = to_hex(entry.contents.bytes);
  }
  return json;
}

ManifestEntry entry_from_json(const Json& json, const std::string& what) {
  ObjectReader reader(json, what);
  ManifestEntry entry;
  entry.path = reader.text("path");
  const std::string type_name = reader.text("type");
  const auto type = std::find_if(kTypeNames.begin(), kTypeNames.end(),
                                 [&](const auto& name) { return name.second == type_name; });
  if (type == kTypeNames.end()) {
    throw InvalidManifest(what + ": unknown type '" + type_name + "'");
  }
  entry.type = type->first;
  entry.mode = static_cast<std::uint32_t>(reader.unsigned_integer("mode", 07777));
  entry.mtime_seconds = reader.signed_integer("mtime_seconds");
  entry.mtime_nanoseconds =
      static_cast<std::uint32_t>(reader.unsigned_integer("mtime_nanoseconds", 999'999'999));
  if (entry.type == EntryType::kSymlink) {
    entry.symlink_target = reader.text("symlink_target");
  }
  if (entry.type == EntryType::kFile) {
    constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
    entry.size = reader.unsigned_integer("size", kMax);
    entry.first_block = reader.unsigned_integer("first_block", kMax);
    entry.n_blocks = reader.unsigned_integer("blocks", kMax);
    entry.contents = reader.bytes<Hash>("blake3");
  }
  reader.require_no_others();
  return entry;
}

ManifestSegment segment_from_json(const Json& json, const std::string& what) {
  ObjectReader reader(json, what);
  ManifestSegment segment;
  segment.header = reader.bytes<SegmentHeader>("header");
  segment.super_segment = reader.bytes<SuperSegmentHeader>("super_segment_header");
  reader.require_no_others();
  return segment;
}

Json body_to_json(const Manifest& manifest) {
  Json segments = Json::array();
  for (const auto& [header, super_segment] : manifest.segments) {
    segments.push_back({{"header", to_hex(bytes_of(header))},
                        {"super_segment_header", to_hex(bytes_of(super_segment))}});
  }
  Json entries = Json::array();
  for (const ManifestEntry& entry : manifest.entries) {
    entries.push_back(entry_to_json(entry));
  }
  // Programs that know version 1 only must not take the root of segment 0 for that of the chain.
  const std::optional<Hash>& genesis_root = manifest.chain_genesis_root;
  Json body = {{"version", genesis_root ? kManifestVersionWithGenesisRoot : kManifestVersion}};
  if (genesis_root) {
    body["genesis_root"] = to_hex(genesis_root->bytes);
  }
  body["shard_index"] = manifest.shard.value();
  body["block_size"] = kArchiveBlockSize;
  body["segments"] = std::move(segments);
  body["entries"] = std::move(entries);
  return body;
}

Manifest body_from_json(const Json& body) {
  ObjectReader reader(body, "manifest");
  const std::uint64_t version =
      reader.unsigned_integer("version", std::numeric_limits<std::uint64_t>::max());
  if (version != kManifestVersion && version != kManifestVersionWithGenesisRoot) {
    throw ManifestVersionMismatch(version);
  }
  Manifest manifest;
  if (version == kManifestVersionWithGenesisRoot) {
    manifest.chain_genesis_root = reader.bytes<Hash>("genesis_root");
  }
  manifest.shard = ShardIndex(static_cast<std::uint32_t>(
      reader.unsigned_integer("shard_index", std::numeric_limits<std::uint32_t>::max())));
  const std::uint64_t block_size =
      reader.unsigned_integer("block_size", std::numeric_limits<std::uint64_t>::max());
  if (block_size != kArchiveBlockSize) {
    throw InvalidManifest("expected block size " + std::to_string(kArchiveBlockSize) + ", actual " +
                          std::to_string(block_size));
  }
  for (const Json& segment : reader.array("segments")) {
    manifest.segments.push_back(
        segment_from_json(segment, "segment " + std::to_string(manifest.segments.size())));
  }
  for (const Json& entry : reader.array("entries")) {
    manifest.entries.push_back(
        entry_from_json(entry, "entry " + std::to_string(manifest.entries.size())));
  }
  reader.require_no_others();
  return manifest;
}

Json parse_json(std::string_view text, const std::string& what) {
  const auto refuse_depth = [&](int depth, Json::parse_event_t, const Json&) {
    if (depth > kMaxDepth) {
      throw InvalidManifest(what + ": values are nested more than " + std::to_string(kMaxDepth) +
                            " deep");
    }
    return true;
  };
  try {
    return Json::parse(text, refuse_depth);
  } catch (const Json::parse_error& error) {  // its text would quote bytes of a broken file
    throw InvalidManifest(what + ": no JSON, the mistake is at byte " + std::to_string(error.byte));
  } catch (const Json::exception&) {
    throw InvalidManifest(what + ": no JSON");  // such as a number beyond all bounds
  }
}

Hash checksum_of(const Json& body) {
  const std::string compact = body.dump();
  return blake3(as_bytes(compact));
}

}  // namespace

std::string Manifest::to_json() const {
  validate();
  Json body = body_to_json(*this);
  const std::string checksum = to_hex(checksum_of(body).bytes);
  return Json{{"checksum", checksum}, {"manifest", std::move(body)}}.dump(1) + "\n";
}

Manifest Manifest::parse(std::string_view json, const std::string& what) {
  const Json document = parse_json(json, what);
  ObjectReader reader(document, what);
  const std::string expected = reader.text("checksum");
  const Json& body = reader.member("manifest");
  reader.require_no_others();
  const std::string actual = to_hex(checksum_of(body).bytes);
  if (actual != expected) {
    throw ChecksumMismatch(what, expected, actual);
  }
  Manifest manifest = body_from_json(body);
  manifest.validate();
  return manifest;
}

Manifest Manifest::load(const std::filesystem::path& path) {
  const std::vector<std::uint8_t> bytes = read_whole_file(path);
  return parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path.native());
}

void Manifest::save(const std::filesystem::path& path) const {
  write_file_atomically(path, as_bytes(to_json()));
}

}  // namespace furrow
