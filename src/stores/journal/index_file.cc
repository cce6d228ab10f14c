#include "stores/journal/index_file.h"

#include <algorithm>
#include <cstring>
#include <tuple>

#include "base/assert.h"
#include "base/checksum.h"
#include "stores/journal/little_endian.h"

namespace onceward::journal {
namespace {

constexpr std::string_view magic = "onceward indexes";
constexpr std::size_t header_bytes = 80;
constexpr std::size_t row_bytes = 24;

// The upper four bits of a row's length say the kind.
constexpr unsigned kind_at = 28;
constexpr std::uint32_t bytes_mask = (1u << kind_at) - 1;

struct index_header {
  segment_bounds of;
  std::uint64_t entries;
  std::uint64_t superseded;
  std::uint64_t rows_checksum;
};

std::string encoded(const index_header& header) {
  std::string bytes(magic);
  put(bytes, index_format_version);
  put(bytes, std::uint32_t{0});
  put(bytes, header.of.generation);
  put(bytes, header.of.first_sequence);
  put(bytes, header.of.next_first_sequence);
  put(bytes, header.entries);
  put(bytes, header.superseded);
  put(bytes, header.rows_checksum);
  put(bytes, base::checksum(bytes));
  onceward_assert(bytes.size() == header_bytes);
  return bytes;
}

std::optional<index_header> decode_header(std::string_view bytes) {
  byte_reader reader(bytes.substr(0, header_bytes));
  if (reader.take_bytes(magic.size()) != magic) return std::nullopt;
  if (reader.take<std::uint32_t>() != index_format_version) return std::nullopt;
  reader.take<std::uint32_t>();
  index_header header{};
  header.of.generation = reader.take<std::uint64_t>();
  header.of.first_sequence = reader.take<std::uint64_t>();
  header.of.next_first_sequence = reader.take<std::uint64_t>();
  header.entries = reader.take<std::uint64_t>();
  header.superseded = reader.take<std::uint64_t>();
  header.rows_checksum = reader.take<std::uint64_t>();
  const std::size_t checked = header_bytes - sizeof(std::uint64_t);
  if (reader.take<std::uint64_t>() != base::checksum(bytes.substr(0, checked)) || !reader.ok()) return std::nullopt;
  return header;
}

// Keys whose records are near each other in memory are near each other in the file.
auto order_of(key_prefix key) {
  return std::tuple(key.shard(), key.bits);
}

bool is_sound(const index_note& row) {
  return row.kind >= state_kind::in_flight && row.kind <= state_kind::unknown && row.bytes > 0;
}

}  // namespace

key_prefix prefix_of(const record_key& key) {
  return {big_endian(std::span(key.bytes).first<sizeof(std::uint64_t)>())};
}

index_contents index_of(std::uint64_t generation, const std::vector<index_note>& notes) {
  std::vector<std::uint32_t> superseded_here;
  index_contents contents;
  for (const index_note& each : notes) {
    if (each.before.generation == generation) {
      superseded_here.push_back(each.before.offset);
    } else if (each.before.generation != 0) {
      contents.superseded.push_back({each.key, each.before});
    }
  }
  std::sort(superseded_here.begin(), superseded_here.end());
  for (const index_note& each : notes) {
    if (std::binary_search(superseded_here.begin(), superseded_here.end(), each.offset)) continue;
    contents.entries.push_back(each);
    contents.entries.back().before = {};
  }
  const auto by_key = [](const auto& left, const auto& right) { return order_of(left.key) < order_of(right.key); };
  std::sort(contents.entries.begin(), contents.entries.end(), by_key);
  std::sort(contents.superseded.begin(), contents.superseded.end(), by_key);
  return contents;
}

std::span<const std::byte> encode_index(const segment_bounds& of, const index_contents& contents,
                                        block_buffer& memory) {
  std::string rows;
  rows.reserve((contents.entries.size() + contents.superseded.size()) * row_bytes);
  for (const index_note& each : contents.entries) {
    onceward_assert(each.bytes <= bytes_mask);
    put(rows, each.key.bits);
    put(rows, each.offset);
    put(rows, static_cast<std::uint32_t>(each.kind) << kind_at | each.bytes);
    put(rows, std::int64_t{each.expires_at.time_since_epoch().count()});
  }
  for (const superseded_entry& each : contents.superseded) {
    put(rows, each.key.bits);
    put(rows, each.where.generation);
    put(rows, each.where.offset);
    put(rows, std::uint32_t{0});
  }
  const std::string header =
      encoded({of, contents.entries.size(), contents.superseded.size(), base::checksum(rows, of.generation)});
  const std::size_t bytes = index_file_bytes(contents);
  memory.reserve(bytes);
  const auto all = memory.first(bytes);
  std::memcpy(all.data(), header.data(), header.size());
  std::memcpy(all.data() + header.size(), rows.data(), rows.size());
  std::memset(all.data() + header.size() + rows.size(), 0, bytes - header.size() - rows.size());
  return all;
}

std::optional<index_contents> decode_index(const segment_bounds& of, std::span<const std::byte> bytes) {
  const std::string_view text{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  const auto header = decode_header(text);
  if (!header || header->of != of) return std::nullopt;
  const std::uint64_t rows_max = (text.size() - header_bytes) / row_bytes;
  if (header->entries > rows_max || header->superseded > rows_max - header->entries) return std::nullopt;
  const std::string_view rows = text.substr(header_bytes, (header->entries + header->superseded) * row_bytes);
  if (base::checksum(rows, of.generation) != header->rows_checksum) return std::nullopt;

  byte_reader reader(rows);
  index_contents contents;
  contents.entries.reserve(header->entries);
  for (std::uint64_t i = 0; i < header->entries; ++i) {
    index_note row;
    row.key.bits = reader.take<std::uint64_t>();
    row.offset = reader.take<std::uint32_t>();
    const auto kind_and_bytes = reader.take<std::uint32_t>();
    row.kind = state_kind{static_cast<std::uint8_t>(kind_and_bytes >> kind_at)};
    row.bytes = kind_and_bytes & bytes_mask;
    row.expires_at = wall_time{std::chrono::milliseconds{reader.take<std::int64_t>()}};
    if (!is_sound(row)) return std::nullopt;
    contents.entries.push_back(row);
  }
  contents.superseded.reserve(header->superseded);
  for (std::uint64_t i = 0; i < header->superseded; ++i) {
    superseded_entry row;
    row.key.bits = reader.take<std::uint64_t>();
    row.where.generation = reader.take<std::uint64_t>();
    row.where.offset = reader.take<std::uint32_t>();
    reader.take<std::uint32_t>();
    contents.superseded.push_back(row);
  }
  return contents;
}

std::uint64_t index_file_bytes(const index_contents& contents) {
  return whole_blocks(header_bytes + (contents.entries.size() + contents.superseded.size()) * row_bytes);
}

io_result<void> write_index(disk& where, std::string_view segment_file, const segment_bounds& of,
                            const index_contents& contents) {
  const std::string name = index_file_name(segment_file);
  const std::string unfinished = unfinished_name(name);
  block_buffer memory;
  const auto bytes = encode_index(of, contents, memory);
  auto file = where.create(unfinished);
  if (!file) return tl::unexpected(file.error());
  auto made = (*file)->preallocate(bytes.size());
  if (made) made = (*file)->write_at(0, bytes);
  if (made) made = (*file)->sync();
  if (made) made = where.rename(unfinished, name);
  // Without its name, after a power loss, it is made again; what is left of one that failed is removed then, too.
  if (!made) static_cast<void>(where.remove(unfinished));
  return made;
}

std::optional<std::int64_t> read_index_balance(disk& where, std::string_view segment_file, const segment_bounds& of) {
  const auto file = where.open(index_file_name(segment_file));
  if (!file) return std::nullopt;
  block_buffer memory(block_bytes);
  const auto block = memory.first(block_bytes);
  if (!(*file)->read_at(0, block)) return std::nullopt;
  const auto header = decode_header({reinterpret_cast<const char*>(block.data()), block.size()});
  if (!header || header->of != of) return std::nullopt;
  return static_cast<std::int64_t>(header->entries) - static_cast<std::int64_t>(header->superseded);
}

std::optional<index_contents> read_index(disk& where, std::string_view segment_file, const segment_bounds& of) {
  const auto file = where.open(index_file_name(segment_file));
  if (!file) return std::nullopt;
  const auto size = (*file)->size();
  if (!size || *size < header_bytes || *size % block_bytes != 0) return std::nullopt;
  block_buffer memory(*size);
  const auto bytes = memory.first(*size);
  if (!(*file)->read_at(0, bytes)) return std::nullopt;
  return decode_index(of, bytes);
}

}  // namespace onceward::journal
