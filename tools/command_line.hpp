// SPDX-License-Identifier: Apache-2.0
// What is said about the command line: help, version, examples, and words that nobody knows.
#pragma once

#include <string>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace furrow::cli {

/// Adds what all commands have in common to commands that are declared: `help [COMMAND]`,
/// `version`, -V, placeholders and defaults of options, an example and exit codes. To be called
/// once, behind the last command.
void complete_command_line(CLI::App& app);

/// Sees to it that the words in front name a command. Throws InvalidArgument, with what was
/// probably meant.
void check_command_words(const CLI::App& app, int argc, const char* const* argv);

/// Why the command line of `app` could not be parsed, in one line, with what was probably meant.
[[nodiscard]] std::string explain(const CLI::App& app, const CLI::ParseError& error);

}  // namespace furrow::cli
