// SPDX-License-Identifier: Apache-2.0
#include "host/node/walked_elements.hpp"

namespace furrow::node {

std::optional<cluster::Bytes> WalkedElements::walk(const std::stop_token& stop) {
  {
    const Lock lock(mutex_);
    waiting_since_.reset();
  }
  // A maker may be waiting for a disk: both ways to end reach it.
  std::stop_source making;
  const auto stop_making = [&making] { making.request_stop(); };
  const std::stop_callback on_stop(stop, stop_making);
  const std::stop_callback on_end(stopping_.get_token(), stop_making);
  std::optional<cluster::Bytes> element;
  while (!element.has_value() && next_ < count_ && !making.stop_requested()) {
    element = make_(next_++, making.get_token());
  }
  if (making.stop_requested()) {
    element.reset();  // who made it may have stopped looking: "not there" would be no truth
  }
  const Lock lock(mutex_);
  waiting_since_ = Clock::now();
  return element;
}

}  // namespace furrow::node
