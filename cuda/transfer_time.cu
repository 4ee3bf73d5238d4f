// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>

#include "cuda/transfer_time.hpp"

namespace furrow::cuda {
namespace {

/// Where the number of copies or computations under way changes.
struct Edge {
  double at;
  int copies;
  int computing;
};

}  // namespace

void TransferTime::settle(double until) {
  std::vector<Edge> edges;
  const auto take = [&](std::vector<TimeSpan>& spans, int copies, int computing) {
    for (const TimeSpan& span : spans) {
      const double begin = std::max(span.begin, settled_);
      const double end = std::min(span.end, until);
      if (begin < end) {
        edges.push_back({begin, copies, computing});
        edges.push_back({end, -copies, -computing});
      }
    }
    std::erase_if(spans, [until](const TimeSpan& span) { return span.end <= until; });
  };
  take(copies_, 1, 0);
  take(computing_, 0, 1);
  std::sort(edges.begin(), edges.end(), [](const Edge& a, const Edge& b) { return a.at < b.at; });
  Edge now{};
  for (const Edge& edge : edges) {
    if (now.copies > 0 && now.computing == 0) {
      seconds_ += edge.at - now.at;
    }
    now = {edge.at, now.copies + edge.copies, now.computing + edge.computing};
  }
  settled_ = std::max(settled_, until);
}

void TransferTime::close() {
  settle(std::numeric_limits<double>::infinity());
  settled_ = 0;
}

}  // namespace furrow::cuda
