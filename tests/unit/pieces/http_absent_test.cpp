// SPDX-License-Identifier: Apache-2.0
// A build without pieces over HTTP says so when it is given an address.
#include <gtest/gtest.h>

#include "host/pieces/piece_supply.hpp"

namespace furrow {
namespace {

TEST(HttpAbsent, AnAddressAmongTheSourcesIsRefusedAndSaysWhatIsMissing) {
  for (const std::string url : {"http://127.0.0.1:1", "https://pieces.example/path"}) {
    PieceSupplyOptions options;
    options.sources = {url};
    try {
      const PieceSupply supply(options, {});
      FAIL() << "took pieces from " << url;
    } catch (const InvalidArgument& error) {
      const std::string text = error.what();
      EXPECT_EQ(text.find(url + ": this program was built without pieces over HTTP"), 0U) << text;
      EXPECT_NE(text.find("FURROW_HTTP"), std::string::npos) << text;
      EXPECT_NE(text.find("libcurl"), std::string::npos) << text;
    }
  }
}

}  // namespace
}  // namespace furrow
