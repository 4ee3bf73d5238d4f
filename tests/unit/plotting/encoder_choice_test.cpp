// SPDX-License-Identifier: Apache-2.0
// Choice of devices and encoders: which words mean what on machines with and without CUDA.
#include "host/plotting/encoder_choice.hpp"

#include <atomic>
#include <chrono>
#include <latch>
#include <memory>

#include <gtest/gtest.h>

#include "host/plotting/device_choice.hpp"
#include "host/plotting/device_query.hpp"
#include "host/plotting/driver_call.hpp"
#include "tests/unit/plotting/fake_encoder.hpp"

namespace furrow {
namespace {

/// A machine with three cards, the last of which is too old.
CudaDevices three_cards() {
  CudaDevices result{.is_built_in = true, .driver_version = 13000, .runtime_version = 13000};
  for (int i = 0; i < 3; ++i) {
    CudaDeviceInfo device;
    device.index = i;
    device.uuid = "GPU-0123456" + std::to_string(i) + "-89ab-cdef-0123-456789abcdef";
    device.name = "Card " + std::to_string(i);
    result.devices.push_back(device);
  }
  result.devices[2].unsupported_reason = "compute capability 6.1 is below 7.5";
  return result;
}

CudaDevices no_driver() {
  return {.is_built_in = true, .problem = "no NVIDIA driver is installed"};
}

std::vector<int> indexes(const std::vector<CudaDeviceInfo>& devices) {
  std::vector<int> result;
  for (const CudaDeviceInfo& device : devices) {
    result.push_back(device.index);
  }
  return result;
}

/// The text of the error of type E that `call` throws.
template <class E, class Call>
std::string error_of(const Call& call) {
  try {
    call();
  } catch (const E& error) {
    return error.what();
  }
  return "no error";
}

using Indexes = std::vector<int>;

/// choose_encoder on a machine whose cards all prove themselves, but for those in `failing`.
EncoderChoice choose(std::string_view kind, const std::vector<std::string>& ids,
                     const std::function<CudaDevices()>& list,
                     const std::vector<int>& failing = {}) {
  return choose_encoder(
      kind, ids, {.list = list, .prove = [&](CudaDeviceInfo& device) {
                    device.free_bytes = 99;
                    if (std::find(failing.begin(), failing.end(), device.index) != failing.end()) {
                      device.unsupported_reason = "it encodes a known record wrongly";
                    }
                  }});
}

TEST(DeviceChoice, FindsByIndexAndUuid) {
  const CudaDevices devices = three_cards();
  EXPECT_EQ(find_cuda_device(devices, "1").index, 1);
  EXPECT_EQ(find_cuda_device(devices, "GPU-01234561-89ab-cdef-0123-456789abcdef").index, 1);
  EXPECT_EQ(find_cuda_device(devices, "GPU-01234560").index, 0);
  EXPECT_EQ(indexes(choose_cuda_devices(devices, {"1", "GPU-01234560"})), (Indexes{1, 0}));
  EXPECT_EQ(indexes(choose_cuda_devices(devices, {})), (Indexes{0, 1})) << "those supported";
}

TEST(DeviceChoice, AnUnknownDeviceIsAnErrorThatNamesWhatThereIs) {
  const CudaDevices devices = three_cards();
  for (const char* id : {"3", "-1", "", "01", "Card 0", "GPU-f", "gpu-01234560"}) {
    const std::string text =
        error_of<InvalidArgument>([&] { static_cast<void>(find_cuda_device(devices, id)); });
    EXPECT_NE(text.find("no CUDA device '" + std::string(id) + "'"), std::string::npos) << text;
    EXPECT_NE(text.find("1 (GPU-01234561-89ab-cdef-0123-456789abcdef, Card 1)"), std::string::npos)
        << text;
  }
  EXPECT_EQ(error_of<InvalidArgument>([&] { choose_cuda_devices(no_driver(), {"0"}); }),
            "no CUDA device '0'; there are none: no NVIDIA driver is installed");
}

TEST(DeviceChoice, WhatCannotBeUsedOrIsUnclearIsRefused) {
  const CudaDevices devices = three_cards();
  EXPECT_NE(error_of<InvalidArgument>([&] {
              static_cast<void>(find_cuda_device(devices, "GPU-0123"));
            }).find("could be several"),
            std::string::npos);
  EXPECT_EQ(error_of<EncoderError>([&] { static_cast<void>(find_cuda_device(devices, "2")); }),
            "CUDA device 2 (Card 2) cannot be used: compute capability 6.1 is below 7.5");
  EXPECT_EQ(error_of<InvalidArgument>([&] {
              choose_cuda_devices(devices, {"0", "1", "GPU-01234560"});
            }),
            "CUDA device 'GPU-01234560' is named twice; it is device 0");
}

TEST(EncoderChoice, AutoTakesEverySupportedDevice) {
  const EncoderChoice choice = choose("auto", {}, three_cards);
  EXPECT_EQ(indexes(choice.devices), (Indexes{0, 1}));
  EXPECT_EQ(choice.note, "");
  EXPECT_FALSE(choice.needs_device);
}

TEST(EncoderChoice, AutoWithoutDevicesSaysWhy) {
  EXPECT_EQ(choose("auto", {}, no_driver).note,
            "encoding on the CPU: no NVIDIA driver is installed");
  const auto only_an_old_card = [] {
    CudaDevices devices = three_cards();
    devices.devices.erase(devices.devices.begin(), devices.devices.begin() + 2);
    return devices;
  };
  EXPECT_EQ(
      choose("auto", {}, only_an_old_card).note,
      "encoding on the CPU: no CUDA device can be used: 2 (Card 2): compute capability 6.1 is "
      "below 7.5");
  EXPECT_EQ(error_of<EncoderError>([&] { choose("cuda", {}, only_an_old_card); }),
            "encoder cuda: no CUDA device can be used: 2 (Card 2): compute capability 6.1 is below "
            "7.5");
}

constexpr const char* kCard1IsWrong =
    "CUDA device 1 (Card 1) cannot be used: it encodes a known record wrongly";

TEST(EncoderChoice, ADeviceThatDoesNotProveItselfIsLeftOutUnlessItWasNamed) {
  for (const char* kind : {"auto", "cuda"}) {
    const EncoderChoice choice = choose(kind, {}, three_cards, {1});
    EXPECT_EQ(indexes(choice.devices), (Indexes{0}));
    EXPECT_EQ(choice.devices[0].free_bytes, 99U) << "as the trial found it";
    EXPECT_EQ(choice.refused, std::vector<std::string>{kCard1IsWrong});
    EXPECT_EQ(choice.note, "") << "there is another";
  }
  for (const char* kind : {"auto", "cuda"}) {
    EXPECT_EQ(error_of<EncoderError>([&] {
                choose(kind, {"0", "1"}, three_cards, {1});
              }),
              kCard1IsWrong);
  }
  EXPECT_EQ(indexes(choose("cuda", {"0"}, three_cards, {1}).devices), (Indexes{0}))
      << "the other is not even tried";
}

TEST(EncoderChoice, WithoutAProvenDeviceTheCpuEncodesUnlessItMustNot) {
  const EncoderChoice choice = choose("auto", {}, three_cards, {0, 1});
  EXPECT_TRUE(choice.devices.empty());
  EXPECT_EQ(choice.refused.size(), 2U);
  EXPECT_EQ(choice.note.find("encoding on the CPU: no CUDA device can be used: 0 (Card 0): it "
                             "encodes a known record wrongly; 1 (Card 1): "),
            0U)
      << choice.note;
  EXPECT_EQ(error_of<EncoderError>([] {
              choose("cuda", {}, three_cards, {0, 1});
            }).substr(0, 46),
            "encoder cuda: no CUDA device can be used: 0 (C");
}

TEST(DeviceChoice, APartOfACardIsFoundByTheUuidThatNvidiaSmiShows) {
  CudaDevices devices = three_cards();
  devices.devices[1].uuid = "GPU-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f";
  EXPECT_EQ(find_cuda_device(devices, "MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f").index, 1);
  EXPECT_THROW(static_cast<void>(find_cuda_device(devices, "MIG-d6d4f1ef")), InvalidArgument);
}

TEST(EncoderChoice, TheCpuAsksNobody) {
  const auto never = []() -> CudaDevices { throw Error(ErrorKind::kInternal, "asked"); };
  EXPECT_EQ(choose("cpu", {}, never).mode, SimdMode::kBest);
  EXPECT_EQ(choose("cpu-scalar", {}, never).mode, SimdMode::kScalar);
  EXPECT_THROW(choose("cpu", {"0"}, never), InvalidArgument);
  EXPECT_THROW(choose("CUDA", {}, never), InvalidArgument);
}

/// Settings whose device encoders are fakes; devices in `broken` cannot be had.
EncoderSettings settings_with(std::vector<int> broken, std::vector<std::string>& warnings,
                              std::vector<CudaEncoderOptions>& made) {
  return {.cpu = {.threads = 1, .k = 17},
          .vram_limit = 12345,
          .on_warning = [&](const std::string& line) { warnings.push_back(line); },
          .make_device_encoder =
              [&made, broken](CudaEncoderOptions options) -> std::unique_ptr<RecordsEncoder> {
            if (std::find(broken.begin(), broken.end(), options.device) != broken.end()) {
              throw EncoderError("cuda " + std::to_string(options.device) + ": out of memory");
            }
            made.push_back(options);
            return std::make_unique<FakeEncoder>(
                FakeEncoder::Options{.name = "cuda " + std::to_string(options.device)});
          }};
}

TEST(EncoderChoice, DevicesBecomeAPool) {
  std::vector<std::string> warnings;
  std::vector<CudaEncoderOptions> made;
  const auto encoder =
      make_encoder_pool(choose("auto", {}, three_cards), settings_with({}, warnings, made));
  EXPECT_EQ(encoder->name(), "cuda 0 + cuda 1");
  ASSERT_EQ(made.size(), 2U);
  EXPECT_EQ(made[1].vram_limit, 12345U);
  EXPECT_TRUE(made[0].fallback);
  EXPECT_TRUE(warnings.empty());
}

TEST(EncoderChoice, ADeviceThatCannotBeHadIsLeftOutUnlessItWasNamed) {
  std::vector<std::string> warnings;
  std::vector<CudaEncoderOptions> made;
  for (const char* kind : {"auto", "cuda"}) {
    for (const int out_of_memory : {0, 1}) {
      warnings.clear();
      EXPECT_EQ(make_encoder_pool(choose(kind, {}, three_cards),
                                  settings_with({out_of_memory}, warnings, made))
                    ->name(),
                out_of_memory == 0 ? "cuda 1" : "cuda 0");
      EXPECT_EQ(warnings, std::vector<std::string>{"cuda " + std::to_string(out_of_memory) +
                                                   ": out of memory; it is not used"});
    }
  }
  EXPECT_THROW(make_encoder_pool(choose("auto", {"0", "1"}, three_cards),
                                 settings_with({0}, warnings, made)),
               EncoderError);

  warnings.clear();
  EXPECT_EQ(
      make_encoder_pool(choose("auto", {}, three_cards), settings_with({0, 1}, warnings, made))
          ->name()
          .substr(0, 3),
      "cpu");
  EXPECT_EQ(warnings.size(), 2U);
  EXPECT_THROW(
      make_encoder_pool(choose("cuda", {}, three_cards), settings_with({0, 1}, warnings, made)),
      EncoderError);
}

TEST(EncoderChoice, WrongBytesOfADeviceAreFound) {
  // The fake does not encode as the CPU does, so its records are wrong.
  std::vector<std::string> warnings;
  std::vector<CudaEncoderOptions> made;
  const auto encoder =
      make_encoder_pool(choose("cuda", {"0"}, three_cards), settings_with({}, warnings, made));
  FakeSector sector(2, 1);
  EXPECT_THROW(encoder->encode_records(sector.sector_id, sector.records, sector.found_proofs, {}),
               EncoderError);
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_NE(warnings[0].find("cuda 0 is quarantined"), std::string::npos) << warnings[0];

  EncoderSettings unverified = settings_with({}, warnings, made);
  unverified.verify_records = 0;
  const auto trusting =
      make_encoder_pool(choose("cuda", {"0"}, three_cards), std::move(unverified));
  FakeSector other(2, 1);
  EXPECT_EQ(trusting->encode_records(other.sector_id, other.records, other.found_proofs, {}),
            EncodeOutcome::kComplete);
  EXPECT_TRUE(other.is_encoded());
}

TEST(CudaDevices, OfThisMachineAreDescribedOrTheirAbsenceIs) {
  const CudaDevices devices = cuda_devices();
  EXPECT_EQ(devices.devices.empty(), !devices.problem.empty());
  for (const CudaDeviceInfo& device : devices.devices) {
    EXPECT_EQ(device.uuid.size(), 40U) << device.uuid;
    EXPECT_FALSE(device.name.empty());
    EXPECT_EQ(find_cuda_device({.devices = {device}}, std::to_string(device.index)).uuid,
              device.uuid);
  }
}

/// A driver whose first call returns when the test lets it.
class SilentDriver {
 public:
  SilentDriver() = default;
  SilentDriver(const SilentDriver&) = delete;
  SilentDriver& operator=(const SilentDriver&) = delete;
  ~SilentDriver() = default;
  [[nodiscard]] std::function<CudaDevices()> list() const {
    return [released = is_released_, asked = n_asked_] {
      ++*asked;
      released->wait();
      return three_cards();
    };
  }

