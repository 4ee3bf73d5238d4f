// SPDX-License-Identifier: Apache-2.0
// Counts what the shipped kernels execute for one record and for the layout of a sector, on each
// architecture that the interpreter knows, as JSON for bench/model.py.
//
//   count_instructions [--out FILE] [ARCHITECTURE...]
//
// Launches of one kernel are added up. Seed and record are always the same, blocks and warps go in
// ascending order, so two runs of one program agree. About a minute for each architecture.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "furrow/core/sector_layout.hpp"

#include "cuda/record_pipeline.hpp"
#include "cuda/runtime/check.hpp"
#include "cuda/runtime/device_buffer.hpp"
#include "cuda/sector_assembly.hpp"
#include "nlohmann/json.hpp"
#include "tests/sass/card/card.hpp"
#include "tests/sass/test/architectures.hpp"

namespace furrow::sass {
namespace {

using Json = nlohmann::ordered_json;
using cuda::DeviceBuffer;

/// Pieces of the sector that is laid out: as many records as a group of the kernels has.
constexpr std::uint16_t kPieces = 32;

struct EncodedRecord {
  Record record;
  FoundProofs found_proofs;
};

void encode_record(EncodedRecord& made) {
  std::mt19937_64 random(1);
  PosSeed seed;
  for (std::uint8_t& byte : seed.bytes) {
    byte = static_cast<std::uint8_t>(random());
  }
  for (std::uint8_t& byte : mutable_bytes_of(made.record)) {
    byte = static_cast<std::uint8_t>(random());
  }
  const cuda::Stream stream(0);
  cuda::RecordPipeline pipeline(stream.view(), 1);
  cuda::RecordStatus status;
  pipeline.enqueue(1, &seed, &made.record, &made.record, &made.found_proofs, &status);
  stream.view().synchronize();
}

template <class T>
DeviceBuffer<T> to_device(cuda::StreamView stream, const std::vector<T>& values) {
  DeviceBuffer<T> buffer(stream, values.size());
  cuda::check(cudaMemcpyAsync(buffer.data(), values.data(), values.size() * sizeof(T),
                              cudaMemcpyHostToDevice, stream.get()));
  return buffer;
}

void lay_out(const EncodedRecord& record) {
  const cuda::Stream stream(0);
  const auto d_found_proofs =
      to_device(stream.view(), std::vector<FoundProofs>(kPieces, record.found_proofs));
  const auto d_records = to_device(stream.view(), std::vector<Record>(kPieces, record.record));
  const auto d_metadata = to_device(stream.view(), std::vector<RecordMetadata>(kPieces));
  const DeviceBuffer<std::uint8_t> d_sector(stream.view(), sector_size(kPieces));
  const DeviceBuffer<std::uint16_t> d_sizes(stream.view(), kNumSBuckets);
  cuda::SectorAssembly assembly(stream.view(), kPieces);
  assembly.enqueue({.n_pieces = kPieces,
                    .d_found_proofs = d_found_proofs.data(),
                    .d_records = d_records.data(),
                    .d_metadata = d_metadata.data(),
                    .d_sector = d_sector.data(),
                    .d_s_bucket_sizes = d_sizes.data()});
  stream.view().synchronize();
}

/// Launches of one kernel, added up; as many blocks as they have together.
struct Step {
  Launched launched;
  std::uint64_t blocks = 0;
};

std::vector<Step> steps_of(const std::vector<Launched>& launches) {
  std::vector<Step> steps;
  for (const Launched& launched : launches) {
    const auto& grid = launched.shape.grid;
    const std::uint64_t blocks = std::uint64_t{grid[0]} * grid[1] * grid[2];
    const auto same = std::ranges::find_if(
        steps, [&](const Step& step) { return step.launched.name == launched.name; });
    if (same == steps.end()) {
      steps.push_back({.launched = launched, .blocks = blocks});
    } else {
      same->launched.count += launched.count;
      same->blocks += blocks;
    }
  }
  return steps;
}

/// One line for each kernel.
std::string rows_of(const std::vector<Launched>& launches) {
  std::string rows;
  for (const Step& step : steps_of(launches)) {
    const Launched& launched = step.launched;
    const LaunchCount& count = launched.count;
    const auto& block = launched.shape.block;
    Json pipes;
    for (std::size_t i = 0; i < kNumPipes; ++i) {
      pipes[std::string(kPipeNames[i])] = count.by_pipe[i];
    }
    const Json row = {{"kernel", launched.name},
                      {"blocks", step.blocks},
                      {"threads", block[0] * block[1] * block[2]},
                      {"registers", launched.n_registers},
                      {"shared_bytes", launched.shared_bytes},
                      {"executed", count.executed},
                      {"lanes", count.lanes},
                      {"pipes", pipes},
                      {"shuffles", count.shuffles},
                      {"barriers", count.barriers},
                      {"shared_requests", count.shared.requests},
                      {"shared_wavefronts", count.shared.wavefronts},
                      {"least_wavefronts", count.shared.least_wavefronts},
                      {"global_requests", count.global.requests},
                      {"global_sectors", count.global.sectors},
                      {"global_lines", count.global.lines},
                      {"cycles_alone", count.cycles_alone}};
    rows += (rows.empty() ? "" : ",\n   ") + row.dump();
  }
  return rows;
}

/// An object with the counts of one architecture.
std::string count(unsigned architecture) {
  Card& card = Card::instance();
  card.set_architecture(architecture);
  card.launches().clear();
  const auto record = std::make_unique<EncodedRecord>();
  encode_record(*record);
  const std::string of_record = rows_of(card.launches());
  card.launches().clear();
  lay_out(*record);
  const std::string of_sector = rows_of(card.launches());
  if (!card.findings().empty()) {
    throw std::runtime_error(card.findings().report());
  }
  return " {\"architecture\": " + std::to_string(architecture) +
         ", \"sector_pieces\": " + std::to_string(kPieces) + ",\n  \"record\": [\n   " + of_record +
         "],\n  \"sector\": [\n   " + of_sector + "]}";
}

unsigned architecture_of(const char* text) {
  unsigned number = 0;
  const char* const end = text + std::strlen(text);
  const auto [stopped, error] = std::from_chars(text, end, number);
  if (error != std::errc() || stopped != end ||
      std::ranges::find(compiled_architectures(), number) == compiled_architectures().end()) {
    throw std::runtime_error(std::string("architecture: expected one of this build, actual ") +
                             text);
  }
  return number;
}

int count_all(int argc, char** argv) {
  const char* out = nullptr;
  std::vector<unsigned> architectures;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--out") == 0 && i + 1 < argc) {
      out = argv[++i];
    } else {
      architectures.push_back(architecture_of(argv[i]));
    }
  }
  if (architectures.empty()) {
    architectures.assign(compiled_architectures().begin(), compiled_architectures().end());
  }
  Card::instance().set_options({.counts_memory = true});
  std::string text;
  for (const unsigned architecture : architectures) {
    std::fprintf(stderr, "compute capability %u\n", architecture);
    text += (text.empty() ? "[\n" : ",\n") + count(architecture);
  }
  text += "\n]\n";
  if (out == nullptr) {
    std::cout << text << std::flush;
    return std::cout ? 0 : 1;
  }
  std::ofstream file(out);
  file << text << std::flush;
  if (!file) {
    throw std::runtime_error(std::string(out) + ": cannot be written");
  }
  return 0;
}

}  // namespace
}  // namespace furrow::sass

int main(int argc, char** argv) {
  try {
    return furrow::sass::count_all(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "count_instructions: %s\n", error.what());
    return 1;
  }
}
