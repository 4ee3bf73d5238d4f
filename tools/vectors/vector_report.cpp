// SPDX-License-Identifier: Apache-2.0
#include "tools/vectors/vector_report.hpp"

#include "host/base/hex.hpp"
#include "host/crypto/blake3.hpp"

namespace furrow::vectors {

void VectorReport::run_case(const std::string& name,
                            const std::function<void(const Fail&)>& check) {
  if (name.find(only_) == std::string::npos) {
    return;
  }
  bool ok = true;
  const Fail fail = [&](const std::string& message) {
    ok = false;
    failures_.push_back(name + ": " + message);
  };
  try {
    check(fail);
  } catch (const std::exception& error) {
    fail(error.what());
  }
  ++(ok ? passed_ : failed_);
}

void CaseChecker::equal(std::string_view field, const nlohmann::json& expected,
                        const nlohmann::json& actual) const {
  if (expected != actual) {
    fail_(prefix_ + std::string(field) + ": expected " + expected.dump() + ", actual " +
          actual.dump());
  }
}

void CaseChecker::bytes(std::string_view field, std::span<const std::uint8_t> actual) const {
  equal(field, object_.at(std::string(field)), to_hex(actual));
}

void CaseChecker::digest(std::string_view field, std::span<const std::uint8_t> described) const {
  bytes(field, blake3(described).bytes);
}

void CaseChecker::number(std::string_view field, std::uint64_t actual) const {
  const nlohmann::json& expected = object_.at(std::string(field));
  if (expected.is_string()) {
    equal(field, expected, std::to_string(actual));
  } else {
    equal(field, expected, actual);
  }
}

void CaseChecker::boolean(std::string_view field, bool actual) const {
  equal(field, object_.at(std::string(field)), actual);
}

void CaseChecker::text(std::string_view field, std::string_view actual) const {
  equal(field, object_.at(std::string(field)), actual);
}

void CaseChecker::is_true(bool condition, const std::string& what) const {
  if (!condition) {
    fail_(prefix_ + what);
  }
}

}  // namespace furrow::vectors
