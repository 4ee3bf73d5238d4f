// SPDX-License-Identifier: Apache-2.0
// What all subcommands share: exit codes, sizes, threads.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "furrow/errors.hpp"

#include "host/base/byte_size.hpp"
#include "tools/command.hpp"

namespace furrow::cli {

class InterruptWatch;

/// Exit codes of the program, listed in docs/manual/common.md.
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

/// The command was interrupted by a signal; what was finished is kept.
class Interrupted : public std::exception {
 public:
  [[nodiscard]] const char* what() const noexcept override { return "interrupted"; }
};

/// The work is done, but something was found broken, or not all of it could be done.
class DoneButBroken : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Threads to compute with, as choose_thread_count says, with `others` beside them; its notes go to
/// the log.
unsigned thread_count(unsigned wanted, unsigned others = 1);

/// Adds --simd, which chooses the instruction set of everything that the command computes on the
/// CPU.
void add_simd_option(Command command);

// One function for each subcommand: adds it to the program. Those that stop by themselves take
// the token of `interrupts` when they run; `exit_code` is set when the command ran and found
// something wrong.
void add_archive_command(Command app, InterruptWatch& interrupts);
void add_devices_command(Command app);
void add_plan_command(Command app);
void add_plot_command(Command app, InterruptWatch& interrupts);
void add_read_command(Command app, InterruptWatch& interrupts);
void add_extract_command(Command app, InterruptWatch& interrupts);
void add_scrub_command(Command app, InterruptWatch& interrupts, int& exit_code);
void add_info_command(Command app);
void add_find_command(Command app);
/// Only in builds with HTTP.
void add_serve_pieces_command(Command app, InterruptWatch& interrupts);
void add_pack_command(Command app, InterruptWatch& interrupts, int& exit_code);
void add_vectors_command(Command app, int& exit_code);

}  // namespace furrow::cli
