#include "stores/journal/segment_header.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "base/checksum.h"
#include "stores/journal/little_endian.h"
#include "stores/journal/sectors.h"

namespace onceward::journal {
namespace {

constexpr std::string_view magic = "onceward journal";
constexpr std::size_t checked_bytes = sector_bytes - sizeof(std::uint64_t);

std::string_view first_sector(std::span<const std::byte> block) {
  onceward_assert(block.size() >= sector_bytes);
  return {reinterpret_cast<const char*>(block.data()), sector_bytes};
}

}  // namespace

void encode(const segment_header& header, std::span<std::byte> block) {
  std::string sector(magic);
  put(sector, format_version);
  put(sector, std::uint32_t{0});
  put(sector, header.generation);
  put(sector, header.segment_bytes);
  put(sector, header.first_sequence);
  put(sector, header.first_generation);
  put(sector, header.fence_granted);
  put(sector, header.created_at_ms);
  sector.resize(checked_bytes, '\0');
  put(sector, base::checksum(sector));
  onceward_assert(sector.size() == sector_bytes && block.size() == block_bytes);
  std::memset(block.data(), 0, block.size());
  std::memcpy(block.data(), sector.data(), sector.size());
}

result<std::optional<segment_header>> decode_segment_header(std::span<const std::byte> block) {
  const std::string_view sector = first_sector(block);
  if (std::all_of(sector.begin(), sector.end(), [](char each) { return each == '\0'; })) return std::nullopt;
  byte_reader reader(sector.substr(checked_bytes));
  if (reader.take<std::uint64_t>() != base::checksum(sector.substr(0, checked_bytes)))
    return tl::unexpected(errc::corrupt);

  byte_reader fields(sector);
  if (fields.take_bytes(magic.size()) != magic) return tl::unexpected(errc::corrupt);
  if (fields.take<std::uint32_t>() != format_version) return tl::unexpected(errc::version);
  fields.take<std::uint32_t>();
  segment_header header{};
  header.generation = fields.take<std::uint64_t>();
  header.segment_bytes = fields.take<std::uint64_t>();
  header.first_sequence = fields.take<std::uint64_t>();
  header.first_generation = fields.take<std::uint64_t>();
  header.fence_granted = fields.take<std::uint64_t>();
  header.created_at_ms = fields.take<std::int64_t>();
  if (header.first_generation == 0 || header.first_generation > header.generation) return tl::unexpected(errc::corrupt);
  return header;
}

}  // namespace onceward::journal
