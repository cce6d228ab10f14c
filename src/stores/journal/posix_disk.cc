#include "stores/journal/posix_disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "stores/journal/block_buffer.h"

namespace onceward::journal {
namespace {

tl::unexpected<io_error> failure(int os_error) {
  switch (os_error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return tl::unexpected(io_error{errc::full, os_error});
    case ENOENT:
      return tl::unexpected(io_error{errc::not_found, os_error});
    case EWOULDBLOCK:
      return tl::unexpected(io_error{errc::busy, os_error});
    default:
      return tl::unexpected(io_error{errc::io, os_error});
  }
}

class descriptor {
 public:
  explicit descriptor(int number) : number_(number) {}
  descriptor(descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  descriptor& operator=(descriptor&&) = delete;
  ~descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int get() const { return number_; }

 private:
  int number_;
};

template <typename Call>
int until_not_interrupted(Call call) {
  for (;;) {
    const int answer = call();
    if (answer != -1 || errno != EINTR) return answer;
  }
}

// Zeros are written in pieces of this size.
constexpr std::size_t zero_bytes = 1u << 20;

class posix_file final : public disk_file {
 public:
  explicit posix_file(descriptor file) : file_(std::move(file)) {}

  io_result<void> write_at(std::uint64_t offset, std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const ssize_t written = ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return failure(errno);
      bytes = bytes.subspan(static_cast<std::size_t>(written));
      offset += static_cast<std::uint64_t>(written);
    }
    return {};
  }

  io_result<void> read_at(std::uint64_t offset, std::span<std::byte> bytes) override {
    while (!bytes.empty()) {
      const ssize_t got = ::pread(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return failure(errno);
      if (got == 0) return failure(ENODATA);
      bytes = bytes.subspan(static_cast<std::size_t>(got));
      offset += static_cast<std::uint64_t>(got);
    }
    return {};
  }

  io_result<void> sync() override {
    if (until_not_interrupted([&] { return ::fdatasync(file_.get()); }) != 0) return failure(errno);
    return {};
  }

  void start_write_back(std::uint64_t offset, std::uint64_t bytes) override {
    static_cast<void>(::sync_file_range(file_.get(), static_cast<off64_t>(offset), static_cast<off64_t>(bytes),
                                        SYNC_FILE_RANGE_WRITE));
  }

  io_result<std::uint64_t> size() override {
    struct stat status{};
    if (::fstat(file_.get(), &status) != 0) return failure(errno);
    return static_cast<std::uint64_t>(status.st_size);
  }

  io_result<void> preallocate(std::uint64_t bytes) override {
    const int refused = ::posix_fallocate(file_.get(), 0, static_cast<off_t>(bytes));
    if (refused != 0) return failure(refused);
    // Allotted space that was never written is marked so in the file system's metadata, and the first write to each
    // part of it would have to change that mark, durably.
    block_buffer zeros(zero_bytes);
    std::memset(zeros.data(), 0, zero_bytes);
    for (std::uint64_t offset = 0; offset < bytes; offset += zero_bytes) {
      const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(zero_bytes, bytes - offset));
      if (auto written = write_at(offset, zeros.first(part)); !written) return written;
    }
    if (until_not_interrupted([&] { return ::fsync(file_.get()); }) != 0) return failure(errno);
    return {};
  }

 private:
  descriptor file_;
};

class posix_lock final : public disk_lock {
 public:
  explicit posix_lock(descriptor file) : file_(std::move(file)) {}

 private:
  descriptor file_;  // The lock ends when it is closed; the file stays.
};

class posix_disk final : public disk {
 public:
  posix_disk(std::string name, descriptor directory, page_cache mode)
      : name_(std::move(name)), directory_(std::move(directory)), mode_(mode) {}

  std::string name() const override { return name_; }

  io_result<std::vector<std::string>> list() override {
    // A descriptor of its own, because the stream that reads it also closes it.
    const int own = ::openat(directory_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (own < 0) return failure(errno);
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(own), &::closedir);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(stream.get())) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    if (errno != 0) return failure(errno);
    std::sort(names.begin(), names.end());
    return names;
  }

  io_result<std::unique_ptr<disk_file>> open(std::string_view file) override { return open_with(file, O_RDWR); }

  io_result<std::unique_ptr<disk_file>> create(std::string_view file) override {
    return open_with(file, O_RDWR | O_CREAT | O_EXCL);
  }

  io_result<void> rename(std::string_view from, std::string_view to) override {
    if (::renameat(directory_.get(), std::string(from).c_str(), directory_.get(), std::string(to).c_str()) != 0) {
      return failure(errno);
    }
    return {};
  }

  io_result<void> remove(std::string_view file) override {
    if (::unlinkat(directory_.get(), std::string(file).c_str(), 0) != 0) return failure(errno);
    return {};
  }

  io_result<void> sync_directory() override {
    if (until_not_interrupted([&] { return ::fsync(directory_.get()); }) != 0) return failure(errno);
    return {};
  }

  io_result<std::unique_ptr<disk_lock>> lock(std::string_view file, std::string_view holder,
                                             std::string& held_by) override {
    descriptor opened(::openat(directory_.get(), std::string(file).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (opened.get() < 0) return failure(errno);
    if (until_not_interrupted([&] { return ::flock(opened.get(), LOCK_EX | LOCK_NB); }) != 0) {
      const int refused = errno;
      char line[256];
      const ssize_t got = ::pread(opened.get(), line, sizeof line, 0);
      held_by.assign(line, got > 0 ? static_cast<std::size_t>(got) : 0);
      return failure(refused);
    }
    if (::ftruncate(opened.get(), 0) != 0) return failure(errno);
    if (::pwrite(opened.get(), holder.data(), holder.size(), 0) < 0) return failure(errno);
    return std::make_unique<posix_lock>(std::move(opened));
  }

 private:
  io_result<std::unique_ptr<disk_file>> open_with(std::string_view file, int flags) {
    const std::string path(file);
    const int direct = mode_ == page_cache::bypassed ? O_DIRECT : 0;
    int opened = ::openat(directory_.get(), path.c_str(), flags | direct | O_CLOEXEC, 0600);
    // tmpfs and some others refuse O_DIRECT; a creation that was refused for it may have left the file there.
    if (opened < 0 && errno == EINVAL && direct != 0) {
      opened = ::openat(directory_.get(), path.c_str(), (flags & ~O_EXCL) | O_CLOEXEC, 0600);
    }
    if (opened < 0) return failure(errno);
    return std::make_unique<posix_file>(descriptor(opened));
  }

  std::string name_;
  descriptor directory_;
  page_cache mode_;
};

}  // namespace

std::string describe(const io_error& error) {
  return std::generic_category().message(error.os_error);
}

io_result<std::unique_ptr<disk>> open_posix_disk(const std::string& directory, page_cache mode) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) return failure(errno);
  descriptor opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.get() < 0) return failure(errno);
  return std::make_unique<posix_disk>(directory, std::move(opened), mode);
}

bool lies_in_memory(const std::string& directory) {
  struct statfs about{};
  if (::statfs(directory.c_str(), &about) != 0) return false;
  return about.f_type == TMPFS_MAGIC || about.f_type == RAMFS_MAGIC;
}

}  // namespace onceward::journal
