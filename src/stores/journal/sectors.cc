#include "stores/journal/sectors.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/assert.h"
#include "base/checksum.h"
#include "stores/journal/little_endian.h"

namespace onceward::journal {
namespace {

// Sets stamps apart from every other checksum of the journal.
constexpr std::uint64_t stamp_seed = 0x6f6e636577617264;

}  // namespace

std::uint64_t stamp_of(batch_id id, std::size_t sector) {
  std::array<char, 24> bytes;
  byte_writer named(bytes.data());
  named.put(id.generation);
  named.put(id.sequence);
  named.put(std::uint64_t{sector});
  return base::checksum({bytes.data(), bytes.size()}, stamp_seed);
}

void scatter(std::string_view payload, batch_id id, std::span<std::byte> out) {
  onceward_assert(payload.size() == payload_bytes_of(out.size()));
  for (std::size_t sector = 0; sector < out.size() / sector_bytes; ++sector) {
    std::byte* const to = out.data() + sector * sector_bytes;
    std::memcpy(to, payload.data() + sector * sector_payload_bytes, sector_payload_bytes);
    const auto stamp = little_endian(stamp_of(id, sector));
    std::memcpy(to + sector_payload_bytes, stamp.data(), stamp_bytes);
  }
}

void gather(std::span<const std::byte> sectors, std::size_t disk_offset, std::size_t payload_bytes, std::string& out) {
  out.reserve(out.size() + payload_bytes);
  while (payload_bytes > 0) {
    const std::size_t in_sector = disk_offset % sector_bytes;
    onceward_assert(in_sector < sector_payload_bytes);
    const std::size_t piece = std::min(payload_bytes, sector_payload_bytes - in_sector);
    const auto from = sectors.subspan(disk_offset, piece);
    out.append(reinterpret_cast<const char*>(from.data()), piece);
    payload_bytes -= piece;
    disk_offset += piece + stamp_bytes;
  }
}

bool is_stamped(std::span<const std::byte> sectors, std::size_t index, batch_id id) {
  const auto stamp = little_endian(stamp_of(id, index));
  const auto found = sectors.subspan(index * sector_bytes + sector_payload_bytes, stamp_bytes);
  return std::memcmp(found.data(), stamp.data(), stamp_bytes) == 0;
}

}  // namespace onceward::journal
