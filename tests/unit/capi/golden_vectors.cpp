// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/capi/golden_vectors.hpp"

#include <fstream>

namespace furrow::test {

nlohmann::json golden(const std::string& set) {
  std::ifstream file(std::string(FURROW_SOURCE_DIR "/tests/golden/") + set + ".json");
  return nlohmann::json::parse(file);
}

}  // namespace furrow::test
