// SPDX-License-Identifier: Apache-2.0
#include "host/capi/library.hpp"

#include <string>

#include "host/base/printable.hpp"
#include "host/capi/handle.hpp"
#include "host/capi/last_error.hpp"
#include "host/capi/structs.hpp"

namespace furrow::capi {
namespace {

std::shared_ptr<const ThreadHooks> hooks_from(const furrow_library_options& options) {
  if (options.on_thread_start == nullptr && options.on_thread_end == nullptr) {
    return nullptr;
  }
  const auto hook = [&](void (*callback)(void*, const char*)) {
    return callback == nullptr
               ? std::function<void(const char*)>()
               : [callback, user = options.thread_user](const char* name) { callback(user, name); };
  };
  return std::make_shared<const ThreadHooks>(
      ThreadHooks{hook(options.on_thread_start), hook(options.on_thread_end)});
}

}  // namespace

Library::Library(const furrow_library_options& options)
    : hooks(hooks_from(options)), options_(options) {}

void Library::log(furrow_log_level level, const std::string& line) const {
  if (options_.on_log != nullptr) {
    options_.on_log(options_.log_user, level, printable(line).c_str());
  }
}

}  // namespace furrow::capi

using furrow::capi::Call;
using furrow::capi::guarded;

extern "C" {

uint32_t furrow_abi_version(void) {
  return FURROW_ABI_VERSION;
}

const char* furrow_version(void) {
  return FURROW_VERSION_TEXT;
}

void furrow_library_options_init(furrow_library_options* options, size_t size) {
  furrow::capi::init_struct(options, size, furrow_library_options{});
}

furrow_status furrow_library_create(const furrow_library_options* options,
                                    furrow_library** library) {
  return guarded([&] {
    furrow::capi::check_pointer(library, "library");
    *library = nullptr;
    *library = new furrow_library(std::make_shared<furrow::capi::Library>(
        furrow::capi::read_struct_or(options, "furrow_library_options", {})));
    return FURROW_OK;
  });
}

void furrow_library_destroy(furrow_library* library) {
  furrow::capi::destroy(library);
}

furrow_status furrow_library_kept_memory(furrow_library* library, uint64_t* bytes) {
  return guarded([&] {
    const Call call(library, "library");
    furrow::capi::check_pointer(bytes, "bytes");
    *bytes = std::uint64_t{library->library()->tables.n_idle()} *
             furrow::proof_table_bytes(furrow::Network::kAbundance);
    return FURROW_OK;
  });
}

furrow_status furrow_library_release_memory(furrow_library* library) {
  return guarded([&] {
    const Call call(library, "library");
    library->library()->tables.drop_idle();
    return FURROW_OK;
  });
}

}  // extern "C"
