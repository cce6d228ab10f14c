// onceward-preload: a journal directory with many completed records, made through the journal's own port, for measuring
// what their number costs. Not part of the product.
//
// Their keys are random, so that no client's key finds one. The directory gets a secret, as a gateway would have made
// it, and a gateway takes it as its own. With --look it measures opening one instead.
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "base/random.h"
#include "gateway/secret_file.h"
#include "store_filler.h"
#include "stores/journal/journal.h"

namespace {

using namespace onceward;
using clock_type = std::chrono::steady_clock;

struct choices {
  std::string directory;
  std::uint64_t records = 1'000'000;
  std::size_t response_bytes = 400;
  std::uint64_t retention_s = 7 * 24 * 3600;
  std::uint64_t expires_in_s = 0;  // 0 for as long as the retention.
  std::uint64_t bytes_limit = 256ull << 30;
  bool looks = false;
};

// Of the clock that the records are made by.
std::function<wall_time()> clock_of(const choices& chosen) {
  const std::chrono::seconds back(chosen.expires_in_s == 0 ? 0 : chosen.retention_s - chosen.expires_in_s);
  return [back] {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now()) - back;
  };
}

std::unique_ptr<journal::journal> opened(const choices& chosen, const journal::options& options) {
  auto found = journal::journal::open(chosen.directory, options, clock_of(chosen));
  if (!found) throw std::runtime_error(found.error().message);
  return *std::move(found);
}

std::uint64_t resident_bytes() {
  std::ifstream status("/proc/self/statm");
  std::uint64_t all = 0;
  std::uint64_t resident = 0;
  status >> all >> resident;
  return resident * 4096;
}

void give_secret(const std::string& directory) {
  const auto secret = gateway::read_or_make_secret(directory + "/secret");
  if (!secret) throw std::runtime_error(secret.error());
  const auto claimed = gateway::claim_directory(directory, secret->bytes, false);
  if (!claimed) throw std::runtime_error(claimed.error());
}

void fill(const choices& chosen) {
  if (std::filesystem::exists(chosen.directory)) throw std::runtime_error(chosen.directory + " is there already");
  journal::options options;
  options.level = journal::durability::written;
  options.bytes_limit = chosen.bytes_limit;
  const auto begin = clock_type::now();
  {
    const auto into = opened(chosen, options);
    give_secret(chosen.directory);
    bench::fill_plan plan;
    plan.records = chosen.records;
    plan.retention = std::chrono::seconds(chosen.retention_s);
    plan.response_bytes = chosen.response_bytes;
    base::random_source random;
    bench::fill(*into, plan,
                [&](std::uint64_t) { return std::pair(record_key{random.take<32>()}, attempt_id{random.take<16>()}); });
  }
  fmt::print(R"({{"records":{},"seconds":{:.3f}}})"
             "\n",
             chosen.records, std::chrono::duration<double>(clock_type::now() - begin).count());
}

// Without the cache of recent records, so that what is left is what a record costs.
void look(const choices& chosen) {
  journal::options options;
  options.bytes_limit = chosen.bytes_limit;
  options.cache_bytes = 0;
  const std::uint64_t before = resident_bytes();
  const auto begin = clock_type::now();
  const auto found = opened(chosen, options);
  const double open_s = std::chrono::duration<double>(clock_type::now() - begin).count();
  const store_statistics numbers = found->statistics();
  fmt::print(R"({{"records":{},"open_s":{:.4f},"resident_bytes":{},"bytes_on_disk":{}}})"
             "\n",
             numbers.records, open_s, resident_bytes() - before, numbers.bytes);
}

}  // namespace

int main(int argc, char** argv) try {
  choices chosen;
  CLI::App program("Makes a journal directory with many completed records", "onceward-preload");
  program.add_option("DIR", chosen.directory, "Must not be there yet, unless it is looked at")->required();
  program.add_option("--records", chosen.records, "[1000000]")->check(CLI::Range(0, 1 << 30));
  program.add_option("--response-bytes", chosen.response_bytes, "Of each record [400]")->check(CLI::Range(0, 1 << 20));
  program.add_option("--retention-s", chosen.retention_s, "[604800]")->check(CLI::Range(1, 1 << 30));
  program.add_option("--expires-in-s", chosen.expires_in_s, "When the first of them expires; not before the retention")
      ->check(CLI::Range(1, 1 << 30));
  program.add_option("--bytes-limit", chosen.bytes_limit, "Of the directory [256 GiB]");
  program.add_flag("--look", chosen.looks, "Opens the directory instead, and tells how long it took and its memory");
  CLI11_PARSE(program, argc, argv);
  if (chosen.expires_in_s > chosen.retention_s) throw std::runtime_error("--expires-in-s is longer than --retention-s");
  chosen.looks ? look(chosen) : fill(chosen);
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "onceward-preload: {}\n", error.what());
  return 1;
}
