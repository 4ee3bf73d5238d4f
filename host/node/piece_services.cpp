// SPDX-License-Identifier: Apache-2.0
// What a piece node answers, subject by subject (docs/spec/07-cluster-protocol.md, sections 8 and 9).
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "host/archive/piece_validation.hpp"
#include "host/base/threads.hpp"
#include "host/cluster/request.hpp"
#include "host/node/piece_node.hpp"

namespace furrow::node {

using cluster::BusMessage;
using cluster::Bytes;
using cluster::CachedPlace;
using cluster::CacheOffset;
using cluster::CacheSlot;
using cluster::IndexedPiece;
using cluster::RemoteFailure;
using cluster::SubjectToken;

namespace {

/// Of subjects whose requests are short: what is longer is none, and need not be kept.
constexpr cluster::PendingLimits kShortRequests{.messages = 4096, .bytes = 1 << 20};

/// In the order in which pieces lie on disk, and each once.
template <class Number>
std::shared_ptr<const std::vector<Number>> in_order(std::vector<Number> numbers) {
  std::ranges::sort(numbers);
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  return std::make_shared<const std::vector<Number>>(std::move(numbers));
}

PieceIndex index_of(CacheOffset offset) {
  return PieceIndex(offset.value());
}

std::string beyond_the_cache(CacheOffset offset, std::uint32_t n_slots) {
  return "offset: expected below " + std::to_string(n_slots) + ", actual " +
         std::to_string(offset.value());
}

/// What a slot of the cache holds: a piece, nothing, or why it cannot be read.
cluster::ResultOf<std::optional<IndexedPiece>> read_slot(PieceStock& stock, CacheOffset offset,
                                                         const std::stop_token& stop) {
  if (offset.value() >= stock.n_slots()) {
    return RemoteFailure{beyond_the_cache(offset, stock.n_slots())};
  }
  PieceStock::Answer answer = stock.read(index_of(offset), stop);
  if (!answer.failure.empty()) {
    return RemoteFailure{describe_piece(index_of(offset)) + ": " + answer.failure};
  }
  if (answer.piece == nullptr) {
    return std::nullopt;
  }
  return IndexedPiece{index_of(offset), {std::move(answer.piece)}};
}

/// The index of the piece that should be in a slot.
std::optional<PieceIndex> slot_index(const PieceStock& stock, CacheOffset offset) {
  return stock.has(index_of(offset)) ? std::optional(index_of(offset)) : std::nullopt;
}

}  // namespace

/// None, counted, of what is dropped silently: section 5.
template <class Request>
std::optional<Request> PieceNode::decode(const BusMessage& message) {
  const auto refuse = [&](const std::string& reason) {
    ++malformed_;
    options_.on_refused(message.subject + ": " + reason);
    return std::nullopt;
  };
  if (!cluster::is_publish_subject(message.reply_subject)) {
    return refuse("no subject to answer to");
  }
  try {
    return cluster::decode_message<Request>(message.payload);
  } catch (const cluster::MalformedMessage& error) {
    return refuse(error.what());
  }
}

template <class Response>
void PieceNode::reply(const std::string& reply_subject, const Response& response) {
  try {
    bus_.publish(reply_subject, encode_message(response));
    ++requests_;
  } catch (const cluster::BusError& error) {
    // No room while the connection is lost. One that is closed for good ends the subscriptions.
    ++dropped_;
    options_.on_refused(error.what());
  }
}

/// Of what is known without a disk.
template <class Request>
PieceNode::Service PieceNode::at_once(const std::optional<SubjectToken>& instance, auto answer) {
  return {.subject = cluster::subject_of<Request>(instance),
          .group = Request::kSubject.queue_group(instance),
          .limits = kShortRequests,
          .take = [this, answer](const BusMessage& message, const std::stop_token&) {
            if (const std::optional<Request> request = decode<Request>(message)) {
              reply(message.reply_subject, answer(*request));
            }
          }};
}

/// Of a single piece that has to be read.
template <class Request>
PieceNode::Service PieceNode::by_readers(const std::optional<SubjectToken>& instance, auto answer) {
  return {.subject = cluster::subject_of<Request>(instance),
          .group = Request::kSubject.queue_group(instance),
          .limits = kShortRequests,
          .take = [this, answer](const BusMessage& message, const std::stop_token&) {
            if (const std::optional<Request> request = decode<Request>(message)) {
              // It is closed only when nobody sends any more.
              static_cast<void>(readings_.send(
                  [this, answer, request = *request, subject = message.reply_subject] {
                    reply(subject, answer(request));
                  }));
            }
          }};
}

/// `elements` makes them of a request.
template <class Request>
PieceNode::Service PieceNode::as_stream(const std::optional<SubjectToken>& instance,
                                        auto elements) {
  return {.subject = cluster::subject_of<Request>(instance),
          .group = Request::kSubject.queue_group(instance),
          .limits = {.messages = 1024, .bytes = 2 * bus_.max_payload()},
          .take = [this, elements](const BusMessage& message, const std::stop_token& stop) {
            std::optional<Request> request = decode<Request>(message);
            if (!request) {
              return;
            }
            if (!stop.stop_requested()) {
              try {
                if (places_.start(
                        elements(*std::move(request)),
                        [this, subject = message.reply_subject](WalkedElements& source,
                                                                const std::stop_token& end) {
                          send(subject, source, end);
                        },
                        stop)) {
                  return;
                }
              } catch (const ResourceExhausted& error) {
                ++dropped_;
                return options_.on_refused(message.subject + ": " + error.what());
              }
            }
            // At the end: a stream without elements, so that the requester asks elsewhere at once.
            WalkedElements none(0, {});
            send(message.reply_subject, none, {});
          }};
}

void PieceNode::add_controller(std::vector<Service>& services) {
  const auto place_of = [this](PieceIndex index) -> std::optional<CachedPlace> {
    if (index.value() >= stock_.n_slots() || !stock_.has(index)) {
      return std::nullopt;
    }
    return CachedPlace{options_.cache_id, CacheOffset(static_cast<std::uint32_t>(index.value()))};
  };
  std::vector<SubjectToken> groups = {options_.cache_group};
  if (options_.cache_group != cluster::global_cache_group()) {
    groups.push_back(cluster::global_cache_group());
  }
  for (const SubjectToken& group : groups) {
    services.push_back(at_once<cluster::FindPieceRequest>(group, [place_of](const auto& request) {
      return cluster::FindPieceResponse{place_of(request.piece_index)};
    }));
    services.push_back(as_stream<cluster::FindPiecesRequest>(group, [place_of](auto request) {
      const auto indices = in_order(std::move(request.piece_indices));
      return std::make_unique<WalkedElements>(
          indices->size(),
          [place_of, indices](std::uint64_t i, const std::stop_token&) -> std::optional<Bytes> {
            const PieceIndex index = (*indices)[i];
            const std::optional<CachedPlace> place = place_of(index);
            return place ? std::optional(encode_message(cluster::FoundPiece{index, *place}))
                         : std::nullopt;
          });
    }));
  }
  services.push_back(by_readers<cluster::PieceRequest>(std::nullopt, [this](const auto& request) {
    PieceStock::Answer answer = stock_.read(request.piece_index, {});
    cluster::PieceResponse response;
    if (answer.piece != nullptr) {
      response.piece = cluster::SharedPiece{std::move(answer.piece)};
    }
    return response;
  }));
  services.push_back(as_stream<cluster::PiecesRequest>(std::nullopt, [this](auto request) {
    const auto indices = in_order(std::move(request.piece_indices));
    return std::make_unique<WalkedElements>(
        indices->size(),
        [this, indices](std::uint64_t i, const std::stop_token& stop) -> std::optional<Bytes> {
          PieceStock::Answer answer = stock_.read((*indices)[i], stop);
          if (answer.piece == nullptr) {
            return std::nullopt;
          }
          return encode_message(cluster::PiecesElement{{(*indices)[i], {std::move(answer.piece)}}});
        });
  }));
  services.push_back(at_once<cluster::FarmerAppInfoRequest>(
      std::nullopt, [this](const auto&) { return chain_.farmer_app_info(); }));
  services.push_back(at_once<cluster::SuperSegmentHeadersRequest>(
      std::nullopt, [this](const auto& request) { return chain_.super_segment_headers(request); }));
  services.push_back(at_once<cluster::SuperSegmentRootRequest>(
      std::nullopt, [this](const auto& request) { return chain_.super_segment_root(request); }));
}

void PieceNode::add_cache(std::vector<Service>& services) {
  const SubjectToken cache(options_.cache_id.to_string(), "cache id");
  services.push_back(by_readers<cluster::ReadPieceRequest>(cache, [this](const auto& request) {
    return cluster::ReadPieceResponse{read_slot(stock_, request.offset, {})};
  }));
  services.push_back(as_stream<cluster::ReadPiecesRequest>(cache, [this](auto request) {
    const auto offsets = in_order(std::move(request.offsets));
    return std::make_unique<WalkedElements>(
        offsets->size(), [this, offsets](std::uint64_t i, const std::stop_token& stop) {
          auto slot = read_slot(stock_, (*offsets)[i], stop);
          cluster::ReadPiecesElement element;
          if (auto* const failure = std::get_if<RemoteFailure>(&slot)) {
            element.result = std::move(*failure);
          } else {
            element.result =
                CacheSlot{(*offsets)[i], std::get<std::optional<IndexedPiece>>(std::move(slot))};
          }
          return std::optional(encode_message(element));
        });
  }));
  services.push_back(at_once<cluster::ReadPieceIndexRequest>(cache, [this](const auto& request) {
    if (request.offset.value() >= stock_.n_slots()) {
      return cluster::ReadPieceIndexResponse{
          RemoteFailure{beyond_the_cache(request.offset, stock_.n_slots())}};
    }
    return cluster::ReadPieceIndexResponse{slot_index(stock_, request.offset)};
  }));
  services.push_back(as_stream<cluster::ContentsRequest>(cache, [this](const auto&) {
    return std::make_unique<WalkedElements>(
        stock_.n_slots(), [this](std::uint64_t i, const std::stop_token&) {
          const CacheOffset offset(static_cast<std::uint32_t>(i));
          return std::optional(encode_message(
              cluster::ContentsElement{cluster::SlotIndex{offset, slot_index(stock_, offset)}}));
        });
  }));
}

}  // namespace furrow::node
