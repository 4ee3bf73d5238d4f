// SPDX-License-Identifier: Apache-2.0
#include "tools/command.hpp"

#include <optional>
#include <utility>

#include <CLI/CLI.hpp>

namespace furrow::cli {
namespace {

/// An empty word is most often a variable of a script that was never set. As a path it would mean
/// the current directory.
Option not_empty(CLI::Option& option) {
  option.check(
      [](const std::string& word) { return word.empty() ? "expected a value, actual ''" : ""; });
  return Option(option);
}

}  // namespace

Option Option::required(bool is_required) const {
  option_->required(is_required);
  return *this;
}

Option Option::one_word_each() const {
  option_->allow_extra_args(false);
  return *this;
}

Option Option::with_default() const {
  option_->capture_default_str();
  return *this;
}

Option Option::with_default(const std::string& text) const {
  option_->default_str(text);
  return *this;
}

Option Option::in_range(int least, int most) const {
  option_->check(CLI::Range(least, most));
  return *this;
}

Option Option::in_range(std::uint64_t least, std::uint64_t most) const {
  option_->check(CLI::Range(least, most));
  return *this;
}

Option Option::positive() const {
  option_->check(CLI::PositiveNumber);
  return *this;
}

Option Option::one_of(const std::vector<std::string>& words) const {
  option_->check(CLI::IsMember(words));
  return *this;
}

Option Option::needs(Option other) const {
  option_->needs(other.option_);
  return *this;
}

Option Option::excludes(Option other) const {
  option_->excludes(other.option_);
  return *this;
}

Command Command::add_command(const std::string& name, const std::string& description) const {
  return Command(*app_->add_subcommand(name, description));
}

Command Command::add_choice(const std::string& name) const {
  CLI::Option_group* group = app_->add_option_group(name);
  group->require_option(1);
  return Command(*group);
}

void Command::require_command() const {
  app_->require_subcommand(1);
}

template <class Value>
Option Command::add_option(const std::string& name, Value& value,
                           const std::string& description) const {
  return not_empty(*app_->add_option(name, value, description));
}

template Option Command::add_option(const std::string&, std::string&, const std::string&) const;
template Option Command::add_option(const std::string&, std::optional<std::string>&,
                                    const std::string&) const;
template Option Command::add_option(const std::string&, std::vector<std::string>&,
                                    const std::string&) const;
template Option Command::add_option(const std::string&, int&, const std::string&) const;
template Option Command::add_option(const std::string&, unsigned&, const std::string&) const;
template Option Command::add_option(const std::string&, std::optional<unsigned>&,
                                    const std::string&) const;
template Option Command::add_option(const std::string&, std::uint64_t&, const std::string&) const;
template Option Command::add_option(const std::string&, std::optional<std::uint64_t>&,
                                    const std::string&) const;

Option Command::add_option_function(const std::string& name,
                                    std::function<void(const std::string&)> function,
                                    const std::string& description) const {
  return not_empty(*app_->add_option_function<std::string>(name, std::move(function), description));
}

Option Command::add_flag(const std::string& name, bool& value,
                         const std::string& description) const {
  return Option(*app_->add_flag(name, value, description));
}

void Command::run(std::function<void()> function) const {
  app_->callback(std::move(function));
}

void Command::footer(const std::string& text) const {
  app_->footer(text);
}

}  // namespace furrow::cli
