// SPDX-License-Identifier: Apache-2.0
// What tests of furrow/furrow.hpp start from. C++17 and nothing of the library but what is installed.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "furrow/furrow.hpp"

namespace furrow_cpp_test {

using Buffer = std::vector<std::uint8_t>;

/// A piece that its index fixes, with a period that is coprime to every size in it.
inline Buffer made_up_piece(std::uint64_t index) {
  Buffer piece(FURROW_PIECE_SIZE);
  for (std::size_t i = 0; i < piece.size(); ++i) {
    piece[i] = static_cast<std::uint8_t>((i + 17 * index) % 251);
  }
  return piece;
}

inline bool give_made_up_piece(std::uint64_t index, furrow::MutableBytes bytes) {
  const Buffer piece = made_up_piece(index);
  std::copy(piece.begin(), piece.end(), bytes.begin());
  return true;
}

inline furrow::Encoder cpu_encoder(const furrow::Library& library, std::uint32_t threads = 1,
                                   const furrow::Gate* gate = nullptr) {
  furrow::EncoderConfig config;
  config.kind = "cpu";
  config.threads = threads;
  config.gate = gate;
  return furrow::Encoder(library, config);
}

/// What a call throws, if it throws an Error.
template <class Call>
std::optional<furrow::Error> error_of(Call call) {
  try {
    static_cast<void>(call());
  } catch (const furrow::Error& error) {
    return error;
  }
  return std::nullopt;
}

inline bool says(const furrow::Error& error, const std::string& text) {
  return std::string(error.what()).find(text) != std::string::npos;
}

class TempDirectory {
 public:
  TempDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "furrow-test-XXXXXX").native();
    if (::mkdtemp(name.data()) == nullptr) {
      throw std::system_error(errno, std::generic_category(), "mkdtemp " + name);
    }
    path_ = name;
  }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  ~TempDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace furrow_cpp_test
