#include "fuzzed_log.h"

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>
#include <variant>

#include "base/assert.h"
#include "base/checksum.h"
#include "stores/journal/batch.h"
#include "stores/journal/entry.h"
#include "stores/journal/journal.h"
#include "stores/journal/log_scan.h"

namespace onceward::fuzz {
namespace {

using namespace onceward::journal;
using namespace std::chrono_literals;
using crash::platter;
using crash::simulated_disk;
using open_journal = onceward::journal::journal;

options small_journal() {
  options chosen;
  chosen.segment_bytes = 64u << 10;
  chosen.bytes_limit = 4 * chosen.segment_bytes;
  return chosen;
}

class input_reader {
 public:
  explicit input_reader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  bool empty() const { return bytes_.empty(); }
  std::size_t take(std::size_t count) {
    std::size_t value = 0;
    for (const std::uint8_t each : take_bytes(count))
      value = value << 8 | each;
    return value;
  }
  std::span<const std::uint8_t> take_bytes(std::size_t count) {
    const auto taken = bytes_.first(std::min(count, bytes_.size()));
    bytes_ = bytes_.subspan(taken.size());
    return taken;
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

class last_reply final : public reply_sink {
 public:
  void deliver(std::span<tagged_reply> replies) override { value = std::move(replies.back().value); }
  reply value;
};

void step(open_journal& opened) {
  using part = open_journal::part;
  for (bool moved = true; moved;) {
    moved = false;
    for (const part which : {part::cold_reader, part::committer, part::caretaker}) {
      if (!opened.has_work(which)) continue;
      opened.step(which);
      moved = true;
    }
  }
}

reply ask(open_journal& opened, command what) {
  last_reply sink;
  opened.submit(std::move(what), sink, 0);
  step(opened);
  return std::move(sink.value);
}

record_key key_of(unsigned number) {
  record_key key{};
  key.bytes.back() = static_cast<std::byte>(number);
  return key;
}

// ---- Blows to a sound log ------------------------------------------------------------------------------------------

void strike(simulated_disk& disk, input_reader& input) {
  std::vector<std::string> written;
  for (const std::string& name : disk.holds().names()) {
    if (number_of_segment_file(name) != 0) written.push_back(name);
  }
  while (!input.empty()) {
    const std::size_t place = input.take(2);
    const auto bytes = input.take_bytes(input.take(1));
    auto& file = disk.holds().bytes_of(written[place % written.size()]);
    for (std::size_t i = 0; i < bytes.size(); ++i)
      file[(place + i) % file.size()] = static_cast<std::byte>(bytes[i]);
  }
}

// ---- Entries in a sound log ----------------------------------------------------------------------------------------

template <typename Number>
void put(std::string& out, Number value) {
  for (std::size_t i = 0; i < sizeof value; ++i)
    out += static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i));
}

std::string_view view(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void write_log(simulated_disk& disk, input_reader& input) {
  const options chosen = small_journal();
  constexpr std::uint64_t generation = 3;
  block_buffer block(block_bytes);
  encode(segment_header{.generation = generation,
                        .segment_bytes = chosen.segment_bytes,
                        .first_sequence = 7,
                        .first_generation = generation,
                        .fence_granted = 5,
                        .created_at_ms = 0},
         block.first(block_bytes));
  std::string file(view(block.first(block_bytes)));
  for (std::uint64_t sequence = 7; !input.empty(); ++sequence) {
    batch_builder batch;
    for (std::size_t left = 1 + sequence % 3; left > 0 && !input.empty(); --left) {
      const std::size_t length = input.take(2) % 4'096;
      std::string body;
      for (const std::uint8_t each : input.take_bytes(length))
        body += static_cast<char>(each);
      std::string entry;
      put(entry, static_cast<std::uint32_t>(body.size()));
      put(entry, base::checksum(body, generation));
      batch.add(entry + body);
    }
    block_buffer memory;
    const auto bytes = batch.seal({generation, sequence}, memory);
    if (file.size() + bytes.size() > chosen.segment_bytes) break;
    file += view(bytes);
  }
  file.resize(chosen.segment_bytes);
  disk.holds().put(segment_file_name(1), file);
}

}  // namespace

const platter& sound_log() {
  static const platter made = [] {
    simulated_disk disk;
    auto opened = open_journal::open_in_steps(disk.mount(), small_journal(), [] { return now; });
    const auto bytes = [](std::size_t size) { return std::make_shared<const std::string>(size, 'b'); };
    for (unsigned number = 0; number < 20; ++number) {
      attempt_id attempt{};
      attempt.bytes[0] = static_cast<std::byte>(number);
      ask(**opened, claim{key_of(number), attempt, 30s, 24h, bytes(number)});
      if (number % 4 == 1) ask(**opened, release{key_of(number), attempt});
      if (number % 4 == 2) ask(**opened, complete{key_of(number), attempt, outcome_unknown{24h}});
      if (number % 4 != 3) continue;
      ask(**opened, complete{key_of(number), attempt, outcome_completed{bytes(300 * number), bytes(9), 24h, 24h}});
    }
    (*opened).reset();
    return disk.snapshot();
  }();
  return made;
}

bool is_blows(std::span<const std::uint8_t> input) {
  return !input.empty() && input[0] % 2 == 0;
}

platter log_of(std::span<const std::uint8_t> bytes) {
  const bool blows = is_blows(bytes);
  input_reader input(bytes.subspan(std::min<std::size_t>(bytes.size(), 1)));
  simulated_disk disk(blows ? sound_log() : platter{});
  if (blows) {
    strike(disk, input);
  } else {
    write_log(disk, input);
  }
  return disk.snapshot();
}

std::optional<std::vector<std::string>> entries_in(simulated_disk& disk) {
  const auto mounted = disk.mount();
  auto found = find_segments(*mounted);
  if (!found) return std::nullopt;
  std::vector<std::string> entries;
  const auto scanned = scan(*found, [&](std::size_t, std::uint64_t, std::string_view entry) {
    entries.emplace_back(entry);
    return decode_entry(entry.substr(entry_header_bytes)).has_value();
  });
  if (!scanned) return std::nullopt;
  return entries;
}

std::vector<record_key> keys_in(const std::vector<std::string>& entries) {
  std::vector<record_key> keys;
  for (const std::string& each : entries) {
    const auto head = decode_entry_head(std::string_view(each).substr(entry_header_bytes));
    if (head) keys.push_back(head->key);
  }
  return keys;
}

std::optional<std::vector<std::size_t>> states_in(simulated_disk& disk, const std::vector<record_key>& keys) {
  auto opened = open_journal::open_in_steps(disk.mount(), small_journal(), [] { return now; });
  if (!opened) {
    onceward_assert(!opened.error().message.empty());
    return std::nullopt;
  }
  step(**opened);
  std::vector<std::size_t> states;
  for (const record_key& key : keys)
    states.push_back(ask(**opened, find{key}).index());
  ask(**opened, list_unknown{{}, 100});
  (*opened)->statistics();
  return states;
}

}  // namespace onceward::fuzz
