// SPDX-License-Identifier: Apache-2.0
// Vector files of the form described in tests/golden/README.md: which kind a file is, and its
// cases.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "furrow/cuda.hpp"

#include "host/base/simd_mode.hpp"
#include "nlohmann/json.hpp"
#include "tools/vectors/vector_report.hpp"

namespace furrow::vectors {

struct VectorOptions {
  SimdMode mode = SimdMode::kBest;
  unsigned threads = 1;
  /// When set, this encodes records in place of the CPU. It is checked by what it gives: encoded
  /// records and bitmaps, and the hashes of proofs, which are what a record of zeros becomes.
  /// Tables and proofs themselves never leave a device, so those fields are not looked at.
  CudaEncoder* cuda = nullptr;
  /// Only cases whose names contain this are run.
  std::string only = {};
};

/// Runs every case of a file. The network is told from `meta.reference`, the kind from the content; a file of no known kind, or one
/// that is no JSON, throws MalformedData.
void run_vector_file(const std::filesystem::path& path, const VectorOptions& options,
                     VectorReport& report);

/// Runs files one after the other and prints each failure, a line for each file that names
/// `encoder`, and the sum. True when cases were run and none failed.
bool run_vector_files(std::span<const std::string> files, const VectorOptions& options,
                      const std::string& encoder);

// One function for each kind of file.
void run_pos_vectors(const nlohmann::json& file, const VectorOptions&, VectorReport&);

void run_erasure_vectors(const nlohmann::json& file, const VectorOptions&, VectorReport&);
void run_sector_id_vectors(const nlohmann::json& file, const VectorOptions&, VectorReport&);
void run_record_encoding_vectors(const nlohmann::json& file, const VectorOptions&, VectorReport&);
void run_sector_vectors(const nlohmann::json& file, const VectorOptions&, VectorReport&);
void run_archive_vectors(const nlohmann::json& file, const VectorOptions&, VectorReport&);
void run_farm_vectors(const nlohmann::json& file, const VectorOptions&, VectorReport&);
void run_cluster_vectors(const nlohmann::json& file, const VectorOptions&, VectorReport&);

// The same for Autonomys.
void run_autonomys_pos_vectors(const nlohmann::json& file, const VectorOptions&, VectorReport&);
void run_autonomys_erasure_vectors(const nlohmann::json& file, const VectorOptions&, VectorReport&);
void run_autonomys_sector_id_vectors(const nlohmann::json& file, const VectorOptions&,
                                     VectorReport&);
void run_autonomys_record_encoding_vectors(const nlohmann::json& file, const VectorOptions&,
                                           VectorReport&);
void run_autonomys_sector_vectors(const nlohmann::json& file, const VectorOptions&, VectorReport&);

}  // namespace furrow::vectors
