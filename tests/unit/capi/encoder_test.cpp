// SPDX-License-Identifier: Apache-2.0
// Encoders of the C interface: many callers, progress, gate, destruction in mid-call, configuration.
#include <atomic>
#include <chrono>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "host/base/mutex.hpp"
#include "tests/unit/capi/handles.hpp"

namespace furrow::test {
namespace {

using namespace std::chrono_literals;

struct Batch {
  explicit Batch(std::size_t n)
      : records(n * FURROW_RECORD_SIZE), map(n * FURROW_FOUND_PROOFS_SIZE) {
    for (std::size_t i = 0; i < records.size(); ++i) {
      records[i] = static_cast<std::uint8_t>(i % 251);
    }
    request.sector_id = sector_id.data();
    request.records = records.data();
    request.record_count = n;
    request.contents_map = map.data();
  }
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;
  ~Batch() = default;

  furrow_status encode(const EncoderHandle& encoder) {
    return furrow_encoder_encode(encoder.get(), &request);
  }
  bool operator==(const Batch& other) const { return records == other.records && map == other.map; }

  std::array<std::uint8_t, FURROW_SECTOR_ID_SIZE> sector_id = {1, 2, 3};
  std::vector<std::uint8_t> records;
  std::vector<std::uint8_t> map;
  furrow_encode_request request = made_by(furrow_encode_request_init);
};

TEST(CEncoder, CallsAtTheSameTimeShareItAndAllAreRight) {
  const LibraryHandle library = make_library();
  const EncoderHandle encoder = open_cpu_encoder(library, 2);
  Batch expected(2);
  ASSERT_EQ(expected.encode(encoder), FURROW_OK) << furrow_last_error();
  std::atomic<int> n_right = 0;
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < 4; ++i) {
      callers.emplace_back([&] {
        Batch batch(2);
        n_right += batch.encode(encoder) == FURROW_OK && batch == expected ? 1 : 0;
      });
    }
  }
  EXPECT_EQ(n_right, 4);
  auto info = to_fill<furrow_encoder_info>();
  ASSERT_EQ(furrow_encoder_get_info(encoder.get(), &info), FURROW_OK);
  EXPECT_EQ(info.records_done, 10U);
  EXPECT_EQ(info.running_calls, 0U);
  EXPECT_EQ(info.threads, 2U);
  EXPECT_GE(info.host_bytes, 2U * (64U << 20));
  EXPECT_EQ(info.device_bytes, 0U);
  EXPECT_EQ(info.member_count, 1U);
  EXPECT_NE(std::string(info.name).find("cpu ("), std::string::npos) << info.name;
  auto member = to_fill<furrow_encoder_member>();
  ASSERT_EQ(furrow_encoder_get_member(encoder.get(), 0, &member), FURROW_OK);
  EXPECT_EQ(member.state, FURROW_ENCODER_IDLE);
  EXPECT_EQ(member.records_done, 10U);
  EXPECT_EQ(furrow_encoder_get_member(encoder.get(), 1, &member), FURROW_INVALID_ARGUMENT);
}

// A caller with one record does not wait until another one's sector is done.
TEST(CEncoder, WorkersGoFromCallToCall) {
  const LibraryHandle library = make_library();
  const EncoderHandle encoder = open_cpu_encoder(library, 1);
  volatile std::uint8_t enough = 0;
  std::atomic<std::size_t> n_done = 0;
  Batch large(200);
  large.request.abort_flag = &enough;
  large.request.user = &n_done;
  large.request.on_record = [](void* user, std::size_t) {
    ++*static_cast<std::atomic<std::size_t>*>(user);
  };
  std::jthread first([&] { EXPECT_EQ(large.encode(encoder), FURROW_CANCELLED); });
  while (n_done == 0) {
    std::this_thread::sleep_for(1ms);
  }
  Batch small(1);
  EXPECT_EQ(small.encode(encoder), FURROW_OK);
  EXPECT_LT(n_done, 200U);
  __atomic_store_n(&enough, 1, __ATOMIC_RELEASE);
}

