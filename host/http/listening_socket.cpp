// SPDX-License-Identifier: Apache-2.0
#include "host/http/listening_socket.hpp"

#include <cerrno>
#include <memory>
#include <system_error>
#include <utility>

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/base/mutex.hpp"
#include "host/base/threads.hpp"
#include "host/http/connection_places.hpp"

namespace furrow {
namespace {

constexpr int kBacklog = 512;

std::string text_of(int error_number) {
  return std::generic_category().message(error_number);
}

/// Listens, or says in errno why not.
OwnedDescriptor listen_on(const addrinfo& place) {
  OwnedDescriptor socket(
      ::socket(place.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, place.ai_protocol));
  if (socket.get() < 0) {
    return socket;
  }
  const int on = 1;
  // The port may be taken over from a server that just ended, but not from one that listens.
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // connections inherit it
  if (::bind(socket.get(), place.ai_addr, place.ai_addrlen) != 0 ||
      ::listen(socket.get(), kBacklog) != 0) {
    const int error = errno;
    socket = OwnedDescriptor();
    errno = error;
  }
  return socket;
}

using Places = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

/// What getaddrinfo found, or why not.
struct LookUp {
  Mutex mutex;
  ConditionVariable changed;
  bool has_ended FURROW_GUARDED_BY(mutex) = false;
  int code FURROW_GUARDED_BY(mutex) = EAI_AGAIN;
  int error FURROW_GUARDED_BY(mutex) = 0;  // errno of the look-up
  Places found FURROW_GUARDED_BY(mutex){nullptr, &::freeaddrinfo};

  void run(const std::string& address, std::uint16_t port, int flags) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV | flags;
    addrinfo* first = nullptr;
    const int result = ::getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &first);
    const int why = errno;
    const Lock lock(mutex);
    code = result;
    error = why;
    found.reset(result == 0 ? first : nullptr);
    has_ended = true;
    changed.notify_all();
  }
};

/// Addresses need no look-up. A name is asked for on a thread of its own, which is left alone when
/// nobody waits any more: a resolver that hangs would hold up the end of the program.
Places find_places(const std::string& address, std::uint16_t port, const std::stop_token& stop) {
  const auto look_up = std::make_shared<LookUp>();
  look_up->run(address, port, AI_NUMERICHOST);
  const Lock lock(look_up->mutex);
  if (look_up->code == EAI_NONAME) {
    look_up->has_ended = false;
    start_thread("fw-look-up", [look_up, address, port] {
      look_up->run(address, port, 0);
    }).detach();
    if (!look_up->changed.wait(look_up->mutex, stop, [&]() FURROW_REQUIRES(look_up->mutex) {
          return look_up->has_ended;
        })) {
      throw CannotListen(address, port, "a stop was requested while its name was looked up");
    }
  }
  if (look_up->code != 0) {
    throw CannotListen(address, port,
                       look_up->code == EAI_SYSTEM ? text_of(look_up->error)
                                                   : std::string(::gai_strerror(look_up->code)));
  }
  return std::move(look_up->found);
}

/// Whether accept says that the system lacks something. All else is about the connection alone,
/// which is gone then.
bool is_want(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

CannotListen::CannotListen(const std::string& address, std::uint16_t port,
                           const std::string& reason)
    : Error(ErrorKind::kIo,
            "cannot listen on " + address + " port " + std::to_string(port) + ": " + reason,
            {.path = address + ":" + std::to_string(port), .actual = reason}) {}

OwnedDescriptor& OwnedDescriptor::operator=(OwnedDescriptor&& other) noexcept {
  if (this != &other) {
    if (descriptor_ >= 0) {
      ::close(descriptor_);
    }
    descriptor_ = other.release();
  }
  return *this;
}
OwnedDescriptor::~OwnedDescriptor() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}
int OwnedDescriptor::release() noexcept {
  return std::exchange(descriptor_, -1);
}

ListeningSocket::ListeningSocket(const std::string& address, std::uint16_t port,
                                 const std::stop_token& stop) {
  const Places places = find_places(address, port, stop);
  int error = EADDRNOTAVAIL;
  for (const addrinfo* place = places.get(); place != nullptr && socket_.get() < 0;
       place = place->ai_next) {
    socket_ = listen_on(*place);
    error = socket_.get() < 0 ? errno : 0;
  }
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (socket_.get() >= 0 &&
      ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&bound), &size) != 0) {
    error = errno;
  }
  if (error != 0) {
    throw CannotListen(address, port, text_of(error));
  }
  // The port is at the same place in both.
  port_ = ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(bound).sin6_port
                                            : reinterpret_cast<sockaddr_in&>(bound).sin_port);
}

ListeningSocket::Accepted ListeningSocket::accept() const {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  OwnedDescriptor socket(::accept4(socket_.get(), reinterpret_cast<sockaddr*>(&peer), &size,
                                   SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (socket.get() < 0) {
    return {OwnedDescriptor(), {}, is_want(errno) ? errno : 0};
  }
  return {std::move(socket), client_of(reinterpret_cast<const sockaddr&>(peer)), 0};
}

}  // namespace furrow