  [[nodiscard]] int n_asked() const { return *n_asked_; }
  void answer() { is_released_->count_down(); }

 private:
  std::shared_ptr<std::atomic<int>> n_asked_ = std::make_shared<std::atomic<int>>(0);
  std::shared_ptr<std::latch> is_released_ = std::make_shared<std::latch>(1);
};

TEST(EncoderChoice, ADriverThatDoesNotAnswerIsWaitedForSomeTimeOnly) {
  SilentDriver driver;
  const auto in_time = [&] {
    return cuda_devices_in_time(std::chrono::milliseconds(5), driver.list());
  };
  const CudaDevices devices = in_time();
  EXPECT_TRUE(devices.devices.empty());
  EXPECT_EQ(devices.problem, "the NVIDIA driver does not answer");
  EXPECT_TRUE(is_driver_silent());
  const EncoderChoice choice = choose("auto", {}, in_time);
  EXPECT_TRUE(choice.devices.empty());
  EXPECT_EQ(choice.note, "encoding on the CPU: the NVIDIA driver does not answer");
  EXPECT_EQ(error_of<EncoderError>([&] { choose("cuda", {}, in_time); }),
            "encoder cuda: the NVIDIA driver does not answer");
  EXPECT_EQ(error_of<EncoderError>([&] { choose("auto", {"0"}, in_time); }),
            "encoder cuda: the NVIDIA driver does not answer");
  EXPECT_LE(driver.n_asked(), 1) << "each question would leave a thread behind";

  driver.answer();
  CudaDevices later;
  while (later.devices.empty()) {  // until the thread has come back
    later = cuda_devices_in_time(std::chrono::minutes(5), driver.list());
  }
  EXPECT_EQ(later.devices.size(), 3U);
}

TEST(EncoderChoice, AnAnswerInTimeIsTheAnswer) {
  const std::chrono::minutes long_enough(5);
  EXPECT_EQ(cuda_devices_in_time(long_enough, three_cards).devices.size(), 3U);
  EXPECT_EQ(error_of<EncoderError>([&] {
              cuda_devices_in_time(long_enough,
                                   []() -> CudaDevices { throw EncoderError("broken"); });
            }),
            "broken");
}

}  // namespace
}  // namespace furrow
