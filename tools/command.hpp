// SPDX-License-Identifier: Apache-2.0
// Commands and their options, as far as this program needs them. What parses the command line is behind
// it, because CLI11 takes the compiler ten seconds wherever it is included.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace furrow::cli {

/// An option of a command. A handle: copies mean the same option, which lives as long as the command.
class Option {
 public:
  explicit Option(CLI::Option& option) : option_(&option) {}

  // Each gives the option back.
  Option required(bool is_required = true) const;
  /// Given several times, it takes one word each time, and none that follows.
  Option one_word_each() const;
  /// The help shows the value that the variable has now, or the text.
  Option with_default() const;
  Option with_default(const std::string& text) const;
  Option in_range(int least, int most) const;
  Option in_range(std::uint64_t least, std::uint64_t most) const;
  Option positive() const;
  Option one_of(const std::vector<std::string>& words) const;
  Option needs(Option other) const;
  /// Either of the two excludes the other one.
  Option excludes(Option other) const;

 private:
  CLI::Option* option_;
};

/// A command, the program itself, or a group of options. A handle, as Option is.
class Command {
 public:
  explicit Command(CLI::App& app) : app_(&app) {}

  [[nodiscard]] Command add_command(const std::string& name, const std::string& description) const;
  /// Options of which exactly one has to be given.
  [[nodiscard]] Command add_choice(const std::string& name) const;
  /// One of the commands below this one has to be given.
  void require_command() const;

  /// `name` without dashes is an argument at that place. What is given goes to `value`, which must live
  /// as long as the command. Value: std::string or std::vector of it, int, unsigned, std::uint64_t; but
  /// for the vector and int also std::optional of it.
  template <class Value>
  Option add_option(const std::string& name, Value& value, const std::string& description) const;
  /// What is given goes to a function, which may throw.
  Option add_option_function(const std::string& name,
                             std::function<void(const std::string&)> function,
                             const std::string& description) const;
  Option add_flag(const std::string& name, bool& value, const std::string& description) const;

  /// What runs when the command line names this command.
  void run(std::function<void()> function) const;
  /// Text at the end of the help.
  void footer(const std::string& text) const;

 private:
  CLI::App* app_;
};

}  // namespace furrow::cli
