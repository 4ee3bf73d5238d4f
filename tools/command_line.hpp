// SPDX-License-Identifier: Apache-2.0
// What is said about the command line: help, version, examples, and words that nobody knows.
#pragma once

#include <memory>
#include <string>

#include "tools/command.hpp"

namespace furrow::cli {

class CommandLine {
 public:
  CommandLine();
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  /// What commands are added to.
  [[nodiscard]] Command program();

  /// Adds what all commands have in common to those that are there: `help [COMMAND]`, `version`,
  /// -V, placeholders and defaults of options, an example and exit codes. To be called once, behind
  /// the last command.
  void complete();

  /// Runs the command that the words name; gives what is to be printed where they ask for the help
  /// of a command, or for the version. Throws InvalidArgument for what cannot be parsed, in one line,
  /// with what was probably meant, and whatever the command throws.
  [[nodiscard]] std::string run(int argc, const char* const* argv);

 private:
  std::unique_ptr<CLI::App> app_;
};

}  // namespace furrow::cli
