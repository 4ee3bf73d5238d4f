// SPDX-License-Identifier: Apache-2.0
// The furrow program: parses the command line, runs one subcommand, turns errors into exit codes.
#include <cerrno>
#include <cstdio>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include "furrow/cuda.hpp"

#include "host/base/observer.hpp"
#include "host/plotting/driver_call.hpp"
#include "tools/advice.hpp"
#include "tools/command_line.hpp"
#include "tools/commands.hpp"
#include "tools/exit_code.hpp"
#include "tools/interrupt_watch.hpp"
#include "tools/standard_output.hpp"
#include "tools/terminal.hpp"

namespace {

using namespace furrow::cli;

/// Says so when what was printed has not arrived; whether all of it has. A reader that closed its
/// pipe has read what it wanted.
bool finish_output() {
  const int error = finish_results();
  if (error == 0 || error == EPIPE) {
    return true;
  }
  terminal().line("furrow: error: cannot write standard output: " +
                  std::generic_category().message(error));
  return false;
}

int fail(ExitCode code, const char* message) {
  flush_results();  // what was printed comes before the error
  terminal().line(std::string("furrow: error: ") + message);
  static_cast<void>(finish_output());
  return code;
}

/// The work is done, with `code`; what it printed must have arrived, too.
int end(int code) {
  return finish_output() || code != kSuccess ? code : kIoFailed;
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

int run(int argc, char** argv, InterruptWatch& interrupts) {
  allow_many_open_files();
  // Standard output is for results.
  spdlog::set_default_logger(make_terminal_logger());
  furrow::set_observer_failure_handler(
      [](std::string_view reason) { spdlog::warn("progress is not told in full: {}", reason); });
  furrow::set_cuda_log_sink([](furrow::CudaLogLevel level, std::string_view line) {
    spdlog::log(
        level == furrow::CudaLogLevel::kWarning ? spdlog::level::warn : spdlog::level::debug, "{}",
        line);
  });
  int exit_code = kSuccess;
  CommandLine command_line;
  const Command app = command_line.program();
  add_archive_command(app, interrupts);
  add_plan_command(app);
  add_plot_command(app, interrupts);
  add_find_command(app);
  add_read_command(app, interrupts);
  add_extract_command(app, interrupts);
  add_scrub_command(app, interrupts, exit_code);
  add_info_command(app);
  add_pack_command(app, interrupts, exit_code);
#ifdef FURROW_HAS_HTTP
  add_serve_pieces_command(app, interrupts);
#endif
#ifdef FURROW_HAS_NATS
  add_cluster_farm_command(app, interrupts);
  add_cluster_pieces_command(app, interrupts);
  add_plotter_command(app, interrupts);
#endif
  add_vectors_command(app, exit_code);
  add_devices_command(app);
  command_line.complete();
  print_text(command_line.run(argc, argv));
  interrupts.command_is_over();
  return end(exit_code);
}

/// However a command ends, it says so while signals are still heard.
int run_and_report(int argc, char** argv) {
  std::optional<InterruptWatch> interrupts;
  const auto fail_heard = [&](ExitCode code, const char* message) {
    if (interrupts.has_value()) {
      interrupts->command_is_over();
    }
    return fail(code, message);
  };
  try {
    return run(argc, argv, interrupts.emplace());
  } catch (const Interrupted& error) {
    return fail_heard(kInterrupted, error.what());
  } catch (const DoneButBroken& error) {
    return fail_heard(kCheckFailed, error.what());
  } catch (const furrow::Error& error) {
    return fail_heard(exit_code_of(error.kind()), (error.what() + advice_on(error)).c_str());
  } catch (const std::bad_alloc&) {
    return fail_heard(kUnavailable, "out of memory");
  } catch (const std::exception& error) {
    return fail_heard(kInternal, error.what());
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int exit_code = run_and_report(argc, argv);
  if (furrow::is_driver_silent()) {
    std::fflush(nullptr);
    _exit(exit_code);
  }
  return exit_code;
}
