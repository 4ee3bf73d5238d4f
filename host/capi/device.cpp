// SPDX-License-Identifier: Apache-2.0
#include "furrow/c/device.h"

#include <memory>
#include <string>
#include <utility>

#include "furrow/cuda.hpp"

#include "host/base/mutex.hpp"
#include "host/capi/handle.hpp"
#include "host/capi/last_error.hpp"
#include "host/capi/structs.hpp"
#include "host/plotting/device_choice.hpp"
#include "host/plotting/device_query.hpp"
#include "host/plotting/device_trial.hpp"

struct furrow_device_list final : furrow::capi::Handle {
  furrow_device_list(std::shared_ptr<furrow::capi::Library> library, furrow::CudaDevices found)
      : Handle("device list", std::move(library)), devices(std::move(found)) {}

  furrow::Mutex mutex;
  furrow::CudaDevices devices FURROW_GUARDED_BY(mutex);
};

namespace furrow::capi {
namespace {

/// Throws InvalidArgument beyond the end.
CudaDeviceInfo& device_at(CudaDevices& devices, std::size_t position) {
  if (position >= devices.devices.size()) {
    refuse("furrow: position of a device", "less than " + std::to_string(devices.devices.size()),
           position);
  }
  return devices.devices[position];
}

void write_device(const CudaDeviceInfo& info, furrow_device* out) {
  furrow_device content{};
  content.index = info.index;
  content.compute_major = info.compute_major;
  content.compute_minor = info.compute_minor;
  content.multiprocessors = info.n_multiprocessors;
  content.clock_khz = info.clock_khz;
  content.memory_clock_khz = info.memory_clock_khz;
  content.total_bytes = info.total_bytes;
  content.free_bytes = info.free_bytes;
  copy_text(info.uuid, content.uuid);
  copy_text(info.pci_id, content.pci_id);
  copy_text(info.name, content.name);
  copy_text(info.unsupported_reason, content.unusable_reason);
  write_struct(out, "furrow_device", content);
}

}  // namespace
}  // namespace furrow::capi

using furrow::Lock;
using furrow::capi::Call;
using furrow::capi::check_pointer;
using furrow::capi::guarded;

extern "C" {

furrow_status furrow_device_list_create(furrow_library* library, furrow_device_list** list) {
  return guarded([&] {
    check_pointer(list, "list");
    *list = nullptr;
    const Call call(library, "library");
    *list = new furrow_device_list(library->library(), furrow::cuda_devices_in_time());
    return FURROW_OK;
  });
}

void furrow_device_list_destroy(furrow_device_list* list) {
  furrow::capi::destroy(list);
}

furrow_status furrow_device_list_count(furrow_device_list* list, size_t* count) {
  return guarded([&] {
    const Call call(list, "list");
    check_pointer(count, "count");
    const Lock lock(list->mutex);
    *count = list->devices.devices.size();
    return FURROW_OK;
  });
}

furrow_status furrow_device_list_problem(furrow_device_list* list, char* buffer,
                                         size_t buffer_size) {
  return guarded([&] {
    const Call call(list, "list");
    check_pointer(buffer, "buffer");
    if (buffer_size == 0) {
      furrow::capi::refuse("furrow: buffer_size", "at least 1", buffer_size);
    }
    const Lock lock(list->mutex);
    furrow::capi::copy_text(
        list->devices.devices.empty() ? furrow::why_no_cuda_device(list->devices) : "", buffer,
        buffer_size);
    return FURROW_OK;
  });
}

furrow_status furrow_device_list_get(furrow_device_list* list, size_t position,
                                     furrow_device* device) {
  return guarded([&] {
    const Call call(list, "list");
    const Lock lock(list->mutex);
    furrow::capi::write_device(furrow::capi::device_at(list->devices, position), device);
    return FURROW_OK;
  });
}

furrow_status furrow_device_list_check(furrow_device_list* list, size_t position,
                                       furrow_device* device) {
  return guarded([&] {
    const Call call(list, "list");
    const Lock lock(list->mutex);
    furrow::CudaDeviceInfo& info = furrow::capi::device_at(list->devices, position);
    if (info.is_supported()) {
      furrow::prove_device(info);
    }
    if (device != nullptr) {
      furrow::capi::write_device(info, device);
    }
    return FURROW_OK;
  });
}

}  // extern "C"
