#include "stores/journal/log_reader.h"

#include <string>

#include "stores/journal/sectors.h"

namespace onceward::journal {

result<entry> read_entry(const segment& in, const location& where, block_buffer& memory) {
  const std::size_t begin = where.offset / block_bytes * block_bytes;
  const std::size_t in_block = where.offset - begin;
  // With the stamps between, and whatever of the last block is not the entry's.
  const std::size_t in_sector = in_block % sector_bytes;
  const std::size_t disk_bytes = in_block - in_sector + disk_offset_of(in_sector + where.bytes - 1) + 1;
  memory.reserve(whole_blocks(disk_bytes));
  const auto blocks = memory.first(whole_blocks(disk_bytes));
  if (const auto read = in.where.file->read_at(begin, blocks); !read) return tl::unexpected(errc::io);

  std::string bytes;
  gather(blocks, in_block, where.bytes, bytes);
  const auto body = entry_body(bytes, in.generation);
  if (!body) return tl::unexpected(body.error());
  return decode_entry(*body);
}

}  // namespace onceward::journal
