// SPDX-License-Identifier: Apache-2.0
// JSON of names that are not UTF-8.
#include "tools/json_text.hpp"

#include <gtest/gtest.h>

namespace furrow::cli {
namespace {

using Json = nlohmann::ordered_json;

TEST(JsonText, TextStaysAsItIs) {
  const Json value = {{"farm", "/data/f\u00E4rm"}, {"sectors", 3}, {"list", {"a", 1}}};
  EXPECT_EQ(json_line(value), value.dump());
}

TEST(JsonText, BytesThatAreNoTextAreBesideIt) {
  const Json value = {{"farm", "/data/\xFF%\n"}, {"sectors", 3}};
  const std::string line = json_line(value);
  EXPECT_EQ(line,
            "{\"farm\":\"/data/\xEF\xBF\xBD%\\n\",\"farm_bytes\":\"/data/%FF%25%0A\","
            "\"sectors\":3}");
  EXPECT_TRUE(Json::accept(line));
}

TEST(JsonText, ListsAndMembersWithinToo) {
  const Json value = {{"damaged", {"whole", "\xC3"}},
                      {"broken", {{{"thing", "\xED\xA0\x80"}, {"reason", "none"}}}}};
  const Json read = Json::parse(json_line(value));
  EXPECT_EQ(read["damaged_bytes"], (Json{"whole", "%C3"}));
  EXPECT_EQ(read["broken"][0]["thing_bytes"], "%ED%A0%80");
  EXPECT_FALSE(read["broken"][0].contains("reason_bytes"));
  EXPECT_FALSE(read.contains("broken_bytes"));
}

TEST(JsonText, EveryByteComesBack) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) {
    all += static_cast<char>(byte);
  }
  const std::string encoded = percent_encoded(all);
  std::string decoded;
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    if (encoded[i] == '%') {
      decoded += static_cast<char>(std::stoi(encoded.substr(i + 1, 2), nullptr, 16));
      i += 2;
    } else {
      decoded += encoded[i];
    }
  }
  EXPECT_EQ(decoded, all);
  EXPECT_TRUE(Json::accept(json_line({{"all", all}})));
}

}  // namespace
}  // namespace furrow::cli
