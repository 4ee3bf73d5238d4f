// The furrow program: parses the command line, runs one subcommand, turns errors into exit codes.
#include <cstdio>
#include <new>
#include <string>
#include <system_error>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include "furrow/cuda.hpp"

#include "host/plotting/device_query.hpp"
#include "tools/cli_support.hpp"

namespace {

using namespace furrow::cli;

int fail(ExitCode code, const char* message) {
  std::fflush(stdout);
  fmt::print(stderr, "furrow: error: {}\n", message);
  return code;
}

/// Several sources of pieces keep more connections than the usual 1024 files. What the hard limit
/// does not allow fails where the file is opened, and says so.
void allow_many_open_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
}

int run(int argc, char** argv) {
  allow_many_open_files();
  InterruptWatch interrupts;
  // Standard output is for results.
  spdlog::set_default_logger(spdlog::stderr_color_mt("furrow"));
  spdlog::set_pattern("furrow: %l: %v");
  furrow::set_cuda_log_sink([](furrow::CudaLogLevel level, std::string_view line) {
    spdlog::log(
        level == furrow::CudaLogLevel::kWarning ? spdlog::level::warn : spdlog::level::debug, "{}",
        line);
  });
  int exit_code = kSuccess;
  CLI::App app("Furrow: plots archived history into farms and reads it back.");
  app.name("furrow");
  app.set_version_flag("--version", "furrow " FURROW_VERSION_TEXT);
  app.require_subcommand(1);
  add_archive_command(app, interrupts.token());
  add_plan_command(app);
  add_plot_command(app, interrupts.token(), interrupts.gate());
  add_find_command(app);
  add_read_command(app);
  add_extract_command(app, interrupts.token());
  add_scrub_command(app, interrupts.token(), exit_code);
  add_info_command(app);
  add_pack_command(app, interrupts.token(), exit_code);
#ifdef FURROW_HAS_HTTP
  add_serve_pieces_command(app, interrupts.token());
#endif
  add_vectors_command(app, exit_code);
  add_devices_command(app);
  try {
    app.parse(argc, argv);
    return exit_code;
  } catch (const CLI::Success& help_or_version) {
    return app.exit(help_or_version);
  } catch (const CLI::ParseError& error) {
    return fail(kInvalidArgument, error.what());
  } catch (const Interrupted& error) {
    return fail(kInterrupted, error.what());
  } catch (const DoneButBroken& error) {
    return fail(kCheckFailed, error.what());
  } catch (const furrow::Error& error) {
    return fail(exit_code_of(error.kind()), error.what());
  } catch (const std::bad_alloc&) {
    return fail(kUnavailable, "out of memory");
  } catch (const std::exception& error) {
    return fail(kInternal, error.what());
  }
}

}  // namespace

int main(int argc, char** argv) {
  int exit_code = kInternal;
  try {
    exit_code = run(argc, argv);
  } catch (const std::system_error& error) {  // of the thread that waits for signals
    exit_code = fail(kIoFailed, (std::string("cannot start a thread: ") + error.what()).c_str());
  }
  if (furrow::is_driver_silent()) {
    std::fflush(nullptr);
    _exit(exit_code);
  }
  return exit_code;
}
