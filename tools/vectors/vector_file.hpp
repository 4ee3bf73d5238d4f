// Vector files of the form described in tests/golden/README.md: which kind a file is, and its
// cases.
#pragma once

#include <filesystem>
#include <functional>

#include "furrow/records_encoder.hpp"

#include "host/crypto/simd_mode.hpp"
#include "nlohmann/json.hpp"
#include "tools/vectors/vector_report.hpp"

namespace furrow::vectors {

/// Encodes a record with the proofs of a seed, and says which s-buckets it used.
using EncodeFromSeed = std::function<void(const PosSeed&, Record&, FoundProofs&)>;

/// What encodes records in place of the CPU. It is checked by what it gives: encoded records and
/// bitmaps, and the hashes of proofs, which are what a record of zeros becomes. Tables and proofs
/// themselves never leave a device, so those fields are not looked at.
struct EncoderUnderTest {
  RecordsEncoder& encoder;
  EncodeFromSeed encode_from_seed;
};

struct VectorOptions {
  SimdMode mode = SimdMode::kBest;
  unsigned threads = 1;
  EncoderUnderTest* under_test = nullptr;
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
