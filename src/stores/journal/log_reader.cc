#include "stores/journal/log_reader.h"

#include <algorithm>
#include <string>

#include "stores/journal/sectors.h"

namespace onceward::journal {

result<entry> read_entry(const segment& in, const location& where, block_buffer& memory) {
  const std::size_t begin = where.offset / block_bytes * block_bytes;
  const std::size_t in_block = where.offset - begin;
  // With the stamps between, and whatever of the last block is not the entry's. The entry may be a little shorter than
  // the index has it; the segment ends behind it in any case.
  const std::size_t in_sector = in_block % sector_bytes;
  const std::size_t wanted = in_block - in_sector + disk_offset_of(in_sector + where.bytes - 1) + 1;
  const std::size_t disk_bytes = std::min(whole_blocks(wanted), static_cast<std::size_t>(in.where.bytes) - begin);
  memory.reserve(disk_bytes);
  const auto blocks = memory.first(disk_bytes);
  if (const auto read = in.where.file->read_at(begin, blocks); !read) return tl::unexpected(errc::io);

  std::string bytes;
  const std::size_t left = payload_bytes_of(disk_bytes - (in_block - in_sector)) - in_sector;
  gather(blocks, in_block, std::min<std::size_t>(where.bytes, left), bytes);
  const auto body = entry_body(bytes, in.generation);
  if (!body) return tl::unexpected(body.error());
  return decode_entry(*body);
}

}  // namespace onceward::journal
