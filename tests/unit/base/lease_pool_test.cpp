// SPDX-License-Identifier: Apache-2.0
#include "host/base/lease_pool.hpp"

#include <optional>
#include <stdexcept>

#include <gtest/gtest.h>

#include "host/base/first_error.hpp"

namespace furrow {
namespace {

TEST(LeasePool, GivesBackWhatItsLastUserLeft) {
  LeasePool<int> pool;
  int n_made = 0;
  const auto make = [&] { return std::make_unique<int>(++n_made); };
  {
    const LeasePool<int>::Lease first = pool.take(make);
    const LeasePool<int>::Lease second = pool.take(make);
    EXPECT_NE(&*first, &*second);
    *first = 10;
    EXPECT_EQ(pool.n_idle(), 0U);
  }
  EXPECT_EQ(pool.n_idle(), 2U);
  EXPECT_EQ(*pool.take(make), 10);  // the first one, which came back last
  EXPECT_EQ(n_made, 2);
}

TEST(LeasePool, KeepsNoMoreThanItShould) {
  LeasePool<int> pool(1);
  const auto make = [] { return std::make_unique<int>(); };
  {
    const auto first = pool.take(make);
    const auto second = pool.take(make);
  }
  EXPECT_EQ(pool.n_idle(), 1U);
}

TEST(LeasePool, AMovedLeaseComesBackOnce) {
  LeasePool<int> pool;
  std::optional<LeasePool<int>::Lease> lease(pool.take([] { return std::make_unique<int>(); }));
  LeasePool<int>::Lease moved = *std::move(lease);
  lease.reset();
  EXPECT_EQ(pool.n_idle(), 0U);
  static_cast<void>(LeasePool<int>::Lease(std::move(moved)));
  EXPECT_EQ(pool.n_idle(), 1U);
}

TEST(LeasePool, WhatCannotBeMadeIsNoLease) {
  LeasePool<int> pool;
  const auto fail = []() -> std::unique_ptr<int> { throw std::runtime_error("no"); };
  EXPECT_THROW(static_cast<void>(pool.take(fail)), std::runtime_error);
  EXPECT_EQ(pool.n_idle(), 0U);
}

TEST(FirstError, IsTheOneThatCounts) {
  FirstError error;
  EXPECT_NO_THROW(error.rethrow());
  error.keep(std::make_exception_ptr(std::runtime_error("first")));
  error.keep(std::make_exception_ptr(std::logic_error("second")));
  EXPECT_THROW(error.rethrow(), std::runtime_error);
  EXPECT_NE(error.get(), nullptr);
}

}  // namespace
}  // namespace furrow
