// SPDX-License-Identifier: Apache-2.0
#include "tools/vectors/vector_file.hpp"

#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "furrow/errors.hpp"

#include "host/base/file.hpp"
#include "tools/standard_output.hpp"

namespace furrow::vectors {
namespace {

struct Kind {
  using Run = void (*)(const nlohmann::json&, const VectorOptions&, VectorReport&);
  /// Members that the first element of `list` must have; nothing else has all of them.
  const char* list;
  std::array<const char*, 2> members;
  Run run;
  /// Whether a device that encodes can be in the place of the CPU, or nothing is encoded.
  bool has_kernels = true;
};

constexpr Kind kKinds[] = {
    {"cases", {"found_proofs_blake3", "tables"}, run_pos_vectors},
    {"extend", {"source_shards", "parity_shards"}, run_erasure_vectors},
    {"cases", {"sector_slot_challenge", "expiration"}, run_sector_id_vectors},
    {"cases", {"encoded_record_blake3", "record_chunks_used_blake3"}, run_record_encoding_vectors},
    {"cases", {"sector_blake3", "contents_map_blake3"}, run_sector_vectors},
    {"cases", {"segments", "steps"}, run_archive_vectors},
    {"slots", {"offset_in_metadata_file", "checksum"}, run_farm_vectors},
    {"stream_packing", {"approximate_max_message_size", "messages"}, run_cluster_vectors},
};

constexpr Kind kAutonomysKinds[] = {
    {"cases", {"found_proofs_all_blake3", "all_proofs_blake3"}, run_autonomys_pos_vectors, false},
    {"extend", {"source_shards", "scale"}, run_autonomys_erasure_vectors},
    {"cases", {"sector_slot_challenge", "expiration"}, run_autonomys_sector_id_vectors},
    {"cases", {"encoded_record_blake3", "table"}, run_autonomys_record_encoding_vectors, false},
    {"cases", {"sector_blake3", "plotted_sector_blake3"}, run_autonomys_sector_vectors, false},
};

/// Kinds of the network whose code made the file.
std::span<const Kind> kinds_of(const nlohmann::json& file) {
  const std::string reference =
      file.is_object() && file.contains("meta") ? file["meta"].value("reference", "") : "";
  return reference.starts_with("autonomys/") ? std::span<const Kind>(kAutonomysKinds)
                                             : std::span<const Kind>(kKinds);
}

bool is_of_kind(const nlohmann::json& file, const Kind& kind) {
  if (!file.is_object() || !file.contains(kind.list)) {
    return false;
  }
  const nlohmann::json& list = file.at(kind.list);
  if (!list.is_array() || list.empty() || !list.front().is_object()) {
    return false;
  }
  for (const char* member : kind.members) {
    if (!list.front().contains(member)) {
      return false;
    }
  }
  return true;
}

}  // namespace

void run_vector_file(const std::filesystem::path& path, const VectorOptions& options,
                     VectorReport& report) {
  const std::vector<std::uint8_t> bytes = read_whole_file(path);
  const nlohmann::json file = nlohmann::json::parse(bytes.begin(), bytes.end(), nullptr,
                                                    /*allow_exceptions=*/false);
  if (file.is_discarded()) {
    throw MalformedData(path.native() + ": not a JSON file");
  }
  for (const Kind& kind : kinds_of(file)) {
    if (is_of_kind(file, kind)) {
      if (options.cuda != nullptr && !kind.has_kernels) {
        throw InvalidArgument(path.native() + ": there are no CUDA kernels for these vectors; " +
                              "expected --encoder cpu or cpu-scalar");
      }
      kind.run(file, options, report);
      return;
    }
  }
  throw MalformedData(path.native() +
                      ": unknown kind of vector file; known are proof of space, erasure coding, "
                      "sector id, record encoding, sector, archive, farm and cluster");
}

bool run_vector_files(std::span<const std::string> files, const VectorOptions& options,
                      const std::string& encoder) {
  std::size_t passed = 0;
  std::size_t failed = 0;
  for (const std::string& file : files) {
    VectorReport report(options.only);
    run_vector_file(file, options, report);
    for (const std::string& failure : report.failures()) {
      cli::print_result("FAILED {}: {}\n", file, failure);
    }
    cli::print_result("{}: {} passed, {} failed ({})\n", file, report.passed(), report.failed(),
                      encoder);
    cli::flush_results();
    passed += report.passed();
    failed += report.failed();
  }
  cli::print_result("{} passed, {} failed\n", passed, failed);
  if (passed + failed == 0) {
    cli::print_result("no case has a name with '{}' in it\n", options.only);
  }
  return failed == 0 && passed > 0;
}

}  // namespace furrow::vectors
