// SPDX-License-Identifier: Apache-2.0
// CpuRecordsEncoder: the same bytes whatever the threads and the SIMD mode, cancellation, errors.
#include <atomic>
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "host/crypto/blake3.hpp"
#include "host/plotting/cpu_records_encoder.hpp"
#include "host/plotting/encoder_choice.hpp"
#include "tests/support/other_threads.hpp"

namespace furrow {
namespace {

// Eight times faster than K = 20. Some seeds have too few proofs at this K; those used here do not.
constexpr unsigned kTestK = 17;

struct Batch {
  explicit Batch(std::size_t n, std::uint64_t seed = 1) : records(n), found_proofs(n) {
    std::mt19937_64 random(seed);
    for (Record& record : records) {
      for (RecordChunk& chunk : record) {
        for (std::uint8_t& byte : chunk.bytes) {
          byte = static_cast<std::uint8_t>(random());
        }
      }
    }
  }
  [[nodiscard]] Hash digest() const {
    Blake3Hasher hasher;
    for (std::size_t i = 0; i < records.size(); ++i) {
      hasher.update(bytes_of(records[i])).update(found_proofs[i].bytes);
    }
    return hasher.finalize();
  }
  std::vector<Record> records;
  std::vector<FoundProofs> found_proofs;
};

EncodeOutcome encode(CpuRecordsEncoder& encoder, Batch& batch, std::stop_token stop = {}) {
  SectorId id;
  id.bytes.fill(5);
  return encoder.encode_records(id, batch.records, batch.found_proofs, std::move(stop));
}

TEST(CpuRecordsEncoder, ThreadsAndSimdDoNotChangeTheBytes) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::optional<Hash> expected;
  for (const SimdMode mode : {SimdMode::kScalar, SimdMode::kBest}) {
    for (const unsigned threads : {1U, 2U, 5U}) {
      CpuRecordsEncoder encoder({.threads = threads, .mode = mode, .k = kTestK});
      Batch batch(3, seed);
      ASSERT_EQ(encode(encoder, batch), EncodeOutcome::kComplete);
      const Hash digest = batch.digest();
      EXPECT_EQ(digest, expected.value_or(digest)) << encoder.name();
      expected = digest;
    }
  }
}

TEST(CpuRecordsEncoder, NoRecordsIsDoneAtOnce) {
  CpuRecordsEncoder encoder({.threads = 2, .k = kTestK});
  Batch batch(0);
  EXPECT_EQ(encode(encoder, batch), EncodeOutcome::kComplete);
}

TEST(CpuRecordsEncoder, RefusesBadRequests) {
  EXPECT_THROW(CpuRecordsEncoder({.threads = 0}), InvalidArgument);
  EXPECT_THROW(CpuRecordsEncoder({.threads = 1, .k = 3}), InvalidArgument);
  CpuRecordsEncoder encoder({.threads = 1, .k = kTestK});
  Batch batch(2);
  batch.found_proofs.pop_back();
  EXPECT_THROW(encode(encoder, batch), InvalidArgument);
  EXPECT_THROW(choose_encoder("gpu"), InvalidArgument);
}

// The offset is part of the seed, so the same record at another offset has other bytes.
TEST(CpuRecordsEncoder, RecordsCanStartAtAnyPieceOffset) {
  CpuRecordsEncoder encoder({.threads = 2, .k = kTestK});
  Batch all(3, 7);
  Batch part = all;
  ASSERT_EQ(encode(encoder, all), EncodeOutcome::kComplete);
  SectorId id;
  id.bytes.fill(5);
  ASSERT_EQ(encoder.encode_records(id, std::span(part.records).subspan(1),
                                   std::span(part.found_proofs).subspan(1), {}, PieceOffset(1)),
            EncodeOutcome::kComplete);
  for (std::size_t i = 1; i < 3; ++i) {
    EXPECT_EQ(part.records[i], all.records[i]) << i;
    EXPECT_EQ(part.found_proofs[i], all.found_proofs[i]) << i;
  }
  EXPECT_THROW(encoder.encode_records(id, part.records, part.found_proofs, {}, PieceOffset(65534)),
               InvalidArgument);
}

TEST(CpuRecordsEncoder, AStopInsideARecordLeavesItAsItWas) {
  for (const SimdMode mode : {SimdMode::kScalar, SimdMode::kBest}) {
    CpuRecordsEncoder encoder({.threads = 1, .mode = mode, .k = kTestK});
    Batch batch(2);
    const Batch source = batch;
    SectorId id;
    id.bytes.fill(5);
    unsigned questions = 0;
    {
      EncodingJob job(id, batch.records, batch.found_proofs);
      EncodingJob watched = job.watched({.may_go_on = [&] {
        ++questions;
        return true;
      }});
      ASSERT_EQ(encoder.encode(watched, {}), EncodeOutcome::kComplete);
    }
    ASSERT_GT(questions, 2 * 60U) << "asked too seldom";
    const Batch encoded = batch;
    // At the beginning, in the tables, before and at the last question of the first record, after
    // which it is written, and in the second one.
    const unsigned half = questions / 2;
    for (const unsigned last : {2U, half / 4, half - 1, half, half + 2, questions - 2}) {
      batch = source;
      std::stop_source stop;
      EncodingJob job(id, batch.records, batch.found_proofs);
      unsigned n = 0;
      EncodingJob watched = job.watched({.may_go_on = [&] {
        if (++n == last) {
          stop.request_stop();
        }
        return true;
      }});
      ASSERT_EQ(encoder.encode(watched, stop.get_token()), EncodeOutcome::kCancelled);
      EXPECT_LE(n, last + 1) << "the stop is seen at the next question";
      EXPECT_EQ(job.claim(9).size(), last < half ? 2U : 1U) << "given back";
      for (std::size_t i = 0; i < 2; ++i) {
        const bool is_done = i == 0 && last >= half;
        EXPECT_EQ(batch.records[i], (is_done ? encoded : source).records[i]) << last;
        EXPECT_EQ(batch.found_proofs[i], (is_done ? encoded : source).found_proofs[i]) << last;
      }
    }
  }
}

// The farmer closes the gate while it proves, and a record takes longer than it has time for.
TEST(CpuRecordsEncoder, AClosedGateHoldsARecordInTheMiddle) {
  Gate gate;
  EncoderPool::Options options;
  options.encoders.push_back(
      std::make_unique<CpuRecordsEncoder>(CpuRecordsEncoder::Options{.threads = 1, .k = kTestK}));
  options.gate = &gate;
  EncoderPool pool(std::move(options));
  Batch batch(1);
  const Batch source = batch;
  SectorId id;
  id.bytes.fill(5);
  EncodingJob job(id, batch.records, batch.found_proofs);
  std::atomic<unsigned> questions = 0;
  EncodingJob watched = job.watched({.may_go_on = [&] {
    if (++questions == 20) {
      gate.close();  // the same question goes on to it
    }
    return true;
  }});
  EncodeOutcome outcome = EncodeOutcome::kCancelled;
  std::jthread encoding([&] { outcome = pool.encode(watched, {}); });
  while (gate.is_open()) {
    std::this_thread::yield();
  }
  EXPECT_TRUE(test::other_threads_wait());
  EXPECT_EQ(questions, 20U) << "nobody went on";
  EXPECT_EQ(batch.digest(), source.digest());
  gate.open();
  encoding.join();
  EXPECT_EQ(outcome, EncodeOutcome::kComplete);
  EXPECT_GT(questions, 60U);
  EXPECT_NE(batch.digest(), source.digest());
}

TEST(CpuRecordsEncoder, StopsWithinOneRecord) {
  std::stop_source stop;
  std::atomic<int> done = 0;
  CpuRecordsEncoder encoder({.threads = 2, .k = kTestK});
  Batch batch(12);
  SectorId id;
  id.bytes.fill(5);
  EncodingJob job(id, batch.records, batch.found_proofs);
  EncodingJob watched = job.watched({.on_done = [&](PieceOffset) {
    ++done;
    stop.request_stop();
  }});
  EXPECT_EQ(encoder.encode(watched, stop.get_token()), EncodeOutcome::kCancelled);
  EXPECT_LE(done, 4) << "each worker finishes at most the record it is at";
  EXPECT_EQ(encoder.encode(job, stop.get_token()), EncodeOutcome::kCancelled);
}

// K = 15 has 2^15 possible s-buckets and finds proofs for fewer than 32768 of them.
TEST(CpuRecordsEncoder, ARecordWithTooFewProofsIsAnErrorThatNamesIt) {
  CpuRecordsEncoder encoder({.threads = 2, .k = 15});
  Batch batch(1);
  const Batch before = batch;
  try {
    encode(encoder, batch);
    FAIL() << "encoded a record without enough proofs";
  } catch (const TooFewProofs& error) {
    EXPECT_EQ(error.piece_offset(), PieceOffset(0));
    EXPECT_NE(std::string(error.what()).find("needs 32768 proofs"), std::string::npos);
  }
  EXPECT_EQ(batch.digest(), before.digest()) << "the record is as it was";
}

}  // namespace
}  // namespace furrow
