#include "gateway/secret_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <span>
#include <string_view>
#include <utility>

#include "base/hex.h"
#include "base/random.h"
#include "core/secret.h"

namespace onceward::gateway {
namespace {

using failure = tl::unexpected<std::string>;

// Closes what it holds.
class open_file {
 public:
  explicit open_file(int descriptor) : descriptor_(descriptor) {}
  ~open_file() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;
  int get() const { return descriptor_; }
  bool is_open() const { return descriptor_ >= 0; }

 private:
  int descriptor_;
};

std::string because() {
  return std::strerror(errno);
}

tl::expected<std::string, std::string> read_from(const open_file& file, const std::string& path) {
  struct stat facts{};
  if (fstat(file.get(), &facts) != 0) return failure(fmt::format("cannot read the secret in {}: {}", path, because()));
  if (!S_ISREG(facts.st_mode)) return failure(fmt::format("the secret in {} is not a regular file", path));
  if ((facts.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return failure(fmt::format("the secret in {} can be read by others than its owner; run: chmod 600 {}", path, path));
  }
  std::array<char, 2 * secret_bytes + 16> text{};
  const ssize_t size = read(file.get(), text.data(), text.size());
  if (size < 0) return failure(fmt::format("cannot read the secret in {}: {}", path, because()));
  std::string_view digits(text.data(), static_cast<std::size_t>(size));
  while (!digits.empty() && (digits.back() == '\n' || digits.back() == '\r' || digits.back() == ' '))
    digits.remove_suffix(1);
  std::array<std::byte, secret_bytes> bytes{};
  if (!base::from_hex(digits, bytes)) {
    return failure(fmt::format("the secret in {} is not {} hexadecimal digits", path, 2 * secret_bytes));
  }
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

enum class existing { kept, replaced };

// Written beside its place and moved there, so that no crash leaves half a file.
tl::expected<void, std::string> write_to(const std::string& path, std::string_view text, existing there) {
  const std::string draft = path + ".new";
  unlink(draft.c_str());
  const auto failed = [&] { return failure(fmt::format("cannot write {}: {}", path, because())); };
  {
    const open_file file(open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file.is_open()) return failed();
    if (write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) return failed();
    if (fsync(file.get()) != 0) return failed();
  }
  if (there == existing::replaced) {
    if (rename(draft.c_str(), path.c_str()) != 0) return failed();
  } else {
    if (link(draft.c_str(), path.c_str()) != 0 && errno != EEXIST) return failed();
    unlink(draft.c_str());
  }
  const auto folder = std::filesystem::path(path).parent_path();
  const open_file directory(open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.is_open() || fsync(directory.get()) != 0) return failed();
  return {};
}

}  // namespace

std::string make_secret() {
  base::random_source random;
  const auto bytes = random.take<secret_bytes>();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string identity_of_secret(std::string_view secret) {
  return core::identity_of_secret(secret);
}

tl::expected<std::string, std::string> read_secret(const std::string& path) {
  const open_file file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return failure(fmt::format("cannot open the secret in {}: {}", path, because()));
  return read_from(file, path);
}

tl::expected<secret_found, std::string> read_or_make_secret(const std::string& path) {
  bool made = false;
  if (access(path.c_str(), F_OK) != 0 && errno == ENOENT) {
    const std::string secret = make_secret();
    const auto written = write_to(path, base::to_hex(std::as_bytes(std::span(secret))) + "\n", existing::kept);
    if (!written) return failure(written.error());
    made = true;
  }
  auto found = read_secret(path);
  if (!found) return failure(found.error());
  return secret_found{std::move(*found), made};
}

tl::expected<void, std::string> claim_directory(const std::string& directory, std::string_view secret,
                                                bool has_records) {
  const std::string path = directory + "/secret.id";
  const std::string identity = identity_of_secret(secret) + "\n";
  std::array<char, 64> text{};
  const open_file file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open() && errno != ENOENT) return failure(fmt::format("cannot open {}: {}", path, because()));
  if (file.is_open()) {
    const ssize_t size = read(file.get(), text.data(), text.size());
    if (size < 0) return failure(fmt::format("cannot read {}: {}", path, because()));
    if (std::string_view(text.data(), static_cast<std::size_t>(size)) == identity) return {};
    if (has_records) {
      return failure(fmt::format(
          "the records in {} were written under another secret, with which alone retries find them: bring it "
          "back, or, to give all these records up, remove {}",
          directory, path));
    }
  }
  return write_to(path, identity, existing::replaced);
}

}  // namespace onceward::gateway