TEST(CEncoder, ProgressNamesEachRecordOnce) {
  const LibraryHandle library = make_library();
  const EncoderHandle encoder = open_cpu_encoder(library, 2);
  struct Seen {
    Mutex mutex;
    std::multiset<std::size_t> offsets;
  } seen;
  Batch batch(3);
  batch.request.first_offset = 7;
  batch.request.user = &seen;
  batch.request.on_record = [](void* user, std::size_t offset) {
    auto& all = *static_cast<Seen*>(user);
    const Lock lock(all.mutex);
    all.offsets.insert(offset);
  };
  ASSERT_EQ(batch.encode(encoder), FURROW_OK);
  EXPECT_EQ(seen.offsets, (std::multiset<std::size_t>{7, 8, 9}));
}

TEST(CEncoder, AClosedGateStopsARecordInTheMiddle) {
  const LibraryHandle library = make_library();
  furrow_gate* made = nullptr;
  ASSERT_EQ(furrow_gate_create(&made), FURROW_OK);
  const GateHandle gate(made);
  const EncoderHandle encoder = open_cpu_encoder(library, 1, gate.get());
  Batch expected(1);
  ASSERT_EQ(expected.encode(encoder), FURROW_OK);
  Batch batch(1);
  ASSERT_EQ(furrow_gate_close(gate.get()), FURROW_OK);
  std::atomic<bool> is_over = false;
  std::jthread caller([&] {
    EXPECT_EQ(batch.encode(encoder), FURROW_OK);
    is_over = true;
  });
  std::this_thread::sleep_for(500ms);  // longer than a record takes
  EXPECT_FALSE(is_over);
  ASSERT_EQ(furrow_gate_open(gate.get()), FURROW_OK);
  caller.join();
  EXPECT_TRUE(batch == expected);
}

TEST(CEncoder, DestroyingItEndsCallsAndWaitsForThem) {
  const LibraryHandle library = make_library();
  EncoderHandle encoder = open_cpu_encoder(library, 2);
  furrow_encoder* const raw = encoder.get();
  const auto is_running = [raw] {
    auto info = to_fill<furrow_encoder_info>();
    return furrow_encoder_get_info(raw, &info) == FURROW_OK && info.running_calls == 1;
  };
  Batch batch(100);
  std::atomic<furrow_status> status = FURROW_OK;
  std::jthread caller([&] { status = furrow_encoder_encode(raw, &batch.request); });
  while (!is_running()) {
    std::this_thread::sleep_for(1ms);
  }
  encoder.reset();
  caller.join();
  EXPECT_EQ(status, FURROW_CANCELLED);
}

TEST(CEncoder, ItOutlivesItsLibraryAndItsGate) {
  LibraryHandle library = make_library();
  furrow_gate* made = nullptr;
  ASSERT_EQ(furrow_gate_create(&made), FURROW_OK);
  GateHandle gate(made);
  const EncoderHandle encoder = open_cpu_encoder(library, 1, gate.get());
  ASSERT_EQ(furrow_gate_close(gate.get()), FURROW_OK);
  Batch batch(1);
  std::jthread caller([&] { EXPECT_EQ(batch.encode(encoder), FURROW_OK); });
  library.reset();
  gate.reset();  // who waits at it goes on
}

TEST(CEncoder, ThreadsThatEncodeHaveTheHooksOfTheLibrary) {
  struct Seen {
    Mutex mutex;
    std::multiset<std::string> started;
    std::multiset<std::string> ended;
  } seen;
  auto options = made_by(furrow_library_options_init);
  options.thread_user = &seen;
  options.on_thread_start = [](void* user, const char* name) {
    auto& all = *static_cast<Seen*>(user);
    const Lock lock(all.mutex);
    all.started.insert(name);
  };
  options.on_thread_end = [](void* user, const char* name) {
    auto& all = *static_cast<Seen*>(user);
    const Lock lock(all.mutex);
    all.ended.insert(name);
  };
  {
    const LibraryHandle library = make_library(&options);
    const EncoderHandle encoder = open_cpu_encoder(library, 2);
    Batch batch(2);
    const volatile std::uint8_t never = 0;
    batch.request.abort_flag = &never;
    ASSERT_EQ(batch.encode(encoder), FURROW_OK);
  }
  EXPECT_EQ(seen.started, (std::multiset<std::string>{"fw-abort", "fw-encode", "fw-encoder"}));
  EXPECT_EQ(seen.ended, seen.started);
}

