// SPDX-License-Identifier: Apache-2.0
// furrow/c/error.h: names, fields, and what a thread remembers.
#include <array>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "host/capi/last_error.hpp"
#include "host/farm/farm_errors.hpp"
#include "tests/unit/capi/capi_support.hpp"

namespace furrow {
namespace {

/// The names and values of an enum, as its header has them.
std::map<std::string, int> enumerators(const std::string& header, const std::string& type) {
  std::ifstream file(FURROW_SOURCE_DIR "/include/furrow/c/" + header);
  std::stringstream text;
  text << file.rdbuf();
  std::string body = text.str();
  body = body.substr(body.find("typedef enum " + type));
  body = body.substr(0, body.find("} " + type));
  std::map<std::string, int> result;
  std::istringstream words(body);
  std::string name;
  for (std::string word; words >> word; name = word) {
    std::string number;
    if (word == "=" && name.starts_with("FURROW_") && words >> number) {
      result[name] = std::stoi(number);
    }
  }
  return result;
}

TEST(CError, EachStatusAndEachKindHasItsName) {
  const auto statuses = enumerators("base.h", "furrow_status");
  EXPECT_GE(statuses.size(), 12U);
  for (const auto& [name, value] : statuses) {
    EXPECT_EQ(furrow_status_name(static_cast<furrow_status>(value)), name);
  }
  const auto kinds = enumerators("error.h", "furrow_error_kind");
  EXPECT_GE(kinds.size(), 31U);
  for (const auto& [name, value] : kinds) {
    EXPECT_EQ(furrow_error_kind_name(static_cast<furrow_error_kind>(value)), name);
  }
  EXPECT_STREQ(furrow_status_name(static_cast<furrow_status>(12)), "unknown status");
  EXPECT_STREQ(furrow_error_kind_name(static_cast<furrow_error_kind>(9)), "unknown kind");
}

TEST(CError, HasTheFieldsOfWhatWasThrown) {
  EXPECT_EQ(capi::guarded([]() -> furrow_status {
              throw MalformedData("bad \x1b thing", {.piece_index = 1,
                                                     .segment_index = 2,
                                                     .sector_index = 3,
                                                     .piece_offset = 4,
                                                     .offset = 5,
                                                     .path = "/a\nb",
                                                     .expected = "this",
                                                     .actual = "that"});
            }),
            FURROW_CORRUPT);
  const furrow_error error = test::last_error();
  EXPECT_EQ(error.status, FURROW_CORRUPT);
  EXPECT_EQ(error.kind, FURROW_ERROR_MALFORMED);
  EXPECT_EQ(error.fields, FURROW_HAS_PIECE_INDEX | FURROW_HAS_SEGMENT_INDEX |
                              FURROW_HAS_SECTOR_INDEX | FURROW_HAS_PIECE_OFFSET |
                              FURROW_HAS_BYTE_OFFSET);
  EXPECT_EQ(error.piece_index, 1U);
  EXPECT_EQ(error.segment_index, 2U);
  EXPECT_EQ(error.sector_index, 3U);
  EXPECT_EQ(error.piece_offset, 4U);
  EXPECT_EQ(error.byte_offset, 5U);
  EXPECT_EQ(error.system_error, 0);
  EXPECT_STREQ(error.message, "bad \\x1B thing");
  EXPECT_EQ(error.message, furrow_last_error());
  EXPECT_STREQ(error.path, "/a\\nb");
  EXPECT_STREQ(error.expected, "this");
  EXPECT_STREQ(error.actual, "that");
}

TEST(CError, OfASystemCallHasItsNumber) {
  EXPECT_EQ(capi::guarded([]() -> furrow_status { throw IoError("read", "/x", ENOSPC); }),
            FURROW_IO_ERROR);
  EXPECT_EQ(test::last_error().kind, FURROW_ERROR_IO);
  EXPECT_EQ(test::last_error().fields, FURROW_HAS_SYSTEM_ERROR);
  EXPECT_EQ(test::last_error().system_error, ENOSPC);
  EXPECT_STREQ(test::last_error().path, "/x");
}

TEST(CError, IsForgottenByTheNextCallThatSucceeds) {
  std::array<std::uint8_t, FURROW_HASH_SIZE> hash{};
  EXPECT_EQ(furrow_hash(nullptr, 0, nullptr), FURROW_INVALID_ARGUMENT);
  EXPECT_EQ(test::last_error().kind, FURROW_ERROR_ARGUMENT);
  EXPECT_EQ(test::last_error().kind, FURROW_ERROR_ARGUMENT) << "looking at it leaves it";
  EXPECT_EQ(furrow_hash(nullptr, 0, hash.data()), FURROW_OK);
  const furrow_error error = test::last_error();
  EXPECT_EQ(error.status, FURROW_OK);
  EXPECT_EQ(error.kind, FURROW_ERROR_NONE);
  EXPECT_EQ(error.fields, 0U);
  for (const char* text : {error.message, error.path, error.expected, error.actual}) {
    EXPECT_STREQ(text, "");
  }
}

TEST(CError, BelongsToItsThread) {
  EXPECT_EQ(furrow_hash(nullptr, 0, nullptr), FURROW_INVALID_ARGUMENT);
  std::thread([] {
    EXPECT_EQ(test::last_error().kind, FURROW_ERROR_NONE);
    EXPECT_STREQ(furrow_last_error(), "");
  }).join();
  EXPECT_EQ(test::last_error().kind, FURROW_ERROR_ARGUMENT);
}

TEST(CError, OnlyWhatTheCallerHasIsWritten) {
  EXPECT_EQ(furrow_hash(nullptr, 0, nullptr), FURROW_INVALID_ARGUMENT);
  struct {
    furrow_error error;
    std::array<std::uint8_t, 16> more;
    std::array<std::uint8_t, 16> of_others;
  } place;
  std::memset(static_cast<void*>(&place), 0xEE, sizeof(place));
  place.error.size = sizeof(furrow_error) + sizeof(place.more);
  EXPECT_EQ(furrow_last_error_get(&place.error), FURROW_OK);
  EXPECT_EQ(place.error.kind, FURROW_ERROR_ARGUMENT);
  for (std::size_t i = 0; i < 16; ++i) {
    EXPECT_EQ(place.more[i], 0) << "what the library does not know is zero";
    EXPECT_EQ(place.of_others[i], 0xEE);
  }
  place.error.size = sizeof(furrow_error) - 1;
  EXPECT_EQ(furrow_last_error_get(&place.error), FURROW_INVALID_ARGUMENT);
  EXPECT_EQ(furrow_last_error_get(nullptr), FURROW_INVALID_ARGUMENT);
  EXPECT_EQ(test::last_error().kind, FURROW_ERROR_ARGUMENT) << "that changes nothing";
}

TEST(CError, LongTextsAreCutBetweenCharacters) {
  std::string text(2045, 'x');
  text += "\xc3\xa4\xc3\xa4";  // two of two bytes: the buffer ends inside the second
  EXPECT_EQ(capi::guarded([&]() -> furrow_status { throw InvalidArgument(text); }),
            FURROW_INVALID_ARGUMENT);
  EXPECT_EQ(std::string(furrow_last_error()), text.substr(0, 2047));
}

}  // namespace
}  // namespace furrow
