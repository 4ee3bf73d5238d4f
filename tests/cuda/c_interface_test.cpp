// SPDX-License-Identifier: Apache-2.0
// The C interface with devices behind it: choice, memory, loss in mid-call, and what is the caller's own.
#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cuda/simt.cuh"
#include "simt/fake_cuda.hpp"
#include "tests/unit/capi/handles.hpp"

namespace furrow::test {
namespace {

using simt::FakeCuda;
using simt::Misbehavior;

/// A library on a machine with two cards, and the lines that it has said.
class CDevices : public testing::Test {
 protected:
  CDevices() {
    FakeCuda::set_devices(simt::fake_devices(2));
    auto options = made_by(furrow_library_options_init);
    options.log_user = &lines_;
    options.on_log = [](void* user, furrow_log_level, const char* line) {
      static_cast<std::vector<std::string>*>(user)->emplace_back(line);
    };
    library_ = make_library(&options);
  }
  ~CDevices() override { FakeCuda::reset(); }

  furrow_status open(const furrow_encoder_config& config) {
    furrow_encoder* made = nullptr;
    const furrow_status status = furrow_encoder_open(library_.get(), &config, &made);
    encoder_.reset(made);
    return status;
  }

  std::vector<std::string> lines_;
  LibraryHandle library_;
  EncoderHandle encoder_;
};

TEST_F(CDevices, AreListedAndProveThemselves) {
  FakeCuda::misbehave(1, Misbehavior::kIdles);
  furrow_device_list* made = nullptr;
  ASSERT_EQ(furrow_device_list_create(library_.get(), &made), FURROW_OK);
  const DeviceListHandle list(made);
  std::size_t count = 0;
  ASSERT_EQ(furrow_device_list_count(list.get(), &count), FURROW_OK);
  ASSERT_EQ(count, 2U);
  auto device = to_fill<furrow_device>();
  ASSERT_EQ(furrow_device_list_get(list.get(), 1, &device), FURROW_OK);
  EXPECT_EQ(device.index, 1);
  EXPECT_STREQ(device.name, "Furrow SIMT harness");
  EXPECT_EQ(device.free_bytes, 0U) << "nobody has opened it";
  EXPECT_STREQ(device.unusable_reason, "");
  ASSERT_EQ(furrow_device_list_check(list.get(), 0, &device), FURROW_OK);
  EXPECT_GT(device.free_bytes, 0U);
  EXPECT_STREQ(device.unusable_reason, "");
  ASSERT_EQ(furrow_device_list_check(list.get(), 1, nullptr), FURROW_OK);
  ASSERT_EQ(furrow_device_list_get(list.get(), 1, &device), FURROW_OK);
  EXPECT_STRNE(device.unusable_reason, "");
}

TEST_F(CDevices, OneThatIdlesIsLeftOutWithALineUnlessItWasNamed) {
  FakeCuda::misbehave(1, Misbehavior::kIdles);
  auto config = made_by(furrow_encoder_config_init);
  config.threads = 1;
  ASSERT_EQ(open(config), FURROW_OK) << furrow_last_error();
  ASSERT_EQ(lines_.size(), 1U);
  EXPECT_NE(lines_[0].find("CUDA device 1"), std::string::npos) << lines_[0];
  auto info = to_fill<furrow_encoder_info>();
  ASSERT_EQ(furrow_encoder_get_info(encoder_.get(), &info), FURROW_OK);
  EXPECT_STREQ(info.name, "cuda 0 (Furrow SIMT harness)");
  EXPECT_EQ(info.member_count, 1U);
  const char* const names[] = {"1"};
  config.devices = names;
  config.device_count = 1;
  EXPECT_EQ(open(config), FURROW_ENCODER_FAILED);
  EXPECT_TRUE(last_error_says("CUDA device 1")) << furrow_last_error();
}

TEST_F(CDevices, TakeNoMoreThanTheyMayAndGiveItBack) {
  auto config = made_by(furrow_encoder_config_init);
  config.kind = "cuda";
  config.threads = 1;
  config.device_memory_limit = std::uint64_t{1} << 30;
  config.pinned_memory_limit = std::uint64_t{64} << 20;
  ASSERT_EQ(open(config), FURROW_OK) << furrow_last_error();
  auto info = to_fill<furrow_encoder_info>();
  ASSERT_EQ(furrow_encoder_get_info(encoder_.get(), &info), FURROW_OK);
  EXPECT_GT(info.device_bytes, 0U);
  EXPECT_LE(info.device_bytes, 2 * config.device_memory_limit);
  EXPECT_LE(FakeCuda::used_bytes(0), config.device_memory_limit);
  EXPECT_LE(FakeCuda::used_bytes(0) + FakeCuda::used_bytes(1), info.device_bytes);
  auto request = made_by(furrow_memory_request_init);
  const char* const names[] = {"0", "1"};
  request.threads = 1;
  request.devices = names;
  request.device_count = 2;
  request.device_memory_limit = config.device_memory_limit;
  request.pinned_memory_limit = config.pinned_memory_limit;
  auto plan = to_fill<furrow_memory_plan>();
  ASSERT_EQ(furrow_memory_plan_get(library_.get(), &request, &plan), FURROW_OK)
      << furrow_last_error();
  EXPECT_EQ(plan.device_bytes, info.device_bytes);
  encoder_.reset();
  EXPECT_EQ(FakeCuda::used_bytes(0), 0U);
  EXPECT_EQ(FakeCuda::used_bytes(1), 0U);
  config.device_memory_limit = 1000;
  EXPECT_EQ(open(config), FURROW_INVALID_ARGUMENT);
  EXPECT_TRUE(last_error_says("1000")) << furrow_last_error();
}

TEST_F(CDevices, WhatMakesThemSlowerIsTold) {
  FakeCuda::plant({.api = "cudaHostAlloc", .status = cudaErrorMemoryAllocation, .n_calls = 1000});
  auto config = made_by(furrow_encoder_config_init);
  config.kind = "cuda";
  config.threads = 1;
  const char* const names[] = {"0"};
  config.devices = names;
  config.device_count = 1;
  ASSERT_EQ(open(config), FURROW_OK) << furrow_last_error();
  ASSERT_EQ(lines_.size(), 1U);
  EXPECT_NE(lines_[0].find("copies through ordinary memory"), std::string::npos) << lines_[0];
}

// A record, K = 20, on a card that is lost in the middle of it: the CPU has it then.
TEST_F(CDevices, ALostOneIsToldAndTheCallersDeviceStaysWhatItIs) {
  ASSERT_EQ(cudaSetDevice(1), cudaSuccess);
  auto config = made_by(furrow_encoder_config_init);
  config.kind = "cuda";
  config.threads = 2;
  const char* const names[] = {"0"};
  config.devices = names;
  config.device_count = 1;
  ASSERT_EQ(open(config), FURROW_OK) << furrow_last_error();
  FakeCuda::plant({.api = "cudaLaunchKernel",
                   .nth = 9,
                   .status = cudaErrorIllegalAddress,
                   .device = 0,
                   .sticky = true});
  const std::array<std::uint8_t, FURROW_SECTOR_ID_SIZE> sector_id = {4, 5};
  std::vector<std::uint8_t> records(FURROW_RECORD_SIZE);
  for (std::size_t i = 0; i < records.size(); ++i) {
    records[i] = static_cast<std::uint8_t>(i % 249);
  }
  std::vector<std::uint8_t> expected = records;
  std::vector<std::uint8_t> map(FURROW_FOUND_PROOFS_SIZE);
  std::vector<std::uint8_t> expected_map(map.size());
  ASSERT_EQ(furrow_encode_records(encoder_.get(), sector_id.data(), records.data(), 1, map.data(),
                                  nullptr),
            FURROW_OK)
      << furrow_last_error();
  const EncoderHandle cpu = open_cpu_encoder(library_, 2);
  ASSERT_EQ(furrow_encode_records(cpu.get(), sector_id.data(), expected.data(), 1,
                                  expected_map.data(), nullptr),
            FURROW_OK);
  EXPECT_TRUE(records == expected);
  EXPECT_TRUE(map == expected_map);
  ASSERT_EQ(lines_.size(), 2U);
  EXPECT_NE(lines_[0].find("is lost and used no more"), std::string::npos) << lines_[0];
  EXPECT_NE(lines_[1].find("no device is left"), std::string::npos) << lines_[1];
  auto member = to_fill<furrow_encoder_member>();
  ASSERT_EQ(furrow_encoder_get_member(encoder_.get(), 0, &member), FURROW_OK);
  EXPECT_EQ(member.state, FURROW_ENCODER_LOST);
  encoder_.reset();
  int current = -1;
  EXPECT_EQ(cudaGetDevice(&current), cudaSuccess);
  EXPECT_EQ(current, 1);
  cudaSetDevice(0);
}

}  // namespace
}  // namespace furrow::test
