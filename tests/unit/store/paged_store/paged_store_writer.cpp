// SPDX-License-Identifier: Apache-2.0
// Pages objects out to a RocksDB database until it is killed, and says on standard output what is
// stored: the program that paged_store_crash_test.cpp runs.
//
//   paged_store_writer DIRECTORY SEED [OPERATION]   ends itself (_exit) before that operation
//
// When the database fails, it uses the store a little longer, to see that this is survived: what is
// stored can be read, what is not stays in memory.
//
// Each line is `P key value` (paged out), `F count` (the first `count` keys are flushed) or `D`
// (done).
#include <cstdio>
#include <cstdlib>
#include <random>

#include <unistd.h>

#include "host/base/hex.hpp"
#include "host/store/paged_store/rocksdb_backend.hpp"
#include "tests/unit/store/paged_store/paged_objects.hpp"

namespace furrow::test {
namespace {

constexpr std::uint64_t kRoots = 60;

/// A graph in which parts of earlier ones come back, some with a large list of children.
Paged<Node> random_graph(std::mt19937_64& random, const std::vector<Paged<Node>>& earlier) {
  std::vector<Paged<Node>> level;
  for (std::uint64_t n = 1 + random() % 200; n > 0; --n) {
    level.push_back(node(random() % 1000));
  }
  if (!earlier.empty()) {
    level.push_back(earlier[random() % earlier.size()]);
  }
  return node(random(), {node(random(), level), chain(1 + random() % 20)});
}

/// After a failure of the database.
void go_on(PagedStore& store, const std::vector<Paged<Node>>& roots) {
  for (int attempt = 0; attempt < 3; ++attempt) {
    try {
      store.page_out(roots.back());
      store.flush();
    } catch (const BackendError&) {
      // as before
    }
  }
  for (const Paged<Node>& root : roots) {
    (void)store.load(root);
  }
}

int write_objects(const std::string& directory, std::uint64_t seed, std::uint64_t last_operation) {
  std::mt19937_64 random(seed);
  std::uint64_t done = 0;
  PagedStore store(std::make_unique<HookedBackend>(
      open_rocksdb_backend(directory, {.cache_bytes = 1U << 20, .write_buffer_bytes = 1U << 16}),
      [&](HookedBackend::Operation /*operation*/) {
        if (done++ == last_operation) {
          ::_exit(0);
        }
      }));
  std::vector<Paged<Node>> roots;
  for (std::uint64_t i = 0; i < kRoots; ++i) {
    roots.push_back(random_graph(random, roots));
    try {
      if (i % 2 == 0) {
        store.page_out(roots.back());
      } else {
        store.schedule_for_paging(roots.back());  // by the background thread, or by drain
        store.drain();
      }
    } catch (const BackendError&) {
      go_on(store, roots);
      throw;
    }
    const DataKey key = roots.back().data_key().value();
    std::printf("P %s %llu\n", to_hex(key.bytes).c_str(),
                static_cast<unsigned long long>(store.load(roots.back())->value));
    std::fflush(stdout);
    if (i % 5 == 4) {
      store.flush();
      std::printf("F %llu\n", static_cast<unsigned long long>(i + 1));
      std::fflush(stdout);
    }
  }
  std::printf("D\n");
  return 0;
}

}  // namespace
}  // namespace furrow::test

int main(int argc, char** argv) {
  if (argc < 3) {
    return 2;
  }
  try {
    return furrow::test::write_objects(
        argv[1], std::strtoull(argv[2], nullptr, 10),
        argc > 3 ? std::strtoull(argv[3], nullptr, 10) : std::uint64_t{1} << 60);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
