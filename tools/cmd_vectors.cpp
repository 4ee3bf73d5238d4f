// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>
#include <vector>

#include <spdlog/spdlog.h>

#include "host/plotting/encoder_choice.hpp"
#include "tools/commands.hpp"
#include "tools/compute_options.hpp"
#include "tools/exit_code.hpp"
#include "tools/vectors/vector_file.hpp"

namespace furrow::cli {
namespace {

struct VectorsArguments {
  std::vector<std::string> files;
  std::string encoder = "cpu";
  std::vector<std::string> devices;
  std::string only;
  unsigned threads = 0;
};

/// The first device of the choice. Vectors have no second opinion to fall back to: a record that
/// the device cannot encode is a failed case.
std::unique_ptr<CudaEncoder> make_device_encoder(const EncoderChoice& choice) {
  CudaEncoderOptions options;
  options.device = choice.devices.front().index;
  options.fallback = [](Network, const SectorId&, PieceOffset offset, Record&, FoundProofs&,
                        const MayGoOn&) -> EncodeOutcome {
    throw EncoderError("the device could not encode the record at piece offset " +
                       std::to_string(offset.value()));
  };
  return make_cuda_records_encoder(options);
}

void run_vectors(const VectorsArguments& arguments, int& exit_code) {
  const EncoderChoice choice = choose_encoder(arguments.encoder, arguments.devices);
  for (const std::string& line : choice.refused) {
    spdlog::warn("{}", line);
  }
  vectors::VectorOptions options{
      .mode = choice.mode, .threads = thread_count(arguments.threads), .only = arguments.only};
  std::unique_ptr<CudaEncoder> cuda;
  if (!choice.devices.empty()) {
    cuda = make_device_encoder(choice);
    options.cuda = cuda.get();
  }
  const std::string encoder = cuda != nullptr ? cuda->name() : simd_target_name(options.mode);
  const bool passed = vectors::run_vector_files(arguments.files, options, encoder);
  exit_code = passed ? kSuccess : kCheckFailed;
}

}  // namespace

void add_vectors_command(Command app, int& exit_code) {
  const auto arguments = std::make_shared<VectorsArguments>();
  const Command command = app.add_command(
      "vectors", "Run test-vector files (JSON; tests/golden/README.md defines them)");
  command.add_option("files", arguments->files, "Vector files; the kind is told from the content")
      .required();
  command.add_option("--encoder", arguments->encoder, "cuda, cpu, cpu-scalar or auto")
      .with_default();
  command.add_option("--device", arguments->devices,
                     "CUDA device: index or UUID; the first counts");
  command.add_option("--only", arguments->only, "Only the cases with this in their names");
  command.add_option("--threads", arguments->threads,
                     "Threads; 0 means one for each processor that may be used");
  add_simd_option(command);
  command.run([arguments, &exit_code] { run_vectors(*arguments, exit_code); });
}

}  // namespace furrow::cli
