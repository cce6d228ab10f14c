// What is on a disk, and what a power cut would leave of it.
//
// A platter knows, sector by sector, what a sync has made durable and what was only written, and which changes of names
// were not synced. It is a plain value: copies are independent, so one state yields as many cuts as one likes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace onceward::crash {

// What becomes of the sectors that were written and not synced.
enum class cut {
  keeps_nothing,
  keeps_everything,
  keeps_some_sectors,  // Of 512 bytes, each by itself.
  keeps_some_pages,    // Of 4 KiB.
  keeps_a_prefix,      // In the order of their place.
  loses_one_sector,
  keeps_one_sector,
};
inline constexpr cut every_cut[] = {cut::keeps_nothing,    cut::keeps_everything, cut::keeps_some_sectors,
                                    cut::keeps_some_pages, cut::keeps_a_prefix,   cut::loses_one_sector,
                                    cut::keeps_one_sector};

// Files have numbers, because their names change.
using file_number = std::uint64_t;

// What a process does to a disk, as far as it is carried out.
struct create_file {
  file_number file;
  std::string name;
};
struct allot_zeros {
  file_number file;
  std::size_t bytes;
};
struct write_sectors {
  file_number file;
  std::size_t offset;
  std::vector<std::byte> bytes;
};
struct sync_file {
  file_number file;
};
struct rename_file {
  std::string from;
  std::string to;
};
struct remove_file {
  std::string name;
};
struct sync_names {};
using operation =
    std::variant<create_file, allot_zeros, write_sectors, sync_file, rename_file, remove_file, sync_names>;

class platter {
 public:
  void apply(const operation& done);

  // What a power cut now would leave. Changes of names are kept in their order, as file systems with a journal do: all
  // up to one of them.
  platter after(cut kind, std::mt19937_64& random) const;

  // Calls `visit` with everything that a power cut now could leave: every subset of the sectors that were written and
  // not synced with every prefix of the changes of names. Where there are more than `units_max` sectors, their subsets
  // by page; nothing where there are more pages than that, too.
  void for_each_cut(std::size_t units_max, const std::function<void(platter)>& visit) const;

  std::vector<std::string> names() const;
  std::optional<file_number> find(std::string_view name) const;
  // For the next file that is made.
  file_number unused_number() const { return files_.empty() ? 1 : files_.rbegin()->first + 1; }

  // What a process reads of a file that is there.
  std::span<const std::byte> read(file_number file) const { return files_.at(file)->written; }
  std::span<const std::byte> read(std::string_view name) const { return read(*find(name)); }

  // ---- Tampering ----

  std::vector<std::byte>& bytes_of(std::string_view name) { return own(*find(name)).written; }
  void put(std::string_view name, std::string_view bytes);
  void erase(std::string_view name) { names_.erase(names_.find(name)); }

 private:
  struct content {
    std::vector<std::byte> written;
    // What a power cut may bring back: the sectors that were written since the last sync, as they were at it.
    std::map<std::size_t, std::vector<std::byte>> before;
  };
  using directory = std::map<std::string, file_number, std::less<>>;

  void apply_one(const create_file& done);
  void apply_one(const allot_zeros& done);
  void apply_one(const write_sectors& done);
  void apply_one(const sync_file& done);
  void apply_one(const rename_file& done);
  void apply_one(const remove_file& done);
  void apply_one(const sync_names& done);
  static content left_of(const content& file, cut kind, std::mt19937_64& random);
  // As a power cut leaves it that keeps so many changes of names and everything that was written.
  platter with_names(std::size_t changes_kept) const;
  // To be changed: the copies of this platter keep theirs.
  content& own(file_number file);

  // Those without a name as well: a cut may bring the name back.
  std::map<file_number, std::shared_ptr<content>> files_;
  directory names_;
  std::vector<directory> before_changes_;  // The names before each change since they were last synced.
};

}  // namespace onceward::crash
