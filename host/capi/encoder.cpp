// SPDX-License-Identifier: Apache-2.0
#include "host/capi/encoder.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "host/base/machine_limits.hpp"
#include "host/base/thread_count.hpp"
#include "host/base/threads.hpp"
#include "host/capi/abort_watch.hpp"
#include "host/capi/gate.hpp"
#include "host/capi/last_error.hpp"
#include "host/capi/structs.hpp"
#include "host/plotting/device_memory.hpp"

namespace furrow::capi {
namespace {

static_assert(FURROW_RECORD_SIZE == kRecordSize);
static_assert(FURROW_FOUND_PROOFS_SIZE == kFoundProofsSize);
static_assert(FURROW_SECTOR_ID_SIZE == sizeof(SectorId));

/// Makes and destroys what touches devices: on a thread whose current device nobody looks at.
template <class Work>
void on_own_thread(const Work& work) {
  ThreadGroup group;
  group.start("fw-devices", work);
  group.finish();
}

/// One more for its lifetime.
class Counted {
 public:
  explicit Counted(std::atomic<std::uint32_t>& count) : count_(count) { ++count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --count_; }

 private:
  std::atomic<std::uint32_t>& count_;
};

struct OptionsMember {
  const char* name;
  std::size_t begin;
  std::size_t end;
};
constexpr std::array<OptionsMember, 3> kOptionsMembers = {{
    {"size", offsetof(furrow_encoder_options, size), offsetof(furrow_encoder_options, kind)},
    {"kind", offsetof(furrow_encoder_options, kind), offsetof(furrow_encoder_options, threads)},
    {"threads", offsetof(furrow_encoder_options, threads),
     offsetof(furrow_encoder_options, threads) + sizeof(furrow_encoder_options::threads)},
}};

/// The options of version 1, which keep its rule: members that a caller has, and defaults for those
/// it does not have. What lies behind the last one is padding of the caller, and may hold anything.
furrow_encoder_options read_options(const furrow_encoder_options* options) {
  furrow_encoder_options result{};
  if (options == nullptr) {
    return result;
  }
  const std::size_t size = options->size;
  if (size == 0) {
    throw InvalidArgument("furrow_encoder_options: member size is not set");
  }
  for (const OptionsMember& member : kOptionsMembers) {
    if (size > member.begin && size < member.end) {
      throw InvalidArgument(
          "furrow_encoder_options: size " + std::to_string(size) + " ends inside member " +
              member.name + ", expected " + std::to_string(member.end) + " or more to have it" +
              ", as sizeof(furrow_encoder_options), " + std::to_string(sizeof(result)) + ", has",
          {.expected = std::to_string(sizeof(result)), .actual = std::to_string(size)});
    }
  }
  std::memcpy(&result, options, std::min(size, kOptionsMembers.back().end));
  return result;
}

furrow_encoder_config default_config() {
  furrow_encoder_config config{};
  config.verify_records = 1;
  return config;
}

std::shared_ptr<SharedEncoder> make_encoder(std::shared_ptr<Library> library,
                                            const furrow_encoder_config& config) {
  const MachineLimits machine = read_machine_limits();
  check_thread_count(config.threads, machine);
  const detail::BlockedSignals blocked;  // also in threads that the driver of a card starts
  auto made = std::make_shared<SharedEncoder>();
  made->library = std::move(library);
  made->gate = gate_of(config.gate);
  made->threads = config.threads != 0 ? config.threads : machine.processors;
  const std::string_view kind = config.kind != nullptr ? config.kind : "auto";
  const EncoderChoice choice =
      choose_encoder(kind, device_ids(config.devices, config.device_count));
  made->note = choice.note;
  made->simd_mode = choice.mode;
  const auto warn = [library = made->library.get()](const std::string& line) {
    if (library != nullptr) {
      library->warn(line);
    }
  };
  for (const std::string& line : choice.refused) {
    warn(line);
  }
  if (!choice.note.empty() && made->library != nullptr) {
    made->library->log(FURROW_LOG_NOTE, choice.note);
  }
  const std::vector<DeviceMemoryPlan> devices = plan_device_memory(
      choice.devices,
      {.vram_limit = config.device_memory_limit, .pinned_limit = config.pinned_memory_limit});
  made->host_bytes = made->threads * std::uint64_t{proof_table_bytes(furrow::Network::kAbundance)};
  if (!devices.empty()) {
    made->host_bytes +=
        proof_table_bytes(furrow::Network::kAbundance) + pinned_bytes_of(devices);  // one verifies
  }
  for (const DeviceMemoryPlan& device : devices) {
    made->device_bytes += device.plan.device_bytes;
  }
  EncoderSettings settings{.cpu = {.threads = made->threads},
                           .vram_limit = config.device_memory_limit,
                           .pinned_limit = config.pinned_memory_limit,
                           .verify_records = config.verify_records,
                           .gate = made->gate.get(),
                           .on_warning = warn};
  const auto make_pool = [&] { made->pool = make_encoder_pool(choice, settings); };
  if (choice.devices.empty()) {
    make_pool();
  } else {
    on_own_thread(make_pool);
  }
  return made;
}

void check_record_range(std::size_t first_offset, std::size_t record_count) {
  if (record_count > FURROW_MAX_RECORDS || first_offset > FURROW_MAX_RECORDS - record_count) {
    throw InvalidArgument(
        "furrow: expected at most " + std::to_string(FURROW_MAX_RECORDS) +
            " records of a sector, actual " + std::to_string(record_count) + " from piece offset " +
            std::to_string(first_offset) + " on",
        {.expected = std::to_string(FURROW_MAX_RECORDS), .actual = std::to_string(record_count)});
  }
}

furrow_status encode(furrow_encoder* encoder, const furrow_encode_request& request) {
  const Call call(encoder, "encoder");
  const auto sector_id = fixed_bytes<SectorId>(request.sector_id, "sector_id");
  if (request.record_count != 0) {
    check_pointer(request.records, "records");
    check_pointer(request.contents_map, "contents_map");
  }
  check_record_range(request.first_offset, request.record_count);
  check_apart({{"records", request.records, request.record_count * FURROW_RECORD_SIZE, true},
               {"contents_map", request.contents_map,
                request.record_count * FURROW_FOUND_PROOFS_SIZE, true}});
  const AbortWatch abort(request.abort_flag, encoder->end());
  // Record and FoundProofs are arrays of bytes with alignment 1, so the caller's buffers are such.
  EncodingJob job(sector_id, {reinterpret_cast<Record*>(request.records), request.record_count},
                  {reinterpret_cast<FoundProofs*>(request.contents_map), request.record_count},
                  PieceOffset(static_cast<std::uint16_t>(request.first_offset)));
  EncodingJob::Watch watch;
  if (request.on_record != nullptr) {
    watch.on_done = [&request](PieceOffset offset) {
      request.on_record(request.user, offset.value());
    };
  }
  EncodingJob watched = job.watched(std::move(watch));
  const Counted counted(encoder->n_encoding);
  return encoder->core->pool->encode_all(watched, abort.token()) == EncodeOutcome::kComplete
             ? FURROW_OK
             : FURROW_CANCELLED;
}

}  // namespace

SharedEncoder::~SharedEncoder() {
  if (device_bytes != 0) {
    try {
      on_own_thread([this] { pool.reset(); });
    } catch (const std::exception&) {
      pool.reset();  // no thread is to be had
    }
  }
}

std::vector<std::string> device_ids(const char* const* devices, std::size_t count) {
  std::vector<std::string> ids;
  if (count != 0) {
    check_pointer(devices, "devices");
  }
  for (std::size_t i = 0; i < count; ++i) {
    check_pointer(devices[i], "devices[]");
    ids.emplace_back(devices[i]);
  }
  return ids;
}

}  // namespace furrow::capi

