// SPDX-License-Identifier: Apache-2.0
// Observers: told, copied, absent; what they throw is dropped and reported once.
#include "host/base/observer.hpp"

#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace furrow {
namespace {

std::vector<std::string> g_reasons;

class ObserverTest : public testing::Test {
 protected:
  void SetUp() override {
    g_reasons.clear();
    before_ = set_observer_failure_handler(
        [](std::string_view reason) { g_reasons.emplace_back(reason); });
  }
  void TearDown() override { set_observer_failure_handler(before_); }

 private:
  ObserverFailureHandler before_ = nullptr;
};

TEST_F(ObserverTest, IsToldWhatHappened) {
  std::vector<int> told;
  const Observer<int> observer = [&](int value) { told.push_back(value); };
  EXPECT_TRUE(observer);
  observer(3);
  const Observer<int> copy = observer;  // NOLINT(performance-unnecessary-copy-initialization)
  copy(4);
  EXPECT_EQ(told, (std::vector<int>{3, 4}));
}

TEST_F(ObserverTest, NobodyMayBeThere) {
  const Observer<int> nobody;
  EXPECT_FALSE(nobody);
  nobody(1);
  EXPECT_FALSE(Observer<int>(std::function<void(int)>()));
}

TEST_F(ObserverTest, WhatItThrowsIsDroppedAndReportedOnce) {
  const Observer<> observer = [] { throw std::runtime_error("no terminal"); };
  const Observer<> copy = observer;  // NOLINT(performance-unnecessary-copy-initialization)
  observer();
  observer();
  copy();
  EXPECT_EQ(g_reasons, std::vector<std::string>{"no terminal"});
  const Observer<> other = [] { throw 7; };
  other();
  EXPECT_EQ(g_reasons.size(), 2U);
}

TEST_F(ObserverTest, AHandlerThatThrowsIsContainedToo) {
  set_observer_failure_handler([](std::string_view) { throw 7; });
  const Observer<> observer = [] { throw std::runtime_error("no terminal"); };
  observer();
  set_observer_failure_handler(nullptr);
  const Observer<> other = [] { throw 7; };
  other();
}

}  // namespace
}  // namespace furrow
