#include <cstdio>
#include <memory>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "host/plotting/encoder_choice.hpp"
#include "tools/cli_support.hpp"
#include "tools/vectors/vector_file.hpp"

namespace furrow::cli {
namespace {

struct Arguments {
  std::vector<std::string> files;
  std::string encoder = "cpu";
  unsigned threads = 0;
};

void run(const Arguments& arguments, int& exit_code) {
  const vectors::VectorOptions options{.mode = choose_encoder(arguments.encoder).mode,
                                       .threads = thread_count(arguments.threads)};
  std::size_t passed = 0;
  std::size_t failed = 0;
  for (const std::string& file : arguments.files) {
    vectors::VectorReport report;
    vectors::run_vector_file(file, options, report);
    for (const std::string& failure : report.failures()) {
      fmt::print("FAILED {}: {}\n", file, failure);
    }
    fmt::print("{}: {} passed, {} failed ({})\n", file, report.passed(), report.failed(),
               simd_target_name(options.mode));
    std::fflush(stdout);
    passed += report.passed();
    failed += report.failed();
  }
  fmt::print("{} passed, {} failed\n", passed, failed);
  exit_code = failed == 0 ? kSuccess : kCheckFailed;
}

}  // namespace

void add_vectors_command(CLI::App& app, int& exit_code) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "vectors", "Run test-vector files (JSON; tests/golden/README.md defines them)");
  command->add_option("files", arguments->files, "Vector files; the kind is told from the content")
      ->required();
  command->add_option("--encoder", arguments->encoder, "cpu or cpu-scalar")->capture_default_str();
  command->add_option("--threads", arguments->threads, "Threads; 0 means one for each processor");
  command->callback([arguments, &exit_code] { run(*arguments, exit_code); });
}

}  // namespace furrow::cli
