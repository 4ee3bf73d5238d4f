// SPDX-License-Identifier: Apache-2.0
// Counts what the shipped kernels execute for one record, on each architecture that the interpreter
// knows, as JSON for bench/model.py.
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
#include <stdexcept>
#include <string>
#include <vector>

#include "cuda/record_pipeline.hpp"
#include "nlohmann/json.hpp"
#include "tests/sass/card/card.hpp"
#include "tests/sass/test/architectures.hpp"
#include "tests/sass/test/committed_counts.hpp"

namespace furrow::sass {
namespace {

using Json = nlohmann::ordered_json;

void encode_record() {
  const CountedRecord counted = counted_record();
  const cuda::Stream stream(0);
  cuda::RecordPipeline pipeline(stream.view(), 1);
  FoundProofs found_proofs;
  cuda::RecordStatus status;
  pipeline.enqueue(1, &counted.seed, counted.record.get(), counted.record.get(), &found_proofs,
                   &status);
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
  encode_record();
  if (!card.findings().empty()) {
    throw std::runtime_error(card.findings().report());
  }
  return " {\"architecture\": " + std::to_string(architecture) +
         ", \"nvcc\": \"" FURROW_SASS_NVCC "\",\n  \"record\": [\n   " + rows_of(card.launches()) +
         "]}";
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
