// SPDX-License-Identifier: Apache-2.0
// VerifiedEncoder: which records are sampled, and what a wrong byte leads to.
#include "host/plotting/verified_encoder.hpp"

#include <atomic>
#include <latch>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "tests/support/other_threads.hpp"
#include "tests/unit/plotting/fake_encoder.hpp"

namespace furrow {
namespace {

std::unique_ptr<VerifiedEncoder> verified(FakeEncoder::Options fake,
                                          VerifiedEncoder::Options options) {
  if (!options.reference) {
    options.reference = fake_encode_one;
  }
  return std::make_unique<VerifiedEncoder>(std::make_unique<FakeEncoder>(std::move(fake)),
                                           std::move(options));
}

EncodeOutcome encode(RecordsEncoder& encoder, FakeSector& sector, std::stop_token stop = {}) {
  return encoder.encode_records(sector.sector_id, sector.records, sector.found_proofs,
                                std::move(stop));
}

TEST(SampledOffsets, AreDistinctAscendingAndDecidedBySeedAndSector) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  SectorId a;
  SectorId b;
  b.bytes[0] = 1;
  EXPECT_EQ(sampled_offsets(seed, a, 1000, 5), sampled_offsets(seed, a, 1000, 5));
  EXPECT_NE(sampled_offsets(seed, a, 60000, 20), sampled_offsets(seed, b, 60000, 20));
  EXPECT_NE(sampled_offsets(seed, a, 60000, 20), sampled_offsets(seed + 1, a, 60000, 20));
  for (const std::size_t n : {0U, 1U, 2U, 7U}) {
    for (const std::size_t k : {0U, 1U, 6U, 7U, 8U}) {
      const std::vector<PieceOffset> sample = sampled_offsets(seed, a, n, k);
      EXPECT_EQ(sample.size(), std::min(n, k));
      EXPECT_TRUE(std::is_sorted(sample.begin(), sample.end()));
      EXPECT_EQ(std::set(sample.begin(), sample.end()).size(), sample.size());
      EXPECT_TRUE(sample.empty() || sample.back().value() < n);
    }
  }
  std::set<PieceOffset> seen;
  for (std::uint64_t i = 0; i < 400; ++i) {
    seen.insert(sampled_offsets(seed + i, a, 8, 1).front());
  }
  EXPECT_EQ(seen, (std::set{PieceOffset(0), PieceOffset(1), PieceOffset(2), PieceOffset(3)}))
      << "every record that is encoded early has its chance";
}

TEST(VerifiedEncoder, ARightEncoderIsLeftAlone) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  for (const std::size_t k : {0U, 1U, 3U, 100U}) {
    std::atomic<std::size_t> compared = 0;
    const auto encoder =
        verified({.name = "cuda 0"},
                 {.records_per_sector = k,
                  .seed = seed,
                  .reference = [&](Network, const SectorId&, PieceOffset offset, Record& record,
                                   FoundProofs& found_proofs, const MayGoOn&) {
                    ++compared;
                    fake_encode(offset, record, found_proofs);
                    return EncodeOutcome::kComplete;
                  }});
    EXPECT_EQ(encoder->name(), "cuda 0");
    for (int round = 0; round < 3; ++round) {
      FakeSector sector(9, seed + static_cast<unsigned>(round));
      EXPECT_EQ(encode(*encoder, sector), EncodeOutcome::kComplete);
      EXPECT_TRUE(sector.is_encoded());
    }
    EXPECT_EQ(compared, 3 * std::min<std::size_t>(k, 9));
  }
}

TEST(VerifiedEncoder, EncodersWithOneSeedVerifyAsManyAsWereAskedFor) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::atomic<std::size_t> compared = 0;
  const EncodeOneRecord count = [&](Network, const SectorId&, PieceOffset offset, Record& record,
                                    FoundProofs& found_proofs, const MayGoOn&) {
    ++compared;
    fake_encode(offset, record, found_proofs);
    return EncodeOutcome::kComplete;
  };
  FakeSector sector(12, seed);
  EncodingJob job = sector.job();
  const auto half = verified({.before_batch =
                                  [n = 0](const Claim&) mutable {
                                    if (++n == 4) {
                                      throw DeviceLost("fake", "gone");
                                    }
                                  }},
                             {.records_per_sector = 5, .seed = seed, .reference = count});
  EXPECT_THROW(half->encode(job, {}), DeviceLost);
  const auto rest = verified({}, {.records_per_sector = 5, .seed = seed, .reference = count});
  EXPECT_EQ(rest->encode(job, {}), EncodeOutcome::kComplete);
  EXPECT_TRUE(sector.is_encoded());
  EXPECT_EQ(compared, 5U);
}

struct Spoil {
  const char* what;
  std::function<void(PieceOffset, Record&, FoundProofs&)> after_record;
  const char* message;
};

