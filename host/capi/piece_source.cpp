// SPDX-License-Identifier: Apache-2.0
#include "host/capi/piece_source.hpp"

#include <array>
#include <cstring>
#include <string>
#include <utility>

#include "host/base/machine_limits.hpp"
#include "host/base/thread_count.hpp"
#include "host/capi/abort_watch.hpp"
#include "host/capi/farm.hpp"
#include "host/capi/last_error.hpp"
#include "host/capi/structs.hpp"
#include "host/farm/farm_piece_getter.hpp"
#include "host/pieces/store_piece_getter.hpp"

namespace furrow::capi {
namespace {

furrow_piece_source_callbacks default_callbacks() {
  furrow_piece_source_callbacks callbacks{};
  callbacks.concurrency = 8;
  return callbacks;
}

std::shared_ptr<SharedPieceSource> open_store(std::shared_ptr<Library> library,
                                              const char* directory) {
  const auto warn = [library](const std::string& line) { library->warn(line); };
  auto store = std::make_unique<StorePieceGetter>(
      directory, StorePieceGetterOptions{.on_warning = warn, .on_missing_pack = warn});
  auto source = std::make_shared<SharedPieceSource>();
  source->library = std::move(library);
  source->manifest = &store->manifest();
  source->may_change = false;
  source->getter = std::move(store);
  return source;
}

std::shared_ptr<SharedPieceSource> source_of(std::shared_ptr<SharedFarm> farm, unsigned threads) {
  const MachineLimits machine = read_machine_limits();
  check_thread_count(threads, machine);
  auto source = std::make_shared<SharedPieceSource>();
  source->library = farm->library;
  source->may_change = false;
  source->getter = std::make_unique<FarmPieceGetter>(
      *farm->farm,
      FarmPieceGetter::Options{.threads = threads != 0 ? threads : machine.processors,
                               .on_remark = [library = farm->library](const std::string& line) {
                                 library->warn(line);
                               }});
  source->keeps = std::move(farm);
  return source;
}

furrow_status get_piece(furrow_piece_source& source, PieceIndex index, std::uint8_t* piece,
                        const std::stop_token& stop) {
  bool is_answered = false;
  PieceAnswer answer;
  const std::array indices = {index};
  source.core->getter->get_pieces(
      indices,
      [&](PieceIndex, PieceAnswer given) {
        is_answered = true;
        answer = std::move(given);
      },
      stop);
  if (answer.piece != nullptr) {
    std::memcpy(piece, answer.piece.get(), sizeof(Piece));
    return FURROW_OK;
  }
  if (answer.error != nullptr) {
    std::rethrow_exception(answer.error);
  }
  if (!is_answered && stop.stop_requested()) {
    return FURROW_CANCELLED;
  }
  throw PieceNotThere(index);
}

}  // namespace
}  // namespace furrow::capi

using furrow::capi::Call;
using furrow::capi::check_pointer;
using furrow::capi::guarded;

extern "C" {

void furrow_piece_source_callbacks_init(furrow_piece_source_callbacks* callbacks, size_t size) {
  furrow::capi::init_struct(callbacks, size, furrow::capi::default_callbacks());
}

furrow_status furrow_piece_source_create(furrow_library* library,
                                         const furrow_piece_source_callbacks* callbacks,
                                         furrow_piece_source** source) {
  return guarded([&] {
    check_pointer(source, "source");
    *source = nullptr;
    const Call call(library, "library");
    auto shared = std::make_shared<furrow::capi::SharedPieceSource>();
    shared->library = library->library();
    auto handle = std::make_unique<furrow_piece_source>(shared);
    // Last, because from here on its end is told to the caller.
    shared->getter = furrow::capi::make_callback_getter(
        furrow::capi::read_struct(callbacks, "furrow_piece_source_callbacks"));
    *source = handle.release();
    return FURROW_OK;
  });
}

furrow_status furrow_piece_source_open_store(furrow_library* library, const char* directory,
                                             furrow_piece_source** source) {
  return guarded([&] {
    check_pointer(source, "source");
    *source = nullptr;
    const Call call(library, "library");
    furrow::capi::check_text(directory, "directory");
    *source = new furrow_piece_source(furrow::capi::open_store(library->library(), directory));
    return FURROW_OK;
  });
}

furrow_status furrow_piece_source_of_farm(furrow_farm* farm, uint32_t threads,
                                          furrow_piece_source** source) {
  return guarded([&] {
    check_pointer(source, "source");
    *source = nullptr;
    const Call call(farm, "farm");
    *source = new furrow_piece_source(furrow::capi::source_of(farm->core, threads));
    return FURROW_OK;
  });
}

void furrow_piece_source_destroy(furrow_piece_source* source) {
  furrow::capi::destroy(source);
}

furrow_status furrow_piece_source_get_history(furrow_piece_source* source,
                                              furrow_history* history) {
  return guarded([&] {
    const Call call(source, "source");
    const furrow::Manifest* const manifest = source->core->manifest;
    if (manifest == nullptr) {
      throw furrow::Error(furrow::ErrorKind::kUnavailable,
                          "furrow: only a piece store knows the history of its pieces");
    }
    furrow_history content{};
    content.history_size = manifest->history_size().count();
    std::memcpy(content.genesis_root, manifest->genesis_root().data(), FURROW_HASH_SIZE);
    furrow::capi::write_struct(history, "furrow_history", content);
    return FURROW_OK;
  });
}

furrow_status furrow_piece_source_get_piece(furrow_piece_source* source, uint64_t piece_index,
                                            uint8_t* piece, const volatile uint8_t* abort_flag) {
  return guarded([&] {
    const Call call(source, "source");
    check_pointer(piece, "piece");
    const furrow::capi::AbortWatch abort(abort_flag, source->end());
    return furrow::capi::get_piece(*source, furrow::PieceIndex(piece_index), piece, abort.token());
  });
}

}  // extern "C"