TEST(CEncoder, BuffersMayBeMisalignedButNotOverlap) {
  const LibraryHandle library = make_library();
  const EncoderHandle encoder = open_cpu_encoder(library);
  Batch expected(1);
  ASSERT_EQ(expected.encode(encoder), FURROW_OK);
  const Batch source(1);
  std::vector<std::uint8_t> odd(1 + FURROW_RECORD_SIZE + FURROW_FOUND_PROOFS_SIZE);
  std::copy(source.records.begin(), source.records.end(), odd.begin() + 1);
  Batch batch(1);
  batch.request.records = odd.data() + 1;
  batch.request.contents_map = odd.data() + 1 + FURROW_RECORD_SIZE;
  ASSERT_EQ(batch.encode(encoder), FURROW_OK) << furrow_last_error();
  EXPECT_TRUE(std::equal(expected.records.begin(), expected.records.end(), odd.begin() + 1));
  batch.request.contents_map = odd.data() + FURROW_RECORD_SIZE;
  EXPECT_EQ(batch.encode(encoder), FURROW_INVALID_ARGUMENT);
  EXPECT_TRUE(last_error_says("records and contents_map overlap")) << furrow_last_error();
}

TEST(CEncoder, AWrongConfigurationIsRefusedAndNamed) {
  const LibraryHandle library = make_library();
  furrow_encoder* encoder = nullptr;
  const auto refused = [&](const furrow_encoder_config& config, const std::string& says) {
    encoder = reinterpret_cast<furrow_encoder*>(1);
    EXPECT_EQ(furrow_encoder_open(library.get(), &config, &encoder), FURROW_INVALID_ARGUMENT)
        << says;
    EXPECT_EQ(encoder, nullptr) << says;
    EXPECT_TRUE(last_error_says(says)) << furrow_last_error();
    EXPECT_EQ(last_error().kind, FURROW_ERROR_ARGUMENT);
  };
  auto config = made_by(furrow_encoder_config_init);
  EXPECT_EQ(config.verify_records, 1U);
  config.kind = "gpu\n\x1b[31m";
  refused(config, R"('gpu\n\x1B[31m')");
  config.kind = "cpu";
  config.threads = 100'000;
  refused(config, "100000");
  config.threads = 1;
  const char* const names[] = {"0"};
  config.devices = names;
  config.device_count = 1;
  refused(config, "uses no device");
  config.devices = nullptr;
  refused(config, "devices is NULL");
  config.device_count = 0;
  config.size = sizeof(config) - 8;
  refused(config, "size of furrow_encoder_config");
  config.size = sizeof(config);
  config.reserved[7] = 1;
  refused(config, "of furrow_encoder_config, which this library");
}

// A caller that is newer than the library: what it leaves at zero is no wish, what it sets is one.
TEST(CEncoder, OfANewerStructOnlyWishesAreRefused) {
  const LibraryHandle library = make_library();
  struct Newer {
    furrow_encoder_config known;
    std::uint64_t unknown;
  } newer{};
  furrow_encoder_config_init(&newer.known, sizeof(newer));
  EXPECT_EQ(newer.known.size, sizeof(newer));
  newer.known.kind = "cpu";
  newer.known.threads = 1;
  furrow_encoder* encoder = nullptr;
  EXPECT_EQ(furrow_encoder_open(library.get(), &newer.known, &encoder), FURROW_OK)
      << furrow_last_error();
  furrow_encoder_destroy(encoder);
  newer.unknown = std::uint64_t{1} << 56;
  EXPECT_EQ(furrow_encoder_open(library.get(), &newer.known, &encoder), FURROW_INVALID_ARGUMENT);
  EXPECT_TRUE(last_error_says("byte " + std::to_string(sizeof(newer) - 1))) << furrow_last_error();
}