using furrow::capi::Call;
using furrow::capi::guarded;

extern "C" {

void furrow_encoder_config_init(furrow_encoder_config* config, size_t size) {
  furrow::capi::init_struct(config, size, furrow::capi::default_config());
}

void furrow_encode_request_init(furrow_encode_request* request, size_t size) {
  furrow::capi::init_struct(request, size, furrow_encode_request{});
}

furrow_status furrow_encoder_create(const furrow_encoder_options* options,
                                    furrow_encoder** encoder) {
  return guarded([&] {
    furrow::capi::check_pointer(encoder, "encoder");
    *encoder = nullptr;
    const furrow_encoder_options wanted = furrow::capi::read_options(options);
    furrow_encoder_config config = furrow::capi::default_config();
    config.kind = wanted.kind;
    config.threads = wanted.threads;
    *encoder = new furrow_encoder(furrow::capi::make_encoder(nullptr, config));
    return FURROW_OK;
  });
}

furrow_status furrow_encoder_open(furrow_library* library, const furrow_encoder_config* config,
                                  furrow_encoder** encoder) {
  return guarded([&] {
    furrow::capi::check_pointer(encoder, "encoder");
    *encoder = nullptr;
    const Call call(library, "library");
    *encoder = new furrow_encoder(furrow::capi::make_encoder(
        library->library(), furrow::capi::read_struct_or(config, "furrow_encoder_config",
                                                         furrow::capi::default_config())));
    return FURROW_OK;
  });
}

void furrow_encoder_destroy(furrow_encoder* encoder) {
  furrow::capi::destroy(encoder);
}

furrow_status furrow_encoder_encode(furrow_encoder* encoder, const furrow_encode_request* request) {
  return guarded([&] {
    return furrow::capi::encode(encoder,
                                furrow::capi::read_struct(request, "furrow_encode_request"));
  });
}

furrow_status furrow_encode_records(furrow_encoder* encoder, const uint8_t* sector_id,
                                    uint8_t* records, size_t record_count, uint8_t* contents_map,
                                    const volatile uint8_t* abort_flag) {
  return furrow_encode_records_at(encoder, sector_id, 0, records, record_count, contents_map,
                                  abort_flag);
}

furrow_status furrow_encode_records_at(furrow_encoder* encoder, const uint8_t* sector_id,
                                       size_t first_offset, uint8_t* records, size_t record_count,
                                       uint8_t* contents_map, const volatile uint8_t* abort_flag) {
  return guarded([&] {
    furrow_encode_request request{};
    request.sector_id = sector_id;
    request.records = records;
    request.record_count = record_count;
    request.first_offset = first_offset;
    request.contents_map = contents_map;
    request.abort_flag = abort_flag;
    return furrow::capi::encode(encoder, request);
  });
}

furrow_status furrow_encoder_get_info(furrow_encoder* encoder, furrow_encoder_info* info) {
  return guarded([&] {
    const Call call(encoder, "encoder");
    const furrow::capi::SharedEncoder& core = *encoder->core;
    const std::vector<furrow::EncoderStatus> members = core.pool->encoders();
    furrow_encoder_info content{};
    furrow::capi::copy_text(core.pool->name(), content.name);
    furrow::capi::copy_text(core.note, content.note);
    furrow::capi::copy_text(furrow::simd_target_name(core.simd_mode), content.simd_target);
    content.threads = core.threads;
    content.member_count = static_cast<std::uint32_t>(members.size());
    content.running_calls = encoder->n_encoding;
    for (const furrow::EncoderStatus& member : members) {
      content.records_done += member.records_done;
    }
    content.host_bytes = core.host_bytes;
    content.device_bytes = core.device_bytes;
    furrow::capi::write_struct(info, "furrow_encoder_info", content);
    return FURROW_OK;
  });
}

furrow_status furrow_encoder_get_member(furrow_encoder* encoder, size_t position,
                                        furrow_encoder_member* member) {
  return guarded([&] {
    const Call call(encoder, "encoder");
    const std::vector<furrow::EncoderStatus> members = encoder->core->pool->encoders();
    if (position >= members.size()) {
      furrow::capi::refuse("furrow: position of a member",
                           "less than " + std::to_string(members.size()), position);
    }
    furrow_encoder_member content{};
    furrow::capi::copy_text(members[position].name, content.name);
    content.state = static_cast<furrow_encoder_state>(members[position].state);
    content.records_done = members[position].records_done;
    furrow::capi::write_struct(member, "furrow_encoder_member", content);
    return FURROW_OK;
  });
}

}  // extern "C"
