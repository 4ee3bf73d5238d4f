// SPDX-License-Identifier: Apache-2.0
// furrow/c/gate.h: closings are counted, and nobody is left behind.
#include "host/capi/gate.hpp"

#include <stop_token>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/capi/capi_support.hpp"

namespace furrow {
namespace {

test::GateHandle make_gate() {
  furrow_gate* gate = nullptr;
  EXPECT_EQ(furrow_gate_create(&gate), FURROW_OK) << furrow_last_error();
  return test::GateHandle(gate);
}

TEST(CGate, ClosedTwiceHasToBeOpenedTwice) {
  const auto gate = make_gate();
  const auto core = capi::gate_of(gate.get());
  EXPECT_TRUE(core->is_open());
  EXPECT_EQ(furrow_gate_close(gate.get()), FURROW_OK);
  EXPECT_FALSE(core->is_open());
  EXPECT_EQ(furrow_gate_close(gate.get()), FURROW_OK);
  EXPECT_EQ(furrow_gate_open(gate.get()), FURROW_OK);
  EXPECT_FALSE(core->is_open());
  EXPECT_EQ(furrow_gate_open(gate.get()), FURROW_OK);
  EXPECT_TRUE(core->is_open());
}

TEST(CGate, AnOpenOneCannotBeOpened) {
  const auto gate = make_gate();
  test::expect_refused(furrow_gate_open(gate.get()), "the gate is open");
  EXPECT_EQ(furrow_gate_close(gate.get()), FURROW_OK) << "that was no opening on credit";
  EXPECT_FALSE(capi::gate_of(gate.get())->is_open());
  EXPECT_EQ(furrow_gate_open(gate.get()), FURROW_OK);
  test::expect_refused(furrow_gate_open(gate.get()), "the gate is open");
}

TEST(CGate, DestroyingItLetsGoWhoWaits) {
  auto gate = make_gate();
  const auto core = capi::gate_of(gate.get());
  EXPECT_EQ(furrow_gate_close(gate.get()), FURROW_OK);
  EXPECT_EQ(furrow_gate_close(gate.get()), FURROW_OK);
  bool may_go_on = false;
  std::thread waiting([&] { may_go_on = core->wait(std::stop_token()); });
  gate.reset();
  waiting.join();  // for ever, if it were left behind
  EXPECT_TRUE(may_go_on);
  EXPECT_TRUE(core->is_open());
}

TEST(CGate, ManyThreadsCloseAndOpenIt) {
  const auto gate = make_gate();
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int round = 0; round < 500; ++round) {
          EXPECT_EQ(furrow_gate_close(gate.get()), FURROW_OK);
          EXPECT_FALSE(capi::gate_of(gate.get())->is_open());
          EXPECT_EQ(furrow_gate_open(gate.get()), FURROW_OK);
        }
      });
    }
  }
  EXPECT_TRUE(capi::gate_of(gate.get())->is_open());
}

TEST(CGate, NullIsNamed) {
  test::expect_null_refused(furrow_gate_create(nullptr), "gate");
  test::expect_null_refused(furrow_gate_close(nullptr), "gate");
  test::expect_null_refused(furrow_gate_open(nullptr), "gate");
  furrow_gate_destroy(nullptr);
  EXPECT_EQ(capi::gate_of(nullptr), nullptr);
}

}  // namespace
}  // namespace furrow
