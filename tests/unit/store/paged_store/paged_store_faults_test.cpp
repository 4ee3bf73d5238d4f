// SPDX-License-Identifier: Apache-2.0
// A backend that fails, at each of its operations: nothing is lost, nothing is half there, and
// somebody is told (docs/spec/08-storage-components.md, S2, S3).
#include <atomic>
#include <latch>

#include <gtest/gtest.h>

#include "host/store/paged_store/paged_store_check.hpp"
#include "tests/unit/store/paged_store/paged_objects.hpp"

namespace furrow {
namespace {

using test::backend_error;
using test::chain;
using test::count_records;
using test::HookedBackend;
using test::kByHand;
using test::Node;
using test::node;
using Operation = HookedBackend::Operation;

/// A store over a backend in which operation number `failing` fails once.
struct FailingStore {
  explicit FailingStore(std::size_t failing, BackendError::Reason reason,
                        PagedStore::Options options = kByHand)
      : memory(std::make_shared<MemoryBackend>()),
        store(std::make_unique<HookedBackend>(memory,
                                              [this, failing, reason](Operation /*operation*/) {
                                                if (done++ == failing) {
                                                  throw backend_error(reason);
                                                }
                                              }),
              {}, options) {}

  std::atomic<std::size_t> done = 0;
  std::shared_ptr<MemoryBackend> memory;
  PagedStore store;
};

struct Step {
  const char* name;
  std::function<void(PagedStore&)> run;
};

TEST(PagedStoreFaults, AFailureOfAnyOperationLeavesEverythingWholeAndToBeRepeated) {
  for (const BackendError::Reason reason :
       {BackendError::Reason::kIo, BackendError::Reason::kNoSpace,
        BackendError::Reason::kCorrupt}) {
    std::size_t failures = 0;
    for (std::size_t failing = 0; failing < 8; ++failing) {
      SCOPED_TRACE("operation " + std::to_string(failing));
      FailingStore failing_store(failing, reason);
      PagedStore& store = failing_store.store;
      const Paged<Node> first = node(100, {chain(3)});
      const Paged<Node> second = node(200, {first, chain(5)});
      const Paged<Node> third = node(300);
      const std::vector<Step> steps = {
          {"page out a root", [&](PagedStore& s) { s.page_out(first); }},
          {"flush", [](PagedStore& s) { s.flush(); }},
          {"write an entry", [](PagedStore& s) { s.write_value("n", std::uint64_t{5}); }},
          {"page out what is pending",
           [&](PagedStore& s) {
             s.schedule_for_paging(second);
             s.schedule_for_paging(third);
             s.page_out_pending();
           }},
          {"flush again", [](PagedStore& s) { s.flush(); }},
      };
      for (const Step& step : steps) {
        SCOPED_TRACE(step.name);
        const std::size_t records = count_records(*failing_store.memory);
        try {
          step.run(store);
        } catch (const BackendError& error) {
          ++failures;
          EXPECT_EQ(error.reason(), reason);
          EXPECT_EQ(error.kind(), reason == BackendError::Reason::kCorrupt ? ErrorKind::kCorrupt
                                                                           : ErrorKind::kIo);
          EXPECT_LE(count_records(*failing_store.memory), records + 1)
              << "all of a root or nothing";
          EXPECT_TRUE(check_paged_store(*failing_store.memory).broken.empty());
          for (const Paged<Node>* each : {&first, &second, &third}) {
            EXPECT_NO_THROW((void)store.load(*each)) << "in memory or in the store";
          }
          step.run(store);
        }
      }
      EXPECT_EQ(store.pending_count(), 0U);
      EXPECT_FALSE(second.needs_paging_out());
      EXPECT_FALSE(third.needs_paging_out());
      EXPECT_EQ(store.fetch_value<std::uint64_t>("n"), 5U);
      EXPECT_EQ(store.load(store.load(second)->children[0])->value, 100U);
      EXPECT_EQ(count_records(*failing_store.memory), 8U);
    }
    EXPECT_EQ(failures, 6U) << "each operation failed once";
  }
}

TEST(PagedStoreFaults, NoReferenceLetsGoOfAnObjectThatIsNotStored) {
  FailingStore failing_store(0, BackendError::Reason::kNoSpace);
  auto object = std::make_shared<const Node>(Node{1, {}});
  const std::weak_ptr<const Node> watch = object;
  const Paged<Node> leaf(std::move(object));
  const Paged<Node> parent = node(2, {leaf});
  EXPECT_THROW(failing_store.store.page_out(parent), BackendError);
  EXPECT_TRUE(leaf.needs_paging_out());
  EXPECT_TRUE(parent.needs_paging_out());
  EXPECT_FALSE(watch.expired());
  failing_store.store.page_out(parent);
  EXPECT_TRUE(watch.expired());
}

TEST(PagedStoreFaults, WhatTheBackendRefusedStaysInTheQueueBehindTheOthers) {
  FailingStore failing_store(0, BackendError::Reason::kNoSpace);
  PagedStore& store = failing_store.store;
  const Paged<Node> below = node(1);
  const Paged<Node> refused = node(2);
  store.schedule_for_paging(below);
  store.schedule_for_paging(refused);
  EXPECT_THROW(store.page_out_pending(), BackendError);
  EXPECT_EQ(store.pending_count(), 2U);
  store.page_out_pending();
  EXPECT_FALSE(below.needs_paging_out());
  EXPECT_FALSE(refused.needs_paging_out());
}

// ---- The background thread

TEST(PagedStoreFaults, DrainAndFlushTellWhatHappenedInTheBackground) {
  for (const bool by_flush : {false, true}) {
    std::latch failed(1);
    auto memory = std::make_shared<MemoryBackend>();
    std::atomic<bool> is_broken = true;
    PagedStore store(std::make_unique<HookedBackend>(memory, [&](Operation operation) {
      if (operation == Operation::kPutRecords && is_broken.exchange(false)) {
        failed.count_down();
        throw backend_error();
      }
    }));
    const Paged<Node> object = node(1);
    store.schedule_for_paging(object);
    failed.wait();
    // The failure may still be on its way to where flush sees it, but not past drain.
    if (by_flush) {
      EXPECT_THROW(
          {
            while (object.needs_paging_out()) {
              store.flush();
            }
          },
          BackendError);
    } else {
      EXPECT_THROW(store.drain(), BackendError);
    }
    EXPECT_NO_THROW(store.drain()) << "told once, tried again";
    EXPECT_FALSE(object.needs_paging_out());
    EXPECT_NO_THROW(store.flush());
  }
}

/// Cannot be written.
struct Stubborn {
  void serialize(ObjectWriter& /*out*/) const { throw MalformedData("injected"); }
  static std::shared_ptr<const Stubborn> deserialize(ObjectReader& /*in*/) { return nullptr; }
};

TEST(PagedStoreFaults, AnObjectThatCannotBeWrittenDoesNotStopTheOthers) {
  auto memory = std::make_shared<MemoryBackend>();
  std::latch written(1);
  PagedStore store(std::make_unique<HookedBackend>(
      memory, [&](Operation /*operation*/) { written.count_down(); }));
  store.schedule_for_paging(Paged<Stubborn>(std::make_shared<const Stubborn>()));
  const Paged<Node> good = node(1);
  store.schedule_for_paging(good);
  written.wait();  // by the background thread: nobody else was asked to
  // Which of the two came first is open, and so is whether drain itself meets the stubborn one.
  EXPECT_THROW(store.drain(), MalformedData);
  EXPECT_NO_THROW(store.drain());
  EXPECT_FALSE(good.needs_paging_out());
  EXPECT_EQ(store.pending_count(), 0U);
}

TEST(PagedStoreFaults, AnObjectMadeOfNothingIsAnError) {
  PagedStore store(std::make_unique<MemoryBackend>(), {}, kByHand);
  const DataKey key = store.page_out(node(1));
  EXPECT_THROW(store.fetch<Stubborn>(key), CorruptEntry);
  EXPECT_THROW(PagedStore(nullptr), InvalidArgument);
}

}  // namespace
}  // namespace furrow
