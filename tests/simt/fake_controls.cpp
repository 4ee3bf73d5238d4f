// SPDX-License-Identifier: Apache-2.0
// The fake runtime: what tests and the environment tell it.
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "simt/fake_state.hpp"

namespace furrow::simt {
namespace {

/// A word of FURROW_SIMT_CARDS.
struct Card {
  Misbehavior how = Misbehavior::kNone;
  std::uint64_t nth = 1;
};

Card card_of(const std::string& word) {
  const std::size_t colon = word.find(':');
  const std::string how = word.substr(0, colon);
  const std::uint64_t nth = colon == std::string::npos ? 1 : std::stoull(word.substr(colon + 1));
  if (how == "well") {
    return {};
  }
  if (how == "idles") {
    return {Misbehavior::kIdles, nth};
  }
  if (how == "flips") {
    return {Misbehavior::kFlipsBits, nth};
  }
  if (how == "hangs") {
    return {Misbehavior::kHangs, nth};
  }
  throw std::invalid_argument(
      "FURROW_SIMT_CARDS: expected well, idles:N, flips:N or hangs:N, actual '" + word + "'");
}

std::vector<Card> cards_of(const std::string& words) {
  std::vector<Card> cards;
  std::istringstream stream(words);
  for (std::string word; std::getline(stream, word, ',');) {
    cards.push_back(card_of(word));
  }
  return cards;
}

/// Of FURROW_SIMT_STREAMS: the seed of late streams, none for those that work at the call.
std::optional<std::uint64_t> stream_order_of(const std::string& word) {
  constexpr std::string_view kLate = "late:";
  if (word == "at-once") {
    return std::nullopt;
  }
  if (!word.starts_with(kLate)) {
    throw std::invalid_argument("FURROW_SIMT_STREAMS: expected at-once or late:SEED, actual '" +
                                word + "'");
  }
  return std::stoull(word.substr(kLate.size()));
}

}  // namespace

FakeState::FakeState() {
  if (const char* const order = std::getenv("FURROW_SIMT_STREAMS"); order != nullptr) {
    set_stream_order(stream_order_of(order));
  }
  const char* const cards = std::getenv("FURROW_SIMT_CARDS");
  if (cards == nullptr) {
    reset(fake_devices(1));
    return;
  }
  const std::vector<Card> wanted = cards_of(cards);
  reset(fake_devices(static_cast<int>(wanted.size())));
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    devices[i]->misbehavior = wanted[i].how;
    devices[i]->misbehaves_from = wanted[i].nth;
  }
}

std::vector<FakeDevice> fake_devices(int n) {
  std::vector<FakeDevice> devices(static_cast<std::size_t>(n));
  for (int i = 0; i < n; ++i) {
    devices[static_cast<std::size_t>(i)].uuid[15] = static_cast<std::uint8_t>(i + 1);
    devices[static_cast<std::size_t>(i)].pci_bus = i + 1;
  }
  return devices;
}

void FakeCuda::reset() {
  FakeState::instance().reset(fake_devices(1));
}

void FakeCuda::set_devices(std::vector<FakeDevice> devices) {
  FakeState::instance().reset(std::move(devices));
}

void FakeCuda::remove_driver(cudaError_t status) {
  FakeState& state = FakeState::instance();
  const std::lock_guard lock(state.mutex);
  state.no_driver = status;
}

void FakeCuda::set_versions(int driver, int runtime) {
  FakeState& state = FakeState::instance();
  const std::lock_guard lock(state.mutex);
  state.driver_version = driver;
  state.runtime_version = runtime;
}

void FakeCuda::plant(const Fault& fault) {
  FakeState& state = FakeState::instance();
  const std::lock_guard lock(state.mutex);
  state.faults.push_back({fault});
}

void FakeCuda::lose_device(int device, cudaError_t status) {
  FakeState::instance().lose(device, status);
}

void FakeCuda::set_stream_order(std::optional<std::uint64_t> seed) {
  FakeState::instance().set_stream_order(seed);
}

void FakeCuda::misbehave(int device, Misbehavior how, std::uint64_t nth) {
  FakeState& state = FakeState::instance();
  const std::lock_guard lock(state.mutex);
  FakeState::DeviceState& to_change = *state.devices.at(static_cast<std::size_t>(device));
  to_change.misbehavior = how;
  to_change.misbehaves_from = nth;
  to_change.n_launches = 0;
  to_change.n_copies = 0;
}

std::uint64_t FakeCuda::n_calls(std::string_view api) {
  FakeState& state = FakeState::instance();
  const std::lock_guard lock(state.mutex);
  std::uint64_t n = 0;
  for (const auto& [name, n_of_name] : state.n_calls) {
    n += api == "*" || api == name ? n_of_name : 0;
  }
  return n;
}

LiveObjects FakeCuda::live() {
  FakeState& state = FakeState::instance();
  const std::lock_guard lock(state.mutex);
  LiveObjects live;
  for (const auto& [address, allocation] : state.allocations) {
    (allocation.device >= 0 ? live.device_allocations : live.host_allocations) += 1;
    (allocation.device >= 0 ? live.device_bytes : live.host_bytes) += allocation.n_bytes;
  }
  live.streams = state.streams.size();
  live.events = state.events.size();
  live.graphs = state.graphs.size() + state.executables.size();
  return live;
}

std::size_t FakeCuda::used_bytes(int device) {
  FakeState& state = FakeState::instance();
  const std::lock_guard lock(state.mutex);
  return state.devices.at(static_cast<std::size_t>(device))->used_bytes;
}

std::size_t FakeCuda::peak_bytes(int device) {
  FakeState& state = FakeState::instance();
  const std::lock_guard lock(state.mutex);
  return state.devices.at(static_cast<std::size_t>(device))->peak_bytes;
}

std::optional<int> FakeCuda::shared_percent(const void* kernel, int device) {
  FakeState& state = FakeState::instance();
  const std::lock_guard lock(state.mutex);
  const auto& percent = state.devices.at(static_cast<std::size_t>(device))->shared_percent;
  const auto at = percent.find(kernel);
  return at == percent.end() ? std::nullopt : std::optional(at->second);
}

}  // namespace furrow::simt
