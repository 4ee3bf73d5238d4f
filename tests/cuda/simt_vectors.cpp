// SPDX-License-Identifier: Apache-2.0
// `furrow vectors` with the kernels on the harness: the whole CUDA encoder, its launches and its
// kernels' real sources, without a device.

#include <cstdio>
#include <string>
#include <system_error>
#include <vector>

#include <CLI/CLI.hpp>

#include "furrow/cuda.hpp"

#include "tools/standard_output.hpp"
#include "tools/vectors/vector_file.hpp"

int main(int argc, char** argv) {
  CLI::App app("Runs test-vector files with the CUDA kernels on the SIMT harness");
  std::vector<std::string> files;
  std::string only;
  app.add_option("files", files, "Vector files; the kind is told from the content")->required();
  app.add_option("--only", only, "Only the cases with this in their names");
  CLI11_PARSE(app, argc, argv);
  try {
    furrow::CudaEncoderOptions options;
    options.lanes = 1;
    options.batch = 1;  // a record at a time: nothing runs at once here
    options.fallback = [](furrow::Network, const furrow::SectorId&, furrow::PieceOffset,
                          furrow::Record&, furrow::FoundProofs&,
                          const furrow::MayGoOn&) -> furrow::EncodeOutcome {
      throw furrow::EncoderError("the kernels could not encode a record");
    };
    const auto cuda = furrow::make_cuda_records_encoder(options);
    const bool passed =
        furrow::vectors::run_vector_files(files, {.cuda = cuda.get(), .only = only}, "harness");
    const int error = furrow::cli::finish_results();
    if (error != 0) {
      std::fprintf(stderr, "simt_vectors: cannot write standard output: %s\n",
                   std::generic_category().message(error).c_str());
      return 3;
    }
    return passed ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "simt_vectors: %s\n", error.what());
    return 70;
  }
}
