// SPDX-License-Identifier: Apache-2.0
// PieceSources over sources that lack pieces or have them damaged.
#include "host/pieces/piece_sources.hpp"

#include <chrono>
#include <stop_token>
#include <vector>

#include <gtest/gtest.h>

#include "host/pieces/source_errors.hpp"
#include "tests/unit/pieces/sources_fixture.hpp"

namespace furrow {
namespace {

using namespace std::chrono_literals;
using test::get_all;
using test::MadeUpGetter;
using test::named;
using test::Scene;

TEST(PieceSources, WhatTheFirstLacksTheNextIsAsked) {
  MadeUpGetter first;
  first.missing = {1, 2, 3, 4};
  first.damaged = {5, 6, 7};
  MadeUpGetter second;
  second.missing = {1, 2, 5};
  second.damaged = {3, 6};
  PieceSources sources(named({{"first", &first}, {"second", &second}}));
  const auto answers = get_all(sources, test::indices_up_to(10));
  ASSERT_EQ(answers.size(), 10U);
  for (const std::uint64_t i : {0, 4, 7, 8, 9}) {
    test::expect_found(answers, i);
  }
  EXPECT_TRUE(test::is_not_found(answers.at(1)));
  EXPECT_TRUE(test::is_not_found(answers.at(2)));
  test::expect_failure<AllSourcesFailed>(answers.at(3),
                                         {"piece 3", "first: not there", "second: /"});
  test::expect_failure<AllSourcesFailed>(answers.at(5), {"first: /", "second: not there"});
  test::expect_failure<AllSourcesFailed>(answers.at(6), {"first: /", "second: /"});
  EXPECT_EQ(second.n_asked, 7U);
  const PieceSourceCounters counted = sources.counters(0);
  EXPECT_EQ(counted.asked, 10U);
  EXPECT_EQ(counted.found, 3U);
  EXPECT_EQ(counted.not_found, 4U);
  EXPECT_EQ(counted.failed, 3U);
  EXPECT_EQ(counted.bytes, 3 * kPieceSize);
  EXPECT_EQ(sources.counters(1).found, 2U);
  EXPECT_EQ(sources.name(1), "second");
}

TEST(PieceSources, BadAnswersAreCountedBySourceAndKindWhileAnotherHelps) {
  Scene scene;
  MadeUpGetter first;
  first.damaged = {5, 6, 7};
  MadeUpGetter second;
  PieceSources sources(named({{"first", &first}, {"second", &second}}), scene.options());
  EXPECT_EQ(get_all(sources, test::indices_up_to(10)).size(), 10U);
  EXPECT_EQ(faults_text(sources.counters(0)), "3 damaged");
  EXPECT_EQ(faults_text(sources.counters(1)), "");
  EXPECT_EQ(scene.bad, (std::vector<std::uint64_t>{5, 6, 7}));
  EXPECT_EQ(scene.n_reports, 1) << "the first at once";
  get_all(sources, test::indices_up_to(10));
  EXPECT_EQ(scene.n_reports, 1) << "then once a minute";
  *scene.now += 1min;
  get_all(sources, test::indices_up_to(3));
  EXPECT_EQ(scene.n_reports, 2) << "also what was found before";
  *scene.now += 1min;
  get_all(sources, test::indices_up_to(3));
  EXPECT_EQ(scene.n_reports, 2) << "nothing new";
  first.damaged = {1};
  second.damaged = {1};
  get_all(sources, {PieceIndex(1)});
  EXPECT_EQ(scene.n_reports, 4) << "the first of another source at once";
}

TEST(PieceSources, ExceptionOfTheSinkIsNotTheFaultOfASource) {
  MadeUpGetter first;
  MadeUpGetter second;
  PieceSources sources(named({{"first", &first}, {"second", &second}}));
  EXPECT_THROW(
      sources.get_pieces(test::indices_up_to(3),
                         [](PieceIndex, PieceAnswer) { throw InvalidArgument("enough"); }, {}),
      InvalidArgument);
  EXPECT_EQ(second.n_asked, 0U);
  EXPECT_EQ(get_all(sources, test::indices_up_to(3)).size(), 3U);
}

TEST(PieceSources, StopLeavesTheRestUnanswered) {
  MadeUpGetter first;
  first.missing = {0};
  MadeUpGetter second;
  std::stop_source stop;
  first.before = [&](PieceIndex index) {
    if (index.value() == 2) {
      stop.request_stop();
    }
  };
  PieceSources sources(named({{"first", &first}, {"second", &second}}));
  const auto answers = get_all(sources, test::indices_up_to(9), stop.get_token());
  EXPECT_TRUE(answers.contains(1));
  EXPECT_FALSE(answers.contains(0));
  EXPECT_FALSE(answers.contains(5));
  EXPECT_EQ(second.n_asked, 0U);
}

TEST(PieceSources, FaultsInWordsFitAnyNumber) {
  PieceSourceCounters counters;
  counters.faults[static_cast<std::size_t>(PieceFault::kWrong)] = 1;
  counters.faults[static_cast<std::size_t>(PieceFault::kDamaged)] = 2;
  EXPECT_EQ(faults_text(counters), "2 damaged, 1 wrong");
}

TEST(PieceSources, NeedsASource) {
  EXPECT_THROW(PieceSources({}), InvalidArgument);
}

}  // namespace
}  // namespace furrow
