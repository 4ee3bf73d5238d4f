// SPDX-License-Identifier: Apache-2.0
// The C interface over the C++ engine: checks arguments, turns exceptions into statuses.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <stop_token>
#include <string>
#include <thread>

#include <unistd.h>

#include "furrow/furrow.h"

#include "host/base/machine_limits.hpp"
#include "host/base/thread_count.hpp"
#include "host/base/threads.hpp"
#include "host/plotting/encoder_choice.hpp"

struct furrow_encoder {
  std::unique_ptr<furrow::RecordsEncoder> encoder;
  pid_t process = ::getpid();  ///< whose threads it has
};

namespace {

static_assert(FURROW_RECORD_SIZE == furrow::kRecordSize);
static_assert(FURROW_FOUND_PROOFS_SIZE == furrow::kFoundProofsSize);

/// The abort flag is a foreign byte that nobody announces, so somebody has to look at it.
constexpr auto kAbortPollInterval = std::chrono::milliseconds(2);

/// A plain buffer, so that reporting an error can never fail for want of memory.
thread_local char last_error[1024] = "";

void set_last_error(const char* text) {
  std::strncpy(last_error, text, sizeof(last_error) - 1);
  last_error[sizeof(last_error) - 1] = '\0';
}

furrow_status fail(furrow_status status, const char* text) {
  set_last_error(text);
  return status;
}

/// Runs `body`, which returns a status; every exception becomes one.
template <class Body>
furrow_status guarded(Body body) noexcept {
  try {
    set_last_error("");
    return body();
  } catch (const furrow::InvalidArgument& error) {
    return fail(FURROW_INVALID_ARGUMENT, error.what());
  } catch (const furrow::ResourceExhausted& error) {
    return fail(FURROW_RESOURCE_EXHAUSTED, error.what());
  } catch (const furrow::Error& error) {
    return fail(error.kind() == furrow::ErrorKind::kUnavailable ? FURROW_ENCODER_FAILED
                                                                : FURROW_INTERNAL_ERROR,
                error.what());
  } catch (const std::bad_alloc&) {
    return fail(FURROW_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception& error) {
    return fail(FURROW_INTERNAL_ERROR, error.what());
  } catch (...) {
    return fail(FURROW_INTERNAL_ERROR, "unknown exception");
  }
}

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

/// Members that a caller of any version may have, with defaults for those it does not have. What
/// lies behind the last one is padding of the caller, and may hold anything.
furrow_encoder_options read_options(const furrow_encoder_options* options) {
  furrow_encoder_options result{};
  if (options == nullptr) {
    return result;
  }
  const std::size_t size = options->size;
  if (size == 0) {
    throw furrow::InvalidArgument("furrow_encoder_options: member size is not set");
  }
  for (const OptionsMember& member : kOptionsMembers) {
    if (size > member.begin && size < member.end) {
      throw furrow::InvalidArgument(
          "furrow_encoder_options: size " + std::to_string(size) + " ends inside member " +
              member.name + ", expected " + std::to_string(member.end) + " or more to have it" +
              ", as sizeof(furrow_encoder_options), " + std::to_string(sizeof(result)) + ", has",
          {.expected = std::to_string(sizeof(result)), .actual = std::to_string(size)});
    }
  }
  std::memcpy(&result, options, std::min(size, kOptionsMembers.back().end));
  return result;
}

void check_pointer(const void* pointer, const char* name) {
  if (pointer == nullptr) {
    throw furrow::InvalidArgument(std::string("furrow: argument ") + name + " is NULL");
  }
}

/// An encoder of the process that forked this one would wait for threads that are not here.
void check_process(const furrow_encoder& encoder) {
  if (encoder.process != ::getpid()) {
    throw furrow::InvalidArgument(
        "furrow: the encoder was created in process " + std::to_string(encoder.process) +
            ", before it forked; create another one here, in process " + std::to_string(::getpid()),
        {.expected = std::to_string(encoder.process), .actual = std::to_string(::getpid())});
  }
}

/// Watches the abort flag for the length of one call and turns it into a stop request.
class AbortWatch {
 public:
  explicit AbortWatch(const volatile std::uint8_t* flag) {
    if (flag == nullptr) {
      return;
    }
    if (is_set(flag)) {
      stop_.request_stop();
      return;
    }
    watcher_ = furrow::start_thread("fw-abort", [this, flag](const std::stop_token& end) {
      while (!end.stop_requested()) {
        if (is_set(flag)) {
          stop_.request_stop();
          return;
        }
        std::this_thread::sleep_for(kAbortPollInterval);
      }
    });
  }
  [[nodiscard]] std::stop_token token() const { return stop_.get_token(); }

 private:
  static bool is_set(const volatile std::uint8_t* flag) {
    return __atomic_load_n(flag, __ATOMIC_ACQUIRE) != 0;  // the caller may write it at any time
  }

  std::stop_source stop_;
  std::jthread watcher_;
};

}  // namespace

extern "C" {

uint32_t furrow_abi_version(void) {
  return FURROW_ABI_VERSION;
}

const char* furrow_version(void) {
  return FURROW_VERSION_TEXT;
}

const char* furrow_status_name(furrow_status status) {
  switch (status) {
    case FURROW_OK:
      return "FURROW_OK";
    case FURROW_CANCELLED:
      return "FURROW_CANCELLED";
    case FURROW_INVALID_ARGUMENT:
      return "FURROW_INVALID_ARGUMENT";
    case FURROW_OUT_OF_MEMORY:
      return "FURROW_OUT_OF_MEMORY";
    case FURROW_ENCODER_FAILED:
      return "FURROW_ENCODER_FAILED";
    case FURROW_INTERNAL_ERROR:
      return "FURROW_INTERNAL_ERROR";
    case FURROW_RESOURCE_EXHAUSTED:
      return "FURROW_RESOURCE_EXHAUSTED";
  }
  return "unknown status";
}

const char* furrow_last_error(void) {
  return last_error;
}

furrow_status furrow_encoder_create(const furrow_encoder_options* options,
                                    furrow_encoder** encoder) {
  return guarded([&] {
    check_pointer(encoder, "encoder");
    *encoder = nullptr;
    const furrow_encoder_options wanted = read_options(options);
    furrow::check_thread_count(wanted.threads);
    // Also in threads that the driver of a card starts.
    const furrow::detail::BlockedSignals blocked;
    furrow::EncoderSettings settings;
    settings.cpu.threads = wanted.threads != 0 ? wanted.threads : furrow::usable_processors();
    auto created = std::make_unique<furrow_encoder>();
    created->encoder = furrow::make_encoder_pool(
        furrow::choose_encoder(wanted.kind != nullptr ? wanted.kind : "auto"), std::move(settings));
    *encoder = created.release();
    return FURROW_OK;
  });
}

void furrow_encoder_destroy(furrow_encoder* encoder) {
  if (encoder != nullptr && encoder->process != ::getpid()) {
    return;  // its destructor would wait for threads that are not here
  }
  delete encoder;
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
    check_pointer(encoder, "encoder");
    check_pointer(sector_id, "sector_id");
    if (record_count != 0) {
      check_pointer(records, "records");
      check_pointer(contents_map, "contents_map");
    }
    check_process(*encoder);
    if (record_count > FURROW_MAX_RECORDS || first_offset > FURROW_MAX_RECORDS - record_count) {
      throw furrow::InvalidArgument(
          "furrow: expected at most " + std::to_string(FURROW_MAX_RECORDS) +
              " records of a sector, actual " + std::to_string(record_count) +
              " from piece offset " + std::to_string(first_offset) + " on",
          {.expected = std::to_string(FURROW_MAX_RECORDS), .actual = std::to_string(record_count)});
    }
    furrow::SectorId id;
    std::memcpy(id.data(), sector_id, id.size());
    const AbortWatch abort(abort_flag);
    // Record and FoundProofs are arrays of bytes with alignment 1, so the caller's buffers are
    // such.
    const furrow::EncodeOutcome outcome = encoder->encoder->encode_records(
        id, {reinterpret_cast<furrow::Record*>(records), record_count},
        {reinterpret_cast<furrow::FoundProofs*>(contents_map), record_count}, abort.token(),
        furrow::PieceOffset(static_cast<std::uint16_t>(first_offset)));
    return outcome == furrow::EncodeOutcome::kComplete ? FURROW_OK : FURROW_CANCELLED;
  });
}

}  // extern "C"
