// Vector files of the form described in tests/golden/README.md: which kind a file is, and its
// cases.
#pragma once

#include <filesystem>

#include "host/crypto/simd_mode.hpp"
#include "nlohmann/json.hpp"
#include "tools/vectors/vector_report.hpp"

namespace furrow::vectors {

struct VectorOptions {
  SimdMode mode = SimdMode::kBest;
  unsigned threads = 1;
};

/// Runs every case of a file. The kind is told from the content; a file of no known kind, or one
/// that is no JSON, throws MalformedData.
void run_vector_file(const std::filesystem::path& path, const VectorOptions& options,
                     VectorReport& report);

// One function for each kind of file.
void run_pos_vectors(const nlohmann::json& file, const VectorOptions&, VectorReport&);
void run_erasure_vectors(const nlohmann::json& file, const VectorOptions&, VectorReport&);
void run_sector_id_vectors(const nlohmann::json& file, const VectorOptions&, VectorReport&);
void run_record_encoding_vectors(const nlohmann::json& file, const VectorOptions&, VectorReport&);
void run_sector_vectors(const nlohmann::json& file, const VectorOptions&, VectorReport&);
void run_archive_vectors(const nlohmann::json& file, const VectorOptions&, VectorReport&);
void run_farm_vectors(const nlohmann::json& file, const VectorOptions&, VectorReport&);

}  // namespace furrow::vectors