TEST(VerifiedEncoder, OneWrongBitIsFoundAndTheEncoderQuarantined) {
  const Spoil spoils[] = {
      {"first byte of the record",
       [](PieceOffset, Record& record, FoundProofs&) { record[0].bytes[0] ^= 1; },
       "it differs from chunk 0 on"},
      {"last byte of the record",
       [](PieceOffset, Record& record, FoundProofs&) { record[32767].bytes[31] ^= 0x80; },
       "it differs from chunk 32767 on"},
      {"bitmap", [](PieceOffset, Record&, FoundProofs& found) { found.bytes[8191] ^= 1; },
       "its bitmap differs from byte 8191 on"},
  };
  for (const Spoil& spoil : spoils) {
    SCOPED_TRACE(spoil.what);
    const auto encoder = verified({.name = "cuda 3 (bad)", .after_record = spoil.after_record},
                                  {.records_per_sector = 2, .seed = 5});
    FakeSector sector(4, 7);
    sector.sector_id.bytes.fill(0xAB);
    try {
      encode(*encoder, sector);
      FAIL() << "took wrong bytes";
    } catch (const WrongEncoding& error) {
      const std::string text = error.what();
      EXPECT_NE(text.find("cuda 3 (bad)"), std::string::npos) << text;
      EXPECT_NE(text.find("sector abababab"), std::string::npos) << text;
      EXPECT_NE(text.find("piece offset " + std::to_string(error.piece_offset().value())),
                std::string::npos)
          << text;
      EXPECT_NE(text.find(spoil.message), std::string::npos) << text;
    }
    EXPECT_THROW(encode(*encoder, sector), DeviceLost) << "it stays in quarantine";
  }
}

TEST(VerifiedEncoder, AMistakeIsFoundEvenIfTheDeviceIsLostAfterwards) {
  int batches = 0;
  const auto encoder = verified(
      {.before_batch =
           [&](const Claim&) {
             if (++batches == 2) {
               throw DeviceLost("fake", "gone");
             }
           },
       .after_record = [](PieceOffset, Record& record, FoundProofs&) { record[9].bytes[9] ^= 9; }},
      {.records_per_sector = 100, .seed = 1});
  FakeSector sector(6, 1);
  EXPECT_THROW(encode(*encoder, sector), WrongEncoding);
}

TEST(VerifiedEncoder, ARecordThatCannotBeEncodedAtAllIsAMistakeToo) {
  const auto encoder = verified(
      {}, {.seed = 1,
           .reference = [](Network, const SectorId&, PieceOffset offset, Record&, FoundProofs&,
                           const MayGoOn&) -> EncodeOutcome { throw TooFewProofs(offset, 5); }});
  FakeSector sector(3, 1);
  EXPECT_THROW(encode(*encoder, sector), WrongEncoding);
}

TEST(VerifiedEncoder, AFailureOfTheReferenceIsNotTheEncodersFault) {
  const auto encoder =
      verified({}, {.seed = 1,
                    .reference = [](Network, const SectorId&, PieceOffset, Record&, FoundProofs&,
                                    const MayGoOn&) -> EncodeOutcome { throw std::bad_alloc(); }});
  FakeSector sector(3, 1);
  EXPECT_THROW(encode(*encoder, sector), std::bad_alloc);
}

TEST(VerifiedEncoder, AStopRequestIsAnOutcome) {
  std::stop_source stop;
  const auto encoder = verified({.batch = 1,
                                 .before_batch =
                                     [&](const Claim& claim) {
                                       if (claim.pending().front() == PieceOffset(2)) {
                                         stop.request_stop();
                                       }
                                     }},
                                {.records_per_sector = 100, .seed = 1});
  FakeSector sector(50, 1);
  EXPECT_EQ(encode(*encoder, sector, stop.get_token()), EncodeOutcome::kCancelled);
}

TEST(VerifiedEncoder, AStopWhenAllIsEncodedDoesNotCutTheVerificationShort) {
  std::stop_source stop;
  std::latch all_encoded(1);
  const auto encoder = verified(
      {.after_record = [](PieceOffset, Record& record, FoundProofs&) { record[0].bytes[0] ^= 1; },
       .on_return = [&] { all_encoded.count_down(); }},
      {.seed = 1,
       .reference = [&](Network, const SectorId&, PieceOffset offset, Record& record,
                        FoundProofs& found_proofs, const MayGoOn& may_go_on) {
         all_encoded.wait();
         stop.request_stop();
         EXPECT_TRUE(test::other_threads_wait());  // they have heard of it
         if (!may_go_on()) {
           return EncodeOutcome::kCancelled;
         }
         fake_encode(offset, record, found_proofs);
         return EncodeOutcome::kComplete;
       }});
  FakeSector sector(3, 1);
  EXPECT_THROW(encode(*encoder, sector, stop.get_token()), WrongEncoding);
}

}  // namespace
}  // namespace furrow
