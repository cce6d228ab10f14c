#include "synced_groups.h"

#include <sys/resource.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/random.h"

namespace onceward::bench {
namespace {

using clock_type = std::chrono::steady_clock;

double seconds_since(clock_type::time_point begin) {
  return std::chrono::duration<double>(clock_type::now() - begin).count();
}

double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& of) {
    return static_cast<double>(of.tv_sec) + static_cast<double>(of.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

std::uint64_t resident_bytes() {
  std::ifstream status("/proc/self/statm");
  std::uint64_t all = 0;
  std::uint64_t resident = 0;
  status >> all >> resident;
  return resident * 4096;
}

std::uint64_t bytes_on_disk(const std::string& directory) {
  std::uint64_t sum = 0;
  for (const auto& each : std::filesystem::recursive_directory_iterator(directory)) {
    if (each.is_regular_file()) sum += each.file_size();
  }
  return sum;
}

// One thread: claims a group of new records, then completes it, until the time is over. The commands that were carried
// out.
std::uint64_t run_lane(engine& store, clock_type::time_point end) {
  base::random_source random;
  std::vector<new_record> group(group_size);
  std::uint64_t commands = 0;
  while (clock_type::now() < end) {
    for (new_record& each : group)
      each = {{random.take<32>()}, {random.take<16>()}};
    store.claim(group);
    store.complete(group);
    commands += 2 * group.size();
  }
  return commands;
}

std::uint64_t run_lanes(engine& store, double seconds) {
  const auto end =
      clock_type::now() + std::chrono::duration_cast<clock_type::duration>(std::chrono::duration<double>(seconds));
  std::atomic<std::uint64_t> commands = 0;
  std::mutex guard;
  std::string failure;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < lanes; ++i) {
    threads.emplace_back([&] {
      try {
        commands += run_lane(store, end);
      } catch (const std::exception& error) {
        const std::lock_guard lock(guard);
        failure = error.what();
      }
    });
  }
  for (std::thread& each : threads)
    each.join();
  require(failure.empty(), failure);
  return commands;
}

void measure(engine_kind& kind, const std::string& directory, std::uint64_t stored, double seconds) {
  const std::uint64_t resident_before = resident_bytes();
  const auto opening = clock_type::now();
  const auto store = kind.open(directory);
  const double open_s = seconds_since(opening);
  const std::uint64_t resident = resident_bytes() - resident_before;
  run_lanes(*store, 0.5);
  const double cpu_before = cpu_seconds();
  const auto begin = clock_type::now();
  const std::uint64_t commands = run_lanes(*store, seconds);
  const double taken = seconds_since(begin);
  const double cpu = cpu_seconds() - cpu_before;
  fmt::print(
      R"({{"engine":"{}","stored":{},"commands":{},"seconds":{:.4f},"cpu_us_per_command":{:.3f},"open_s":{:.4f},)"
      R"("resident_bytes_open":{},"bytes_on_disk":{}}})"
      "\n",
      kind.name(), stored, commands, taken, cpu * 1e6 / static_cast<double>(commands), open_s, resident,
      bytes_on_disk(directory));
}

}  // namespace

std::string claim_value(const new_record& of) {
  std::string value(claim_value_bytes, 'f');
  std::memcpy(value.data(), of.attempt.bytes.data(), of.attempt.bytes.size());
  return value;
}

std::string outcome_value(const new_record& of) {
  std::string value = claim_value(of);
  value.resize(outcome_value_bytes, 'r');
  return value;
}

bool is_of(std::string_view value, const attempt_id& attempt) {
  return value.size() == claim_value_bytes &&
         std::memcmp(value.data(), attempt.bytes.data(), attempt.bytes.size()) == 0;
}

new_record stored_record(std::uint64_t index, std::uint64_t count) {
  new_record made;
  const std::uint64_t place = index * (~std::uint64_t{0} / count);
  std::uint64_t mixed = index;
  for (std::size_t i = 0; i < made.key.bytes.size(); ++i) {
    if (i >= 8) mixed = mixed * 6'364'136'223'846'793'005u + 1'442'695'040'888'963'407u;
    const std::uint64_t byte = i < 8 ? place >> (8 * (7 - i)) : mixed >> 56;
    made.key.bytes[i] = static_cast<std::byte>(byte & 0xff);
  }
  std::memcpy(made.attempt.bytes.data(), made.key.bytes.data() + 8, made.attempt.bytes.size());
  return made;
}

int run(engine_kind& kind, int argc, char** argv) try {
  std::string directory;
  std::uint64_t stored = 0;
  double seconds = 5;
  bool fills = false;
  CLI::App program(kind.name() + ": records per second, in synced groups of 64", kind.name() + "_groups");
  program.add_option("DIR", directory, "Of the store")->required();
  program.add_option("--stored", stored, "Records that are there from the beginning")->check(CLI::Range(0, 1 << 30));
  program.add_flag("--fill", fills, "Makes the store with these records, and ends");
  program.add_option("--seconds", seconds)->check(CLI::Range(0.1, 3600.0));
  CLI11_PARSE(program, argc, argv);
  if (fills) {
    require(!std::filesystem::exists(directory), directory + " is there already");
    std::filesystem::create_directories(directory);
    kind.fill(directory, stored);
    return 0;
  }
  require(std::filesystem::is_directory(directory), directory + " is not there: make it with --fill");
  measure(kind, directory, stored, seconds);
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "{}: {}\n", kind.name(), error.what());
  return 1;
}

}  // namespace onceward::bench
