#include "stores/journal/batch.h"

#include <limits>

#include "base/assert.h"
#include "base/checksum.h"
#include "stores/journal/little_endian.h"

namespace onceward::journal {
namespace {

constexpr std::uint32_t magic = 0x424a574f;  // "OWJB"
constexpr std::size_t checked_header_bytes = batch_header_bytes - sizeof(std::uint64_t);

constexpr std::size_t name_offset = 8;

std::string_view header_bytes_of(std::span<const std::byte> block) {
  return {reinterpret_cast<const char*>(block.data()), batch_header_bytes};
}

batch_id take_name(byte_reader& reader) {
  batch_id id{};
  id.generation = reader.take<std::uint64_t>();
  id.sequence = reader.take<std::uint64_t>();
  return id;
}

bool all_stamped(std::span<const std::byte> sectors, batch_id id) {
  for (std::size_t index = 0; index < sectors.size() / sector_bytes; ++index) {
    if (!is_stamped(sectors, index, id)) return false;
  }
  return true;
}

}  // namespace

void batch_builder::clear() {
  payload_.assign(batch_header_bytes, '\0');
  entry_count_ = 0;
}

std::size_t batch_builder::add(std::string_view entry, std::string_view rest) {
  const std::size_t offset = disk_offset_of(payload_.size());
  payload_.append(entry).append(rest);
  ++entry_count_;
  return offset;
}

std::span<const std::byte> batch_builder::seal(batch_id id, block_buffer& out) {
  const std::size_t entry_bytes = payload_.size() - batch_header_bytes;
  onceward_assert(entry_bytes <= std::numeric_limits<std::uint32_t>::max());
  const std::size_t disk_bytes = disk_bytes_of(payload_.size());
  payload_.resize(payload_bytes_of(disk_bytes), '\0');

  byte_writer header(payload_.data());
  header.put(magic);
  header.put(entry_count_);
  header.put(id.generation);
  header.put(id.sequence);
  header.put(static_cast<std::uint32_t>(entry_bytes));
  header.put(std::uint32_t{0});
  header.put(base::checksum(std::string_view(payload_).substr(batch_header_bytes)));
  header.put(base::checksum(std::string_view(payload_).substr(0, checked_header_bytes)));

  out.reserve(disk_bytes);
  scatter(payload_, id, out.first(disk_bytes));
  return out.first(disk_bytes);
}

std::optional<batch_header> read_header(std::span<const std::byte> block) {
  const std::string_view bytes = header_bytes_of(block);
  byte_reader reader(bytes);
  batch_header header{};
  if (reader.take<std::uint32_t>() != magic) return std::nullopt;
  header.entry_count = reader.take<std::uint32_t>();
  header.id = take_name(reader);
  header.entry_bytes = reader.take<std::uint32_t>();
  reader.take<std::uint32_t>();
  header.payload_checksum = reader.take<std::uint64_t>();
  if (reader.take<std::uint64_t>() != base::checksum(bytes.substr(0, checked_header_bytes))) return std::nullopt;
  return header;
}

batch_id name_in_header(std::span<const std::byte> block) {
  byte_reader reader(header_bytes_of(block).substr(name_offset));
  return take_name(reader);
}

batch_reading read_batch(std::span<const std::byte> rest, batch_id expected) {
  batch_reading reading;
  if (rest.size() < block_bytes) return reading;
  const auto header = read_header(rest);
  const bool begins_here = is_stamped(rest, 0, expected);
  if (!header || header->id != expected) {
    // A first sector of this batch that does not have its header has lost it.
    reading.condition = begins_here ? batch_condition::damaged : batch_condition::absent;
    return reading;
  }
  const std::size_t disk_bytes = disk_bytes_of(batch_header_bytes + header->entry_bytes);
  if (!begins_here || disk_bytes > rest.size()) {
    reading.condition = batch_condition::damaged;
    return reading;
  }
  const auto sectors = rest.first(disk_bytes);
  gather(sectors, 0, payload_bytes_of(disk_bytes), reading.payload);
  const bool checksum_right =
      base::checksum(std::string_view(reading.payload).substr(batch_header_bytes)) == header->payload_checksum;
  // A write that was cut short leaves sectors of another time, with other stamps; and if what was to be there is there
  // all the same (zeros over zeros), nothing is missing.
  if (checksum_right) {
    reading.condition = batch_condition::intact;
  } else {
    reading.condition = all_stamped(sectors, expected) ? batch_condition::damaged : batch_condition::torn;
  }
  reading.disk_bytes = disk_bytes;
  reading.entry_count = header->entry_count;
  reading.entries_end = batch_header_bytes + header->entry_bytes;
  return reading;
}

batch_traces find_traces(std::span<const std::byte> rest, batch_id expected) {
  batch_traces found = batch_traces::none;
  for (std::size_t offset = 0; offset + block_bytes <= rest.size(); offset += block_bytes) {
    const auto block = rest.subspan(offset);
    if (const auto header = read_header(block); header && header->id.generation == expected.generation &&
                                                header->id.sequence > expected.sequence &&
                                                is_stamped(block, 0, header->id)) {
      return batch_traces::later_one;
    }
    for (std::size_t index = offset / sector_bytes; index < (offset + block_bytes) / sector_bytes; ++index) {
      if (is_stamped(rest, index, expected)) found = batch_traces::part;
    }
  }
  return found;
}

}  // namespace onceward::journal
