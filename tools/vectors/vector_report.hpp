// SPDX-License-Identifier: Apache-2.0
// Outcome of vector cases: what passed, what failed and why.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nlohmann/json.hpp"

namespace furrow::vectors {

/// Collects cases. A case passes when none of its checks failed and nothing was thrown.
class VectorReport {
 public:
  /// Cases whose names do not contain `only` are left out.
  explicit VectorReport(std::string only = {}) : only_(std::move(only)) {}

  /// Runs one case; `check` reports each wrong value through the given function.
  using Fail = std::function<void(const std::string&)>;
  void run_case(const std::string& name, const std::function<void(const Fail&)>& check);

  [[nodiscard]] std::size_t passed() const { return passed_; }
  [[nodiscard]] std::size_t failed() const { return failed_; }
  /// One line for each failed check: case, field, expected and actual value.
  [[nodiscard]] const std::vector<std::string>& failures() const { return failures_; }

 private:
  std::string only_;
  std::size_t passed_ = 0;
  std::size_t failed_ = 0;
  std::vector<std::string> failures_;
};

/// Compares the members of one JSON object with computed values.
class CaseChecker {
 public:
  CaseChecker(const nlohmann::json& object, const VectorReport::Fail& fail, std::string prefix = "")
      : object_(object), fail_(fail), prefix_(std::move(prefix)) {}

  /// Hex text of a byte string.
  void bytes(std::string_view field, std::span<const std::uint8_t> actual) const;
  /// Plain BLAKE3 of the bytes, as hex.
  void digest(std::string_view field, std::span<const std::uint8_t> described) const;
  /// A number, also when the file has it as a decimal string.
  void number(std::string_view field, std::uint64_t actual) const;
  void boolean(std::string_view field, bool actual) const;
  void text(std::string_view field, std::string_view actual) const;
  void is_true(bool condition, const std::string& what) const;

 private:
  void equal(std::string_view field, const nlohmann::json& expected,
             const nlohmann::json& actual) const;

  const nlohmann::json& object_;
  const VectorReport::Fail& fail_;
  std::string prefix_;
};

}  // namespace furrow::vectors
