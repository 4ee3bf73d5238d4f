// SPDX-License-Identifier: Apache-2.0
// Addresses of sources: which are servers, and that no secret of one is shown.
#include "host/base/url.hpp"

#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "furrow/errors.hpp"

namespace furrow {
namespace {

TEST(Url, ServersAndDirectories) {
  for (const std::string url : {"http://a", "https://a:1/b", "HTTP://a", "hTTps://a", "http:/a",
                                "https:a", "ftp://a", "s3+x://a"}) {
    EXPECT_TRUE(is_url(url)) << url;
  }
  for (const std::string directory :
       {"", "/data/store", "store", "a:b", "./http://a", "/x/http://a", "://a", "http", "ä://a"}) {
    EXPECT_FALSE(is_url(directory)) << directory;
    EXPECT_EQ(printable_url(directory), directory);
  }
}

TEST(Url, NoSecretIsShown) {
  const std::pair<std::string, std::string> shown[] = {
      {"http://host:8480/path", "http://host:8480/path"},
      {"https://user:hunter2@host:8480/path", "https://***@host:8480/path"},
      {"https://hunter2@host", "https://***@host"},
      {"https://user:hun@ter2@host", "https://***@host"},
      {"https://user:hun/ter2@host", "https://***@host"},
      {"https://user:hun?ter2@host", "https://***@host"},
      {"https://user:hun#ter2@host", "https://***@host"},
      {"HTTPS://user:hunter2@host", "HTTPS://***@host"},
      {"https:/user:hunter2@host", "https:/***@host"},
      {"https:user:hunter2@host", "https:***@host"},
      {"ftp://user:hunter2@host", "ftp://***@host"},
      {"https://host/?key=hunter2", "https://host/?***"},
      {"https://a:b@host/x?key=hunter2", "https://***@host/x?***"},
      {"http://", "http://"},
      {"http://@", "http://***@"},
      {"/stores/a@b?c", "/stores/a@b?c"},
  };
  for (const auto& [url, expected] : shown) {
    EXPECT_EQ(printable_url(url), expected) << url;
  }
}

TEST(Url, WhatCannotBeAskedIsRefusedWithoutItsSecret) {
  for (const std::string url : {"http://a", "HTTPS://a:1/b", "http://u:p@[::1]:80/"}) {
    EXPECT_NO_THROW(require_http_url(url, "here")) << url;
  }
  for (const std::string url :
       {"ftp://u:hunter2@a", "http:/u:hunter2@a", "https://a?key=hunter2", "https://u:hunter2@a#x",
        "http://", "http:///x", "https:u:hunter2@a", "/data/store", ""}) {
    try {
      require_http_url(url, "here");
      ADD_FAILURE() << url;
    } catch (const InvalidArgument& error) {
      EXPECT_EQ(std::string(error.what()).find("hunter2"), std::string::npos) << error.what();
      EXPECT_EQ(error.fields().path, printable_url(url));
    }
  }
}

}  // namespace
}  // namespace furrow
