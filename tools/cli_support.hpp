// What all subcommands share: exit codes, sizes, threads, interruption.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>

#include "furrow/errors.hpp"

#include "host/base/byte_size.hpp"
#include "host/plotting/gate.hpp"

namespace CLI {
class App;
}

namespace furrow::cli {

/// Exit codes of the program, listed in README.md.
enum ExitCode : int {
  kSuccess = 0,
  kCheckFailed = 1,      ///< done, but something was found broken (scrub, pack verify, ...)
  kInvalidArgument = 2,  ///< the command line cannot be carried out as given
  kIoFailed = 3,         ///< missing file, permission, full disk
  kCorruptData = 4,      ///< checksum, format or length of stored data is wrong
  kMismatch = 5,         ///< of another identity, chain, version or size
  kUnavailable = 6,      ///< a lock is held, pieces are missing
  kInternal = 70,
  kInterrupted = 130,
};

ExitCode exit_code_of(ErrorKind kind);

/// The command was interrupted by SIGINT or SIGTERM; what was finished is kept.
class Interrupted : public std::exception {
 public:
  [[nodiscard]] const char* what() const noexcept override { return "interrupted"; }
};

/// The work is done, but something was found broken, or not all of it could be done.
class DoneButBroken : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Pieces of the store turned out to be damaged and had to be rebuilt.
class DamagedStore : public DoneButBroken {
 public:
  using DoneButBroken::DoneButBroken;
};

/// Sectors could not be encoded, and are not there.
class SectorsGivenUp : public DoneButBroken {
 public:
  using DoneButBroken::DoneButBroken;
};

/// Turns the first SIGINT or SIGTERM into a stop request; a second one ends the process at once.
/// SIGUSR2 closes a gate, and opens it again. To be made before any other thread, so that all
/// inherit the blocked signals.
class InterruptWatch {
 public:
  InterruptWatch();
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;
  ~InterruptWatch();
  [[nodiscard]] std::stop_token token() const { return stop_.get_token(); }
  [[nodiscard]] Gate& gate() { return gate_; }

 private:
  std::stop_source stop_;
  Gate gate_;
  std::thread watcher_;
};

/// Threads to compute with, as choose_thread_count says, with `others` beside them; its notes go to
/// the log.
unsigned thread_count(unsigned wanted, unsigned others = 1);

/// Adds --simd, which chooses the instruction set of everything that the command computes on the
/// CPU.
void add_simd_option(CLI::App& command);

// One function for each subcommand: adds it to the program. `stop` is the token of the
// InterruptWatch; `exit_code` is set when the command ran and found something wrong.
void add_archive_command(CLI::App& app, std::stop_token stop);
void add_devices_command(CLI::App& app);
void add_plan_command(CLI::App& app);
void add_plot_command(CLI::App& app, std::stop_token stop, Gate& gate);
void add_read_command(CLI::App& app);
void add_extract_command(CLI::App& app, std::stop_token stop);
void add_scrub_command(CLI::App& app, std::stop_token stop, int& exit_code);
void add_info_command(CLI::App& app);
void add_find_command(CLI::App& app);
/// Only in builds with HTTP.
void add_serve_pieces_command(CLI::App& app, std::stop_token stop);
void add_pack_command(CLI::App& app, std::stop_token stop, int& exit_code);
void add_vectors_command(CLI::App& app, int& exit_code);

}  // namespace furrow::cli
