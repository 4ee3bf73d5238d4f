// SPDX-License-Identifier: Apache-2.0
#include "host/store/paged_store/paged_store.hpp"

#include <atomic>
#include <utility>

#include "host/base/threads.hpp"
#include "host/store/paged_store/object_reader.hpp"
#include "host/store/paged_store/page_out.hpp"
#include "host/store/paged_store/raw_entry.hpp"

namespace furrow {
namespace {

/// Tells references of one store from those of another.
std::uint64_t next_store_id() {
  static std::atomic<std::uint64_t> last = 0;
  return ++last;
}

}  // namespace

PagedStore::PagedStore(std::unique_ptr<PagedBackend> backend, SessionContext context)
    : PagedStore(std::move(backend), std::move(context), Options()) {}

PagedStore::PagedStore(std::unique_ptr<PagedBackend> backend, SessionContext context,
                       Options options)
    : id_(next_store_id()),
      backend_(std::move(backend)),
      context_(std::move(context)),
      options_(options) {
  if (backend_ == nullptr) {
    throw InvalidArgument("paged store: no backend");
  }
  if (options_.in_background) {
    try {
      background_ = start_thread(
          "fw-page-out", [this](const std::stop_token& stop) { page_out_in_background(stop); });
    } catch (const ResourceExhausted&) {
      // drain() pages out what is scheduled.
    }
  }
}

PagedStore::~PagedStore() {
  shut_down();
}

void PagedStore::shut_down() {
  std::deque<Cell> dropped;  // ends outside of the lock, because objects may end with it
  {
    const Lock lock(mutex_);
    is_shut_down_ = true;
    dropped.swap(pending_);
  }
  const Lock lock(joining_);
  background_.request_stop();
  if (background_.joinable()) {
    background_.join();
  }
}

// ---- Paging out

void PagedStore::schedule(const Cell& cell) {
  {
    const Lock lock(mutex_);
    if (is_shut_down_) {
      return;
    }
    pending_.push_back(cell);
  }
  changed_.notify_all();
}

std::size_t PagedStore::pending_count() const {
  const Lock lock(mutex_);
  return pending_.size();
}

PagedStore::Cell PagedStore::take_pending() {
  const Lock lock(mutex_);
  if (pending_.empty()) {
    return nullptr;
  }
  Cell cell = std::move(pending_.back());
  pending_.pop_back();
  ++under_way_;
  return cell;
}

/// Returns what went wrong. All that is known of it afterwards is changed in one step with
/// under_way_, so that drain cannot see the end of the work without its error.
std::exception_ptr PagedStore::page_out_taken(const Cell& cell, Caller caller) {
  std::exception_ptr error;
  bool has_backend_failed = false;
  try {
    page_out_cell(cell);
  } catch (const BackendError&) {
    error = std::current_exception();
    has_backend_failed = true;
  } catch (...) {
    error = std::current_exception();
  }
  {
    const Lock lock(mutex_);
    if (has_backend_failed && !is_shut_down_) {
      pending_.push_front(cell);
    }
    if (error != nullptr && caller == Caller::kBackground) {
      if (background_error_ == nullptr) {
        background_error_ = error;
      }
      is_resting_ = has_backend_failed;
    }
    --under_way_;
  }
  changed_.notify_all();
  return error;
}

void PagedStore::page_out_pending() {
  while (const Cell cell = take_pending()) {
    if (const std::exception_ptr error = page_out_taken(cell, Caller::kUser)) {
      std::rethrow_exception(error);
    }
  }
}

void PagedStore::drain() {
  for (;;) {
    rethrow_background_error();
    page_out_pending();
    const Lock lock(mutex_);
    changed_.wait(mutex_, [this]() FURROW_REQUIRES(mutex_) {
      return background_error_ != nullptr || !pending_.empty() || under_way_ == 0;
    });
    if (background_error_ == nullptr && pending_.empty()) {
      return;
    }
  }
}

void PagedStore::page_out_in_background(const std::stop_token& stop) {
  for (;;) {
    {
      const Lock lock(mutex_);
      if (!changed_.wait(mutex_, stop, [this]() FURROW_REQUIRES(mutex_) {
            return !pending_.empty() && !is_resting_;
          })) {
        return;
      }
    }
    if (const Cell cell = take_pending()) {  // unless somebody else was faster
      page_out_taken(cell, Caller::kBackground);
    }
  }
}

void PagedStore::rethrow_background_error() {
  std::exception_ptr error;
  {
    const Lock lock(mutex_);
    error = std::exchange(background_error_, nullptr);
    is_resting_ = false;
  }
  if (error != nullptr) {
    changed_.notify_all();  // the background thread may try again
    std::rethrow_exception(error);
  }
}

DataKey PagedStore::page_out_cell(const Cell& cell) {
  const PagedCell::State state = cell->state();
  if (const auto* stored = std::get_if<PagedCell::StoredKey>(&state)) {
    return key_here(*stored);
  }
  PageOutPlan plan = plan_page_out(cell, context_, id_, *backend_, options_.longer_values);
  if (!plan.records.empty()) {
    backend_->put_records(plan.records);
    plan.records.clear();
  }
  // Records are there: only now may references let go of their objects (S3). An object that
  // somebody holds a pointer to becomes the live one of its key, unless there is one already.
  for (PageOutPlan::Stored& stored : plan.stored) {
    const std::type_index type = stored.cell->type().id;
    (void)cache_.offer(type, stored.key, stored.object);
    stored.cell->set_data_key({.key = stored.key, .store_id = id_});
    cache_.forget_unless_shared(type, stored.key, stored.object);
    stored.object.reset();
  }
  return plan.root_key;
}

void PagedStore::flush() {
  backend_->flush();
  rethrow_background_error();
}

// ---- Fetching

std::shared_ptr<const void> PagedStore::fetch_object(const PagedType& type, const DataKey& key) {
  if (auto live = cache_.find(type.id, key)) {
    return live;
  }
  const PagedData contents = fetch_data(key);
  ObjectReader in(key, contents, context_, id_);
  std::shared_ptr<const void> object = type.deserialize(in);
  if (object == nullptr) {
    in.fail(std::string("expected an object of type ") + type.id.name() + ", actual none");
  }
  in.finish();
  return cache_.offer(type.id, key, std::move(object));
}

PagedData PagedStore::fetch_data(const DataKey& key) const {
  const auto value = backend_->get_record(key);
  if (!value) {
    throw NoDataForKey(key);
  }
  return decode_record(key, *value, options_.longer_values);
}

DataKey PagedStore::key_here(const PagedCell::StoredKey& stored) const {
  if (stored.store_id != id_) {
    throw InvalidArgument("paged store: expected a reference of store " + std::to_string(id_) +
                          ", actual " + describe(stored.key) + " of store " +
                          std::to_string(stored.store_id));
  }
  return stored.key;
}

void PagedStore::require_record(const DataKey& key) const {
  (void)fetch_data(key);
}

// ---- Raw entries

void PagedStore::write_bytes(std::string_view name, std::span<const std::uint8_t> value) {
  backend_->put_entry(name, encode_raw_entry(name, value));
}

void PagedStore::fetch_bytes(std::string_view name, std::span<std::uint8_t> out) const {
  const auto bytes = backend_->get_entry(name);
  if (!bytes) {
    throw NoDataForKey(name);
  }
  decode_raw_entry(name, *bytes, out);
}

}  // namespace furrow
