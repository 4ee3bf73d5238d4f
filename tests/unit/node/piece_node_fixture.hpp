// SPDX-License-Identifier: Apache-2.0
// A piece node with made-up pieces behind a real server, and somebody who asks it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "host/cluster/request.hpp"
#include "host/cluster/stream_requester.hpp"
#include "host/node/piece_node.hpp"
#include "tests/support/nats_test.hpp"
#include "tests/unit/pieces/made_up_pieces.hpp"

namespace furrow::test {

using namespace std::chrono_literals;
using cluster::CacheOffset;
using cluster::RemoteFailure;
using cluster::SubjectToken;

/// Two segments, each in a super segment of its own.
inline Manifest made_up_manifest() {
  Manifest manifest;
  manifest.segments.resize(2);
  for (std::size_t i = 0; i < 2; ++i) {
    manifest.segments[i].header.index = i;
    manifest.segments[i].super_segment.index = i;
    manifest.segments[i].super_segment.root.bytes.fill(static_cast<std::uint8_t>(0x10 + i));
  }
  manifest.chain_genesis_root.emplace().bytes.fill(0xCC);
  return manifest;
}

/// Whether it comes true within ten seconds.
inline bool comes_true(const std::function<bool()>& condition) {
  for (int i = 0; i < 1000 && !condition(); ++i) {
    std::this_thread::sleep_for(10ms);
  }
  return condition();
}

template <class Element>
struct Streamed {
  std::vector<Element> elements;
  cluster::StreamEnd end;
};

class PieceNodeTest : public NatsTest {
 protected:
  void SetUp() override {
    NatsTest::SetUp();
    if (IsSkipped()) {
      return;
    }
    start_server();
    requester_ = connect();
  }
  void TearDown() override { stop_.request_stop(); }

  /// Until it can be asked.
  void start(PieceGetter& getter, const Manifest& manifest, node::PieceNodeOptions options,
             std::set<SegmentIndex> absent = {}) {
    cache_ = SubjectToken(options.cache_id.to_string(), "cache id");
    node_bus_ = connect();
    stock_.emplace(getter,
                   node::PieceStockOptions{.history_size = manifest.history_size(),
                                           .absent = std::move(absent),
                                           .on_problem = [this](const node::PieceProblem& problem) {
                                             const std::lock_guard lock(mutex_);
                                             problems_.push_back(problem);
                                           }});
    options.on_ready = [this] { is_ready_ = true; };
    node_.emplace(*node_bus_, *stock_, node::ChainInfo(manifest), std::move(options));
    running_ = std::jthread([this] { node_->run(stop_.get_token()); });
    ASSERT_TRUE(comes_true([this] { return is_ready_.load(); }));
  }
  void start(node::PieceNodeOptions options = {}) {
    start(getter_, made_up_manifest(), std::move(options));
  }
  void stop() {
    stop_.request_stop();
    running_.join();
  }

  template <class Request>
  [[nodiscard]] typename Request::Response ask(const Request& request,
                                               std::optional<SubjectToken> instance = {}) const {
    return send_request(*requester_, instance, request, {.timeout = 10s, .most_delay = 0ms}, {})
        .value();
  }
  template <class Request>
  [[nodiscard]] Streamed<typename Request::Element> stream(
      const Request& request, std::optional<SubjectToken> instance = {}) const {
    cluster::StreamRequest<Request> answer(*requester_, instance, request, {.idle_timeout = 20s});
    Streamed<typename Request::Element> result;
    while (auto element = answer.next({})) {
      result.elements.push_back(*std::move(element));
    }
    result.end = answer.end().value();
    return result;
  }

  /// The numbers of the pieces of a stream, which are checked.
  [[nodiscard]] std::vector<std::uint64_t> pieces(const std::vector<PieceIndex>& indices) const {
    const auto answer = stream(cluster::PiecesRequest{indices});
    EXPECT_TRUE(answer.end.is_complete()) << answer.end.text;
    std::vector<std::uint64_t> result;
    for (const cluster::PiecesElement& element : answer.elements) {
      const PieceIndex index = element.piece.piece_index;
      EXPECT_TRUE(same_piece(*element.piece.piece.piece, *made_up_piece(index))) << index.value();
      result.push_back(index.value());
    }
    return result;
  }

  [[nodiscard]] std::vector<node::PieceProblem> problems() {
    const std::lock_guard lock(mutex_);
    return problems_;
  }

  std::unique_ptr<cluster::Bus> requester_;
  std::unique_ptr<cluster::Bus> node_bus_;
  MadeUpGetter getter_;
  std::optional<SubjectToken> cache_;
  std::mutex mutex_;
  std::vector<node::PieceProblem> problems_;
  std::atomic<bool> is_ready_ = false;
  std::stop_source stop_;
  std::optional<node::PieceStock> stock_;
  std::optional<node::PieceNode> node_;
  std::jthread running_;
};

/// Asks for a stream and acknowledges nothing.
class DeadRequester {
 public:
  DeadRequester(cluster::Bus& bus, const std::string& name, const std::vector<PieceIndex>& indices)
      : bus_(bus), messages_(bus.subscribe("stream-response." + name)) {
    bus.publish(cluster::PiecesRequest::kSubject.without_instance(),
                encode_message(cluster::PiecesRequest{indices}),
                {.reply_subject = "stream-response." + name});
  }
  /// How many come until none comes for that long.
  [[nodiscard]] std::size_t messages(std::chrono::milliseconds silence) {
    std::size_t n = 0;
    while (messages_->next(bus_.clock().after(silence), {}).waited == cluster::Waited::kMessage) {
      ++n;
    }
    return n;
  }

 private:
  cluster::Bus& bus_;
  std::unique_ptr<cluster::BusSubscription> messages_;
};

}  // namespace furrow::test