TEST(CEncoder, WithoutADeviceCudaIsRefusedAndAutoSaysWhatItDoes) {
  std::vector<std::string> lines;
  auto options = made_by(furrow_library_options_init);
  options.log_user = &lines;
  options.on_log = [](void* user, furrow_log_level, const char* line) {
    static_cast<std::vector<std::string>*>(user)->emplace_back(line);
  };
  const LibraryHandle library = make_library(&options);
  furrow_device_list* made = nullptr;
  ASSERT_EQ(furrow_device_list_create(library.get(), &made), FURROW_OK);
  const DeviceListHandle list(made);
  std::size_t count = 1;
  ASSERT_EQ(furrow_device_list_count(list.get(), &count), FURROW_OK);
  if (count != 0) {
    GTEST_SKIP() << "this machine has a device";
  }
  std::array<char, 200> problem{};
  ASSERT_EQ(furrow_device_list_problem(list.get(), problem.data(), problem.size()), FURROW_OK);
  EXPECT_NE(problem[0], '\0');
  auto device = to_fill<furrow_device>();
  EXPECT_EQ(furrow_device_list_get(list.get(), 0, &device), FURROW_INVALID_ARGUMENT);
  EXPECT_EQ(furrow_device_list_check(list.get(), 0, &device), FURROW_INVALID_ARGUMENT);

  auto config = made_by(furrow_encoder_config_init);
  config.kind = "cuda";
  furrow_encoder* encoder = nullptr;
  EXPECT_EQ(furrow_encoder_open(library.get(), &config, &encoder), FURROW_ENCODER_FAILED);
  EXPECT_EQ(last_error().kind, FURROW_ERROR_NO_DEVICE);
  EXPECT_TRUE(last_error_says(problem.data())) << furrow_last_error();
  config.kind = nullptr;
  config.threads = 1;
  ASSERT_EQ(furrow_encoder_open(library.get(), &config, &encoder), FURROW_OK);
  const EncoderHandle automatic(encoder);
  auto info = to_fill<furrow_encoder_info>();
  ASSERT_EQ(furrow_encoder_get_info(automatic.get(), &info), FURROW_OK);
  EXPECT_NE(std::string(info.note).find(problem.data()), std::string::npos) << info.note;
  EXPECT_EQ(lines, std::vector<std::string>{info.note});
}

TEST(CMemoryPlan, SaysWhatEncodersAndSectorsTake) {
  const LibraryHandle library = make_library();
  auto request = made_by(furrow_memory_request_init);
  request.threads = 2;
  auto plan = to_fill<furrow_memory_plan>();
  ASSERT_EQ(furrow_memory_plan_get(library.get(), &request, &plan), FURROW_OK)
      << furrow_last_error();
  const EncoderHandle encoder = open_cpu_encoder(library, 2);
  auto info = to_fill<furrow_encoder_info>();
  ASSERT_EQ(furrow_encoder_get_info(encoder.get(), &info), FURROW_OK);
  EXPECT_EQ(plan.encoder_bytes, info.host_bytes);
  EXPECT_EQ(plan.host_bytes, plan.encoder_bytes);
  EXPECT_EQ(plan.sector_bytes, 0U);
  request.pieces_in_sector = 10;
  request.sectors_in_memory = 3;
  request.output_buffers = 1;
  ASSERT_EQ(furrow_memory_plan_get(library.get(), &request, &plan), FURROW_OK);
  EXPECT_GE(plan.sector_bytes, 3U * 10U * FURROW_RECORD_SIZE + furrow_sector_size(10));
  EXPECT_GE(plan.host_bytes, plan.sector_bytes + plan.encoder_bytes);
  EXPECT_EQ(plan.sectors_in_memory, 3U);
  request.pieces_in_sector = 1001;
  EXPECT_EQ(furrow_memory_plan_get(library.get(), &request, &plan), FURROW_INVALID_ARGUMENT);
}

}  // namespace
}  // namespace furrow::test
