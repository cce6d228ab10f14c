// The journal under the conformance kit, at both of its durability levels.

#include <bit>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "settable_clock.h"
#include "store_under_test.h"
#include "stores/journal/journal.h"

namespace onceward::conformance {
namespace {

// A directory that is gone after the test.
class temporary_directory {
 public:
  temporary_directory() {
    std::string path = (std::filesystem::temp_directory_path() / "onceward-journal-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr) std::abort();
    path_ = path;
  }
  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;
  ~temporary_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class journal_under_test final : public store_under_test {
 public:
  explicit journal_under_test(const journal::options& chosen) : options_(chosen) { open(); }

  store& get() override { return *opened_; }
  void advance(std::chrono::milliseconds by) override { clock_.advance(by); }
  wall_time now() const override { return clock_.now(); }
  claims_after_reopen after_reopen() const override { return claims_after_reopen::unknown; }
  void reopen() override {
    opened_.reset();
    open();
  }

 private:
  void open() {
    auto opened = journal::journal::open(directory_.path(), options_, [this] { return clock_.now(); });
    if (!opened) {
      std::fprintf(stderr, "%s\n", opened.error().message.c_str());
      std::abort();
    }
    opened_ = *std::move(opened);
  }

  temporary_directory directory_;
  settable_clock clock_;
  journal::options options_;
  std::unique_ptr<journal::journal> opened_;
};

constexpr std::uint64_t small_segment_bytes = 256u << 10;
constexpr std::uint64_t small_limit_bytes = 8 * small_segment_bytes;

store_factory journal_at(const char* name, journal::durability level, std::uint64_t cache_bytes) {
  return {.name = name,
          .make =
              [level, cache_bytes](const requirements& wanted) {
                journal::options chosen;
                chosen.level = level;
                chosen.cache_bytes = cache_bytes;
                // Small files are quickly made; the longest record is a little less than an eighth of one.
                chosen.segment_bytes = std::bit_ceil(10 * wanted.body_bytes_max);
                if (wanted.bytes_limit != 0) chosen.segment_bytes = small_segment_bytes;
                if (wanted.bytes_limit != 0) chosen.bytes_limit = wanted.bytes_limit;
                return std::make_unique<journal_under_test>(chosen);
              },
          .bytes_limit_min = small_limit_bytes};
}

}  // namespace

std::vector<store_factory> stores_under_test() {
  return {journal_at("synced", journal::durability::synced, 64u << 20),
          journal_at("written", journal::durability::written, 64u << 20),
          // Every record that is not in flight is read from the log.
          journal_at("without_cache", journal::durability::written, 0)};
}

}  // namespace onceward::conformance
