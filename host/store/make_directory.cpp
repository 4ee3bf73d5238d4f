#include "host/store/make_directory.hpp"

#include <cerrno>
#include <string>
#include <system_error>

#include "host/store/existence.hpp"
#include "host/store/file.hpp"

namespace furrow {

namespace fs = std::filesystem;

ParentMissing::ParentMissing(const fs::path& directory, const fs::path& parent)
    : IoError("create directory", directory.native(),
              "'" + parent.native() +
                  "' is not there; mount its disk, or let --create=parents make it") {}

void make_directory(const fs::path& directory, MakeDirectory how,
                    const std::function<void(const fs::path&)>& on_made) {
  if (is_there(directory)) {
    return;
  }
  if (how == MakeDirectory::kNever) {
    throw IoError("open", directory.native(), ENOENT);
  }
  fs::path path = directory;
  if (!path.has_filename()) {  // a slash at the end
    path = path.parent_path();
  }
  const fs::path parent = path.has_parent_path() ? path.parent_path() : fs::path(".");
  if (!is_there(parent)) {
    if (how != MakeDirectory::kParents) {
      throw ParentMissing(directory, parent);
    }
    make_directory(parent, how, on_made);
  }
  std::error_code error;
  if (fs::create_directory(path, error) && on_made) {
    on_made(path);
  }
  if (error) {
    throw IoError("create directory", path.native(), error.value());
  }
  sync_directory(parent);
}

}  // namespace furrow
