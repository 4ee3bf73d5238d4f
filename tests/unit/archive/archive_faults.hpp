// SPDX-License-Identifier: Apache-2.0
// Ways to make file operations go wrong at a chosen point.
#pragma once

#include <cerrno>
#include <cstdlib>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include "host/base/file.hpp"

namespace furrow::test {

/// Lets the n-th operation fail; operations are counted from 0.
class Fault {
 public:
  explicit Fault(std::size_t n) {
    set_file_fault_hook([this, n](FileOperation, const std::filesystem::path& path) {
      if (count_++ == n) {
        throw IoError("fault injected into", path.native(), ENOSPC);
      }
    });
  }
  ~Fault() { set_file_fault_hook(nullptr); }
  Fault(const Fault&) = delete;
  Fault& operator=(const Fault&) = delete;
  [[nodiscard]] std::size_t count() const { return count_; }

 private:
  std::size_t count_ = 0;
};

/// Operations that `call` does, in order.
template <class Call>
std::vector<FileOperation> operations_of(Call call) {
  std::vector<FileOperation> operations;
  set_file_fault_hook([&](FileOperation operation, const std::filesystem::path&) {
    operations.push_back(operation);
  });
  call();
  set_file_fault_hook(nullptr);
  return operations;
}

/// Runs `call` in a process that dies before its n-th operation; whether it got that far.
template <class Call>
bool dies_at(std::size_t n, Call call) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::size_t count = 0;
    set_file_fault_hook([&](FileOperation, const std::filesystem::path&) {
      if (count++ == n) {
        ::_exit(42);
      }
    });
    call();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 42;
}

/// The superuser can read everything, so tests of permissions run as somebody else.
class OrdinaryUser {
 public:
  OrdinaryUser() : is_needed_(::geteuid() == 0), is_set_(!is_needed_ || ::seteuid(kNobody) == 0) {}
  ~OrdinaryUser() {
    if (is_needed_ && ::seteuid(0) != 0) {
      std::abort();  // later tests would fail for no visible reason
    }
  }
  OrdinaryUser(const OrdinaryUser&) = delete;
  OrdinaryUser& operator=(const OrdinaryUser&) = delete;
  [[nodiscard]] bool is_set() const { return is_set_; }

 private:
  static constexpr uid_t kNobody = 65534;
  bool is_needed_;
  bool is_set_;
};

}  // namespace furrow::test
