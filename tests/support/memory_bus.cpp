// SPDX-License-Identifier: Apache-2.0
#include "tests/support/memory_bus.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

namespace furrow::test {

using cluster::BusEvent;
using cluster::BusMessage;
using cluster::Bytes;
using cluster::Received;
using cluster::Waited;

namespace {

std::string_view next_token(std::string_view& subject) {
  const std::size_t dot = subject.find('.');
  const std::string_view token = subject.substr(0, dot);
  subject.remove_prefix(dot == std::string_view::npos ? subject.size() : dot + 1);
  return token;
}

bool matches(std::string_view pattern, std::string_view subject) {
  while (!pattern.empty() && !subject.empty()) {
    const std::string_view wanted = next_token(pattern);
    if (wanted == ">") {
      return true;
    }
    const std::string_view token = next_token(subject);
    if (wanted != "*" && wanted != token) {
      return false;
    }
  }
  return pattern.empty() && subject.empty();
}

}  // namespace

class MemorySubscription final : public cluster::BusSubscription {
 public:
  MemorySubscription(MemoryServer& server, std::shared_ptr<MemoryServer::Queue> queue)
      : server_(server), queue_(std::move(queue)) {}
  MemorySubscription(const MemorySubscription&) = delete;
  MemorySubscription& operator=(const MemorySubscription&) = delete;
  ~MemorySubscription() override { unsubscribe(); }

  Received next(cluster::BusClock::TimePoint deadline, const std::stop_token& stop) override {
    const std::stop_callback wake(stop, [this] {
      const std::lock_guard lock(server_.mutex_);
      server_.changed_.notify_all();
    });
    std::unique_lock lock(server_.mutex_);
    server_.run_peers(lock);
    server_.wait(
        lock, [this] { return !queue_->waiting.empty() || !queue_->is_subscribed; }, deadline,
        stop);
    if (!queue_->waiting.empty()) {
      Received received{Waited::kMessage, std::move(queue_->waiting.front())};
      queue_->waiting.pop_front();
      queue_->waiting_bytes -= received.message.payload.size();
      return received;
    }
    if (!queue_->is_subscribed) {
      return {Waited::kEnded, {}};
    }
    return {stop.stop_requested() ? Waited::kStopped : Waited::kTimeout, {}};
  }

  void unsubscribe() override {
    const std::lock_guard lock(server_.mutex_);
    queue_->is_subscribed = false;
    server_.queues_.remove(queue_);
    server_.changed_.notify_all();
  }

  [[nodiscard]] std::uint64_t dropped() const override {
    const std::lock_guard lock(server_.mutex_);
    return queue_->dropped;
  }

