// SPDX-License-Identifier: Apache-2.0
// Controller and cache of a cluster in one process, for the pieces of one archive
// (docs/spec/07-cluster-protocol.md, sections 5, 6, 8 and 9). Plotters and farms need nobody else.
//
//   plotter or farm                               node
//      │ ── find-pieces-in-cache ──────────────────► │  as controller: places in the cache that it is itself
//      │ ── read-pieces, by the id of the cache ───► │  as cache
//      │ ── pieces ────────────────────────────────► │  as controller: what the cache did not give
//      │ ── farmer-app-info, super-segment-headers ► │  as controller: out of the manifest
//
// Threads: one for each subject, which answers what is in memory; a few that read single pieces; and one
// for each stream (stream_places.hpp). So what waits for a disk holds up no answer from memory, and what
// waits for a requester holds up nobody but those who wait for a place for a stream.
//
// Memory, with M for max_payload of the server (2 MiB as a rule): a stream holds its request (at most M),
// the elements of a message and the one behind it, the message, and what the connection has not sent of
// the two before it: below 6 M. Requests that wait: 2 M for each of the five subjects of streams, 1 MiB for
// each of the eight others; what finds no room there is dropped and counted. With 64 places that is 800 MiB
// at the very most, and 400 MiB when all places are taken by requesters of pieces.
//
// Of section 10, identification, there is nothing here. A controller asks caches who they are because it
// has to learn what is in them, and this one knows: the only cache that it speaks of is its own, and its
// requesters learn its identifier from what they find. Answering other controllers would do harm: they
// fill and overwrite (write-piece) what they know as a cache, and nothing is written into a store. Farmers
// are not asked either, since their pieces are not needed: the archive has all. For the same reason the
// broadcasts of section 9 are missing: the history of an archive does not grow while it is served, and
// without a chain there are no slots and no blocks.
//
// [ours] ab.controller.piece answers none for a piece that cannot be read, too: the protocol's silence would
// cost the requester five minutes for each attempt. Lists are answered in the order of the numbers,
// each once, whatever their order and number of times in the request: so a pack is read forwards, and a request
// of 2 MiB cannot ask for one piece 262,144 times.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "host/base/bounded_queue.hpp"
#include "host/base/observer.hpp"
#include "host/cluster/bus.hpp"
#include "host/cluster/identifiers.hpp"
#include "host/cluster/piece_messages.hpp"
#include "host/cluster/stream_responder.hpp"
#include "host/cluster/subjects.hpp"
#include "host/node/chain_info.hpp"
#include "host/node/piece_stock.hpp"
#include "host/node/stream_places.hpp"

namespace furrow::node {

/// The group that controllers and caches are in if nobody says otherwise.
[[nodiscard]] cluster::SubjectToken default_cache_group();

struct PieceNodeOptions {
  /// Whose caches this one is among; the global group is answered for besides.
  cluster::SubjectToken cache_group = default_cache_group();
  cluster::PieceCacheId cache_id = {cluster::draw_ulid()};
  /// Streams at the same time; more requests wait.
  std::size_t places = 64;
  /// How long a requester may take to acknowledge a message while another one waits for its place.
  std::chrono::milliseconds patience = std::chrono::seconds(20);
  /// Threads that read single pieces.
  std::size_t readers = 4;
  /// How long requesters have, at the end, to take the last message of their streams.
  std::chrono::milliseconds farewell = std::chrono::seconds(2);
  cluster::StreamResponderOptions stream = {};
  /// Is told when all that is asked from now on is heard. Called on the thread that runs the node.
  Observer<> on_ready = {};
  /// Gets a line about a request that came to nothing by no fault of the archive: malformed, not acknowledged.
  /// Called on all threads of the node.
  Observer<const std::string&> on_refused = {};
};

/// What became of the requests.
struct PieceNodeCounters {
  std::uint64_t requests = 0;   ///< answered with one message
  std::uint64_t streams = 0;    ///< sent to their end
  std::uint64_t malformed = 0;  ///< without an answer: not of the protocol, or nobody to send it to
  std::uint64_t abandoned = 0;  ///< streams that the requester did not acknowledge
  std::uint64_t gave_way = 0;   ///< of those, the ones whose place others needed
  std::uint64_t dropped = 0;    ///< without an answer: no room, no thread, or no connection
};

class PieceNode {
 public:
  /// `bus` and `stock` outlive it.
  PieceNode(cluster::Bus& bus, PieceStock& stock, ChainInfo chain, PieceNodeOptions options);
  PieceNode(const PieceNode&) = delete;
  PieceNode& operator=(const PieceNode&) = delete;
  ~PieceNode();

  /// Answers until a stop is requested, then what had arrived by then; streams under way end early, as
  /// complete, so that their requesters ask elsewhere at once. It ends, too, when the stock is gone, and
  /// throws why: others that share the work have what is asked for. Throws BusError when the connection is
  /// lost for good, and ResourceExhausted when there are no threads to begin with. Once.
  void run(const std::stop_token& stop);

  [[nodiscard]] PieceNodeCounters counters() const;

 private:
  /// What is answered at one subject.
  struct Service {
    std::string subject;
    std::string group;
    cluster::PendingLimits limits;
    /// Does not throw for what is wrong with a request.
    std::function<void(const cluster::BusMessage&, const std::stop_token&)> take;
    std::unique_ptr<cluster::BusSubscription> subscription = {};
  };
  /// A single piece that is to be read, and answered.
  using Reading = std::function<void()>;

  // What the three kinds of requests have in common (piece_services.cpp).

  template <class Request>
  [[nodiscard]] Service at_once(const std::optional<cluster::SubjectToken>& instance, auto answer);
  template <class Request>
  [[nodiscard]] Service by_readers(const std::optional<cluster::SubjectToken>& instance,
                                   auto answer);
  template <class Request>
  [[nodiscard]] Service as_stream(const std::optional<cluster::SubjectToken>& instance,
                                  auto elements);
  template <class Request>
  [[nodiscard]] std::optional<Request> decode(const cluster::BusMessage& message);
  template <class Response>
  void reply(const std::string& reply_subject, const Response& response);
  void add_controller(std::vector<Service>& services);
  void add_cache(std::vector<Service>& services);

  void send(const std::string& reply_subject, WalkedElements& elements,
            const std::stop_token& stop);

  void serve(Service& service, const std::stop_token& stop);
  void read();

  cluster::Bus& bus_;
  PieceStock& stock_;
  const ChainInfo chain_;
  const PieceNodeOptions options_;
  std::atomic<std::uint64_t> requests_ = 0;
  std::atomic<std::uint64_t> streams_ = 0;
  std::atomic<std::uint64_t> malformed_ = 0;
  std::atomic<std::uint64_t> abandoned_ = 0;
  std::atomic<std::uint64_t> dropped_ = 0;
  BoundedQueue<Reading> readings_;
  StreamPlaces places_;  // last: its threads use all of the above
};

}  // namespace furrow::node
