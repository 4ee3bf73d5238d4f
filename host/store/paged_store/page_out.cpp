// SPDX-License-Identifier: Apache-2.0
#include "host/store/paged_store/page_out.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "host/base/hex.hpp"
#include "host/store/paged_store/object_writer.hpp"
#include "host/store/paged_store/paged_errors.hpp"

namespace furrow {
namespace {

using Cell = std::shared_ptr<PagedCell>;

/// An object between its two visits: serialized, its children not yet all stored.
struct Finish {
  Cell cell;
  std::shared_ptr<const void> object;
  std::vector<std::uint8_t> data;
  std::vector<Cell> children;
};
struct Start {
  Cell cell;
};
using Task = std::variant<Start, Finish>;

class PageOut {
 public:
  PageOut(const SessionContext& context, std::uint64_t store_id, const PagedBackend& backend,
          LongerValues longer_values)
      : context_(context), store_id_(store_id), backend_(backend), longer_values_(longer_values) {}

  PageOutPlan run(const Cell& root) {
    tasks_.emplace_back(Start{root});
    while (!tasks_.empty()) {
      Task task = std::move(tasks_.back());
      tasks_.pop_back();
      if (auto* begun = std::get_if<Finish>(&task)) {
        finish(std::move(*begun));
      } else {
        start(std::move(std::get<Start>(task).cell));
      }
    }
    plan_.root_key = keys_.at(root.get()).value();
    return std::move(plan_);
  }

 private:
  void start(Cell cell) {
    const auto [entry, is_new] = keys_.try_emplace(cell.get(), std::nullopt);
    if (!is_new) {
      if (!entry->second) {
        // Begun, not finished: with tasks on a stack, those are the ones on the way to here.
        throw_cycle(*cell);
      }
      return;
    }
    const PagedCell::State state = cell->state();
    if (const auto* stored = std::get_if<PagedCell::StoredKey>(&state)) {
      if (stored->store_id != store_id_) {
        throw InvalidArgument("paged store: expected a reference of store " +
                              std::to_string(store_id_) + ", actual " + describe(stored->key) +
                              " of store " + std::to_string(stored->store_id));
      }
      entry->second = stored->key;
      known_.push_back(std::move(cell));
      return;
    }
    auto object = std::get<std::shared_ptr<const void>>(state);
    ObjectWriter out(context_);
    cell->type().serialize(object.get(), out);
    std::vector<Cell> children = out.take_children();
    tasks_.emplace_back(Finish{std::move(cell), std::move(object), out.take_data(), children});
    for (Cell& child : children) {
      tasks_.emplace_back(Start{std::move(child)});
    }
  }

  void finish(Finish task) {
    PagedData contents{.data = std::move(task.data), .children = {}};
    contents.children.reserve(task.children.size());
    for (const Cell& child : task.children) {
      contents.children.push_back(keys_.at(child.get()).value());
    }
    PagedRecord record = encode_record(contents);
    const DataKey key = record.key;
    keys_.at(task.cell.get()) = key;
    plan_.stored.push_back({std::move(task.cell), std::move(task.object), key});
    if (is_needed(record, contents)) {
      record_of_.emplace(key, plan_.records.size());
      plan_.records.push_back(std::move(record));
    }
  }

  bool is_needed(const PagedRecord& record, const PagedData& contents) {
    if (const auto other = record_of_.find(record.key); other != record_of_.end()) {
      refuse_collision(record, plan_.records[other->second].value);
      return false;
    }
    const auto there = backend_.get_record(record.key);
    if (!there) {
      return true;
    }
    if (*there == record.value) {
      return false;
    }
    try {
      if (decode_record(record.key, *there, longer_values_) == contents) {
        return false;  // written by somebody who puts something else behind a record
      }
    } catch (const CorruptEntry&) {
      return true;  // damaged: here is what it should be
    }
    refuse_collision(record, *there);
    return false;
  }

  /// Keys are half of a digest. Whether two contents share one is seen by the other half.
  static void refuse_collision(const PagedRecord& record, std::span<const std::uint8_t> other) {
    if (!std::ranges::equal(record.value, other)) {
      throw CorruptEntry(record.key, "another content has the same key: expected the check " +
                                         to_hex(std::span(record.value).last(kHashSize)) +
                                         ", actual " +
                                         to_hex(other.last(std::min(kHashSize, other.size()))));
    }
  }

  [[noreturn]] void throw_cycle(const PagedCell& again) const {
    std::vector<std::string> type_names;
    for (const Task& task : tasks_) {
      const auto* begun = std::get_if<Finish>(&task);
      if (begun != nullptr && (!type_names.empty() || begun->cell.get() == &again)) {
        type_names.emplace_back(begun->cell->type().id.name());
      }
    }
    type_names.emplace_back(again.type().id.name());
    throw PagingCycle(type_names);
  }

  const SessionContext& context_;
  std::uint64_t store_id_;
  const PagedBackend& backend_;
  LongerValues longer_values_;
  std::vector<Task> tasks_;
  /// None between the two visits of an object. Cells in it are kept alive by tasks_, plan_ and
  /// known_, so that no address means two of them.
  std::unordered_map<const PagedCell*, std::optional<DataKey>> keys_;
  std::vector<Cell> known_;
  std::unordered_map<DataKey, std::size_t, DataKeyHash> record_of_;
  PageOutPlan plan_;
};

}  // namespace

PageOutPlan plan_page_out(const std::shared_ptr<PagedCell>& root, const SessionContext& context,
                          std::uint64_t store_id, const PagedBackend& backend,
                          LongerValues longer_values) {
  return PageOut(context, store_id, backend, longer_values).run(root);
}

}  // namespace furrow
