// SPDX-License-Identifier: Apache-2.0
// A resolver that hangs, for programs that have this preloaded (LD_PRELOAD): looking up a name
// never ends. The file that HANGING_RESOLVER_ASKED names is made at the first one, so that a test
// knows that the program waits. Addresses in numbers need no resolver and are left to the C
// library.
#include <cstdlib>

#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <unistd.h>

namespace {

bool is_number(const char* node) {
  in6_addr address{};
  return ::inet_pton(AF_INET, node, &address) == 1 || ::inet_pton(AF_INET6, node, &address) == 1;
}

}  // namespace

extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints,
                           addrinfo** found) {
  const bool only_numbers = hints != nullptr && (hints->ai_flags & AI_NUMERICHOST) != 0;
  if (node == nullptr || only_numbers || is_number(node)) {
    using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
    static const auto real = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "getaddrinfo"));
    return real(node, service, hints, found);
  }
  if (const char* asked = std::getenv("HANGING_RESOLVER_ASKED")) {
    ::close(::open(asked, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  }
  while (true) {
    ::pause();
  }
}