 private:
  MemoryServer& server_;
  std::shared_ptr<MemoryServer::Queue> queue_;
};

MemoryServer::MemoryServer(std::uint64_t seed, std::size_t max_payload)
    : max_payload_(max_payload), random_(seed), now_(std::chrono::hours(1)) {}

std::unique_ptr<MemoryBus> MemoryServer::connect() {
  const std::lock_guard lock(mutex_);
  return std::make_unique<MemoryBus>(*this, next_connection_++);
}

void MemoryServer::set_weather(const Weather& weather) {
  const std::lock_guard lock(mutex_);
  weather_ = weather;
}

void MemoryServer::add_peer(const std::string& subject, Peer peer) {
  const std::lock_guard lock(mutex_);
  queues_.push_back(std::make_shared<Queue>(Queue{
      .subject = subject, .group = {}, .connection = 0, .peer = std::move(peer), .limits = {}}));
}

void MemoryServer::publish(const std::string& subject, Bytes payload,
                           const std::string& reply_subject) {
  std::unique_lock lock(mutex_);
  publish_locked(0, {subject, reply_subject, std::move(payload), false});
  run_peers(lock);
}

std::vector<BusMessage> MemoryServer::published() const {
  const std::lock_guard lock(mutex_);
  return published_;
}

bool MemoryServer::has_subscriber(const std::string& subject) const {
  const std::lock_guard lock(mutex_);
  return std::any_of(queues_.begin(), queues_.end(),
                     [&](const auto& queue) { return matches(queue->subject, subject); });
}

MemoryServer::TimePoint MemoryServer::now() const {
  const std::lock_guard lock(mutex_);
  return now_;
}

std::vector<std::shared_ptr<MemoryServer::Queue>> MemoryServer::receivers(
    const std::string& subject) {
  std::vector<std::shared_ptr<Queue>> result;
  std::vector<std::pair<std::string, std::vector<std::shared_ptr<Queue>>>> groups;
  for (const auto& queue : queues_) {
    if (!matches(queue->subject, subject)) {
      continue;
    }
    if (queue->group.empty()) {
      result.push_back(queue);
      continue;
    }
    auto group = std::find_if(groups.begin(), groups.end(),
                              [&](const auto& known) { return known.first == queue->group; });
    if (group == groups.end()) {
      group = groups.insert(groups.end(), {queue->group, {}});
    }
    group->second.push_back(queue);
  }
  for (const auto& [name, members] : groups) {
    result.push_back(members[random_() % members.size()]);
  }
  return result;
}

void MemoryServer::publish_locked(std::uint64_t connection, BusMessage message) {
  published_.push_back(message);
  const std::vector<std::shared_ptr<Queue>> to = receivers(message.subject);
  if (to.empty() && !message.reply_subject.empty() && connection != 0) {
    for (const auto& queue : receivers(message.reply_subject)) {
      send_to(queue, {message.reply_subject, {}, {}, true});
    }
  }
  for (const auto& queue : to) {
    send_to(queue, message);
  }
}

void MemoryServer::send_to(const std::shared_ptr<Queue>& queue, const BusMessage& message) {
  std::uniform_real_distribution<double> chance(0, 1);
  if (weather_.lost > 0 && chance(random_) < weather_.lost) {
    return;
  }
  const int copies = weather_.doubled > 0 && chance(random_) < weather_.doubled ? 2 : 1;
  for (int copy = 0; copy < copies; ++copy) {
    std::uniform_int_distribution<std::int64_t> delay(weather_.least_delay.count(),
                                                      weather_.most_delay.count());
    TimePoint time = now_ + std::chrono::milliseconds(delay(random_));
    if (weather_.keeps_order) {
      time = std::max(time, queue->last_arrival);
    }
    queue->last_arrival = std::max(time, queue->last_arrival);
    if (time <= now_) {
      deliver_due();
      deliver(queue, message);
    } else {
      arrivals_.push_back({time, next_order_++, queue, message});
    }
  }
}

void MemoryServer::deliver(const std::shared_ptr<Queue>& queue, const BusMessage& message) {
  if (!queue->is_subscribed) {
    return;
  }
  if (queue->peer) {
    for_peers_.emplace_back(queue, message);
    return;
  }
  if (queue->waiting.size() >= queue->limits.messages ||
      queue->waiting_bytes + message.payload.size() > queue->limits.bytes) {
    ++queue->dropped;
    return;
  }
  queue->waiting.push_back(message);
  queue->waiting_bytes += message.payload.size();
  changed_.notify_all();
}

void MemoryServer::deliver_due() {
  while (true) {
    const auto next =
        std::min_element(arrivals_.begin(), arrivals_.end(), [](const auto& a, const auto& b) {
          return std::pair(a.time, a.order) < std::pair(b.time, b.order);
        });
    if (next == arrivals_.end() || next->time > now_) {
      return;
    }
    const Arrival arrival = std::move(*next);
    arrivals_.erase(next);
    deliver(arrival.queue, arrival.message);
  }
}

void MemoryServer::run_peers(std::unique_lock<std::mutex>& lock) {
  if (peers_are_running_) {
    return;  // whoever runs them sees to the new ones, too
  }
  peers_are_running_ = true;
  while (!for_peers_.empty()) {
    const auto [queue, message] = std::move(for_peers_.front());
    for_peers_.pop_front();
    lock.unlock();
    queue->peer(message);
    lock.lock();
    deliver_due();
  }
  peers_are_running_ = false;
  changed_.notify_all();
}

bool MemoryServer::is_anybody_ready() const {
  return std::any_of(waiters_.begin(), waiters_.end(), [this](const Waiter* waiter) {
    return waiter->is_ready() || waiter->deadline <= now_ || waiter->stop->stop_requested();
  });
}

void MemoryServer::go_on_in_time() {
  TimePoint next = TimePoint::max();
  for (const Waiter* waiter : waiters_) {
    next = std::min(next, waiter->deadline);
  }
  for (const Arrival& arrival : arrivals_) {
    next = std::min(next, arrival.time);
  }
  if (next == TimePoint::max()) {
    throw std::logic_error("everybody waits for what will never come");
  }
  now_ = std::max(now_, next);
  deliver_due();
}

void MemoryServer::wait(std::unique_lock<std::mutex>& lock, std::function<bool()> is_ready,
                        TimePoint deadline, const std::stop_token& stop) {
  Waiter waiter{std::move(is_ready), deadline, &stop};
  waiters_.push_back(&waiter);
  while (!waiter.is_ready() && now_ < deadline && !stop.stop_requested()) {
    if (waiters_.size() == participants_ && !peers_are_running_ && !is_anybody_ready()) {
      go_on_in_time();
      run_peers(lock);
      changed_.notify_all();
    } else {
      changed_.wait(lock);
    }
  }
  waiters_.remove(&waiter);
}

MemoryServer::Participant::Participant(MemoryServer& server) : server_(server) {
  const std::lock_guard lock(server_.mutex_);
  ++server_.participants_;
}

MemoryServer::Participant::~Participant() {
  const std::lock_guard lock(server_.mutex_);
  --server_.participants_;
  server_.changed_.notify_all();
}

MemoryServer::Away::Away(MemoryServer& server) : server_(server) {
  const std::lock_guard lock(server_.mutex_);
  --server_.participants_;
  server_.changed_.notify_all();
}

MemoryServer::Away::~Away() {
  const std::lock_guard lock(server_.mutex_);
  ++server_.participants_;
}

bool MemoryClock::sleep_until(TimePoint time, const std::stop_token& stop) {
  const std::stop_callback wake(stop, [this] {
    const std::lock_guard lock(server_.mutex_);
    server_.changed_.notify_all();
  });
  std::unique_lock lock(server_.mutex_);
  server_.wait(
      lock, [] { return false; }, time, stop);
  return !stop.stop_requested();
}

std::unique_ptr<cluster::BusSubscription> MemoryBus::subscribe(
    const std::string& subject, const std::string& queue_group,
    const cluster::PendingLimits& limits) {
  const std::lock_guard lock(server_.mutex_);
  const auto queue = std::make_shared<MemoryServer::Queue>(MemoryServer::Queue{
      .subject = subject, .group = queue_group, .connection = id_, .peer = {}, .limits = limits});
  if (is_connected_) {
    server_.queues_.push_back(queue);
  } else {
    away_.push_back(queue);
  }
  return std::make_unique<MemorySubscription>(server_, queue);
}

void MemoryBus::send(const std::string& subject, std::span<const std::uint8_t> payload,
                     const cluster::PublishOptions& options) {
  std::unique_lock lock(server_.mutex_);
  BusMessage message{subject, options.reply_subject, Bytes(payload.begin(), payload.end()), false};
  if (!is_connected_) {
    kept_.push_back(std::move(message));
    return;
  }
  server_.publish_locked(id_, std::move(message));
  server_.run_peers(lock);
}

void MemoryBus::observe(Observer<const BusEvent&> observer) {
  const std::lock_guard lock(observer_mutex_);
  observer_ = std::move(observer);
}

void MemoryBus::tell(BusEvent::Kind kind, const std::string& text) {
  Observer<const BusEvent&> observer;
  {
    const std::lock_guard lock(observer_mutex_);
    observer = observer_;
  }
  observer(BusEvent{kind, text});
}

void MemoryBus::disconnect() {
  {
    const std::lock_guard lock(server_.mutex_);
    is_connected_ = false;
    for (const auto& queue : server_.queues_) {
      if (queue->connection == id_) {
        away_.push_back(queue);
      }
    }
    server_.queues_.remove_if([this](const auto& queue) { return queue->connection == id_; });
  }
  tell(BusEvent::Kind::kDisconnected, "server in memory");
}

void MemoryBus::reconnect() {
  {
    std::unique_lock lock(server_.mutex_);
    is_connected_ = true;
    for (auto& queue : std::exchange(away_, {})) {
      if (queue->is_subscribed) {
        server_.queues_.push_back(std::move(queue));
      }
    }
    for (BusMessage& message : std::exchange(kept_, {})) {
      server_.publish_locked(id_, std::move(message));
    }
    server_.run_peers(lock);
  }
  tell(BusEvent::Kind::kReconnected, "server in memory");
}

}  // namespace furrow::test
