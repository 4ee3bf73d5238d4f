// SPDX-License-Identifier: Apache-2.0
// A fiber on Boost.Context: a stack and the place where it goes on. The sanitizers are told of
// every switch: AddressSanitizer of the new stack, ThreadSanitizer of the new thread of execution,
// and that the switch itself orders nothing.
//
// Only sources of furrow_simt include this. Under ThreadSanitizer they are compiled without it and
// with FURROW_SIMT_TSAN, so that the harness's own bookkeeping is no race.
#pragma once

#include <cstddef>

#include <boost/context/detail/fcontext.hpp>

#include "simt/pages.hpp"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(FURROW_SIMT_TSAN)
#include <sanitizer/tsan_interface.h>
#endif

namespace furrow::simt {

/// A stack with a page below it that faults. Pages are taken from the system when first used.
class FiberStack {
 public:
  /// `colour` staggers the tops of stacks, so that the frames of different fibers do not compete
  /// for the same sets of the cache.
  explicit FiberStack(std::size_t colour);

  [[nodiscard]] void* top() const { return pages_.base() + n_bytes_; }
  [[nodiscard]] void* base() const { return pages_.base(); }
  [[nodiscard]] std::size_t n_bytes() const { return n_bytes_; }
  /// Forgets what sanitizers know of the frames that lay here.
  void forget_frames();

 private:
  Pages pages_;
  std::size_t n_bytes_;
};

/// Where one flow of control stands while another runs. Default constructed for the host's own.
struct Fiber {
  boost::context::detail::fcontext_t context = nullptr;
#if defined(__SANITIZE_ADDRESS__)
  void* fake_stack = nullptr;
  const void* stack_base = nullptr;
  std::size_t stack_bytes = 0;
#endif
#if defined(FURROW_SIMT_TSAN)
  void* tsan = nullptr;
#endif
};

/// Starts `entry` on the stack at the first switch to `fiber`.
inline void make_fiber(Fiber& fiber, FiberStack& stack,
                       void (*entry)(boost::context::detail::transfer_t)) {
  stack.forget_frames();
  fiber.context = boost::context::detail::make_fcontext(stack.top(), stack.n_bytes(), entry);
#if defined(__SANITIZE_ADDRESS__)
  fiber.fake_stack = nullptr;
  fiber.stack_base = stack.base();
  fiber.stack_bytes = stack.n_bytes();
#endif
}

/// The first thing on the other side of a switch, on a new fiber too: notes where the fiber that
/// was left goes on.
inline void arrive_on_fiber([[maybe_unused]] Fiber& self,
                            boost::context::detail::transfer_t transfer) {
  Fiber& left = *static_cast<Fiber*>(transfer.data);
  left.context = transfer.fctx;
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(self.fake_stack, &left.stack_base, &left.stack_bytes);
#endif
}

/// Goes on in `to`; returns when somebody switches back to `from`.
inline void switch_fiber(Fiber& from, Fiber& to) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(&from.fake_stack, to.stack_base, to.stack_bytes);
#endif
#if defined(FURROW_SIMT_TSAN)
  __tsan_switch_to_fiber(to.tsan, __tsan_switch_to_fiber_no_sync);
#endif
  arrive_on_fiber(from, boost::context::detail::jump_fcontext(to.context, &from));
}

}  // namespace furrow::simt
